"""The request form as a spreadsheet: a template with what may be asked for, and its import.

Sheet ``申请`` holds a line a field of the form, sheet ``数据项`` a line an element. Whoever fills
it in changes the second column; everything that is wrong is said at once, with its cell, and comes
back as a workbook in which it is marked.
"""

import io
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter.utility import xl_rowcol_to_cell

from catalog.vocabulary import ShareMode, UpdateCycle
from yishu.sharing.errors import FormUnreadable, Missing, RequestIncomplete
from yishu.sharing.filing import parse
from yishu.sharing.form import RequestForm, missing
from yishu.sharing.objects import SharedObject
from yishu.sharing.vocabulary import Purpose, ShareFormat, Treatment
from yishu.sources import SourceError
from yishu.sources.archive import Bounds, check_declared
from yishu.sources.extent import require_extent

_FORM, _ELEMENTS = "申请", "数据项"
_LABELS = {
    "object_id": "所需数据（目录标识）",
    "scenario": "应用场景",
    "service_items": "关联政务服务事项编码（多个用逗号分开）",
    "purpose_code": "用途类别",
    "purpose": "利用目的",
    "legal_basis": "使用依据",
    "regions": "行政区划代码（多个用逗号分开，可空）",
    "period_column": "限定期间的数据项（可空）",
    "since": "期间起（可空）",
    "until": "期间止（可空）",
    "mode": "共享方式",
    "format": "数据格式",
    "cycle": "更新周期",
    "valid_from": "使用起始日",
    "valid_until": "使用截止日",
    "contact": "联系人",
    "destination": "接收连接名称（可空）",
}
_CHOICES: dict[str, Any] = {
    "purpose_code": Purpose,
    "mode": ShareMode,
    "format": ShareFormat,
    "cycle": UpdateCycle,
}
_LISTS = ("service_items", "regions")
_ROWS = ("regions", "period_column", "since", "until")
_HEADINGS = ("数据项", "名称", "具体用途（不需要的留空）", "交付方式")
_USE, _HOW = 2, 3
_TREATMENTS = {one.label_zh: one.value for one in Treatment}

MOST_BYTES = 1 << 20
_BOUNDS = Bounds(entries=200, total=32 << 20)
_MOST_CELLS = 1_000_000

Place = tuple[str, int, int]
"""Sheet, row and column of a cell, the latter from 0."""


@dataclass(frozen=True)
class Line:
    """A line of an element as it was typed, and its row, from 0."""

    row: int
    field: str
    use: str
    treatment: str


@dataclass(frozen=True)
class Filled:
    """What stands in a template: the answers by field of the form, and the lines of elements."""

    said: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()

    @property
    def asked(self) -> tuple[Line, ...]:
        """The lines that ask for their element."""
        return tuple(one for one in self.lines if one.use or one.treatment)


def template(object_: SharedObject) -> bytes:
    """An empty form for an object, with its elements and the choices there are."""
    lines = [Line(row, name, "", "") for row, name in enumerate(object_.columns, 1)]
    return _workbook(object_, Filled({"object_id": object_.id}, tuple(lines)), ())


def marked(object_: SharedObject, filled: Filled, parts: Sequence[Missing]) -> bytes:
    """A form as it was filled in, with each missing or wrong part marked in its cell."""
    return _workbook(object_, filled, parts)


def read(path: Path) -> RequestForm:
    """The form in a filled-in template.

    Raises:
        FormUnreadable: no spreadsheet, or not this one.
        RequestIncomplete: values that the form cannot hold, all of them named with their cells.
    """
    form, faults = understood(fill(path.name, path.read_bytes()))
    if faults:
        raise RequestIncomplete(path.name, faults)
    return form


def fill(name: str, data: bytes) -> Filled:
    """What stands in a file; nothing in it is run.

    Raises:
        FormUnreadable: no spreadsheet, too large, not this one, or with lines of its own.
    """
    said, elements = _sheets(name, data)
    names = {label: one for one, label in _LABELS.items()}
    strange = [str(row[0]) for row in said if str(row[0]) not in names and _value(row[1])]
    if strange:
        raise _unreadable(name, f"lines that the form does not have: {', '.join(strange)[:200]}")
    lines = [
        Line(row, *(_value(one[at]) for at in (0, _USE, _HOW)))
        for row, one in enumerate(elements, 1)
    ]
    answers = {names[str(row[0])]: _value(row[1]) for row in said if str(row[0]) in names}
    return Filled(answers, tuple(one for one in lines if one.field or one.use))


def understood(filled: Filled) -> tuple[RequestForm, tuple[Missing, ...]]:
    """The form of whatever can be read, and what cannot, with its cells."""
    content = _content(filled)
    try:
        return parse(content), ()
    except RequestIncomplete as wrong:
        faulty = {one.part.partition(".")[0] for one in wrong.parts}
        rest = {name: value for name, value in content.items() if name not in faulty}
        return parse(rest), located(filled, wrong.parts)


def checked(
    filled: Filled, object_: SharedObject | None
) -> tuple[RequestForm, tuple[Missing, ...]]:
    """A dry run: the form of whatever can be read, and all that is wrong or missing, with cells.

    Args:
        filled: The form.
        object_: What it asks for; None when the catalog has nothing of that name.
    """
    form, faults = understood(filled)
    faulty = {one.part.partition(".")[0] for one in faults}
    lacking = [
        one
        for one in missing(form, object_, consented=True)
        if not faulty & set(one.part.partition(".")[0].split(", "))
    ]
    return form, (*faults, *located(filled, lacking))


def located(filled: Filled, parts: Iterable[Missing]) -> tuple[Missing, ...]:
    """The parts, each told with its cell."""
    return tuple(replace(one, remedy_zh=one.remedy_zh + _told(filled, one)) for one in parts)


def _told(filled: Filled, part: Missing) -> str:
    place = _place(filled, part)
    return f"（“{place[0]}”表 {xl_rowcol_to_cell(*place[1:])}）" if place else ""


def _place(filled: Filled, part: Missing) -> Place | None:
    """Where a part of the form stands; None where a spreadsheet has no place for it."""
    names = part.part.partition(",")[0].split(".")
    if names[0] == "elements" and len(names) > 1:
        column = _HOW if names[-1] == "treatment" else _USE
        return _ELEMENTS, filled.asked[int(names[1])].row, column
    rows = [one.row for one in filled.asked if one.field == part.part]
    if rows and ("ELEMENT" in part.code or part.code == "REQ_NO_USE"):
        return _ELEMENTS, rows[-1], _USE
    name = names[-1] if names[-1] in _LABELS else "period_column"
    is_answer = names[0] == "rows" or names[0] in _LABELS
    return (_FORM, list(_LABELS).index(name), 1) if is_answer else None


def _sheets(name: str, data: bytes) -> tuple[list[list[Any]], list[list[Any]]]:
    if len(data) > MOST_BYTES:
        raise _unreadable(name, f"a file of more than {MOST_BYTES:,} bytes")
    try:
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
            file.write(data)
            file.flush()
            check_declared(name, Path(file.name), _BOUNDS)
            require_extent(name, Path(file.name), _MOST_CELLS)
            book = CalamineWorkbook.from_path(file.name)
            said = book.get_sheet_by_name(_FORM).to_python(skip_empty_area=False)
            elements = book.get_sheet_by_name(_ELEMENTS).to_python(skip_empty_area=False)
    except (CalamineError, SourceError, OSError, zipfile.BadZipFile) as error:
        found = f"a file that is not read as the form ({type(error).__name__})"
        raise _unreadable(name, found) from None
    return [[*row, "", ""] for row in said], [row + [""] * 4 for row in elements[1:]]


def _unreadable(name: str, found: str) -> FormUnreadable:
    return FormUnreadable(
        name,
        found=found,
        expected=f"the template with the sheets {_FORM} and {_ELEMENTS}",
        remedy="download the template again and fill that in",
    )


def _workbook(object_: SharedObject, filled: Filled, parts: Sequence[Missing]) -> bytes:
    told: dict[Place, list[str]] = defaultdict(list)
    for part in parts:
        place = _place(filled, part)
        if place is not None:
            told[place].append(part.remedy_zh)
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        red = book.add_format({"bg_color": "#FFC7CE", "text_wrap": True})
        sheets = {name: book.add_worksheet(name) for name in (_FORM, _ELEMENTS)}
        _write_form(sheets[_FORM], filled)
        _write_elements(sheets[_ELEMENTS], object_, filled)
        for (name, row, column), texts in told.items():
            text = _typed(filled, (name, row, column))
            sheets[name].write_string(row, column, text, red)
            sheets[name].write_comment(row, column, "\n".join(texts))
    return target.getvalue()


def _write_form(sheet: Any, filled: Filled) -> None:
    sheet.set_column(0, 1, 46)
    for row, (name, label) in enumerate(_LABELS.items()):
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, filled.said.get(name, ""))
        if name in _CHOICES:
            labels = [one.label_zh for one in _CHOICES[name]]
            sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": labels})


def _write_elements(sheet: Any, object_: SharedObject, filled: Filled) -> None:
    sheet.set_column(0, 3, 28)
    for column, label in enumerate(_HEADINGS):
        sheet.write_string(0, column, label)
    labels = {"validate": "list", "source": list(_TREATMENTS)}
    for one in filled.lines:
        known = object_.columns.get(one.field)
        cells = (one.field, known.name if known else "", one.use, one.treatment)
        for column, text in enumerate(cells):
            sheet.write_string(one.row, column, text)
        sheet.data_validation(one.row, _HOW, one.row, _HOW, labels)


def _typed(filled: Filled, place: Place) -> str:
    name, row, column = place
    if name == _FORM:
        return filled.said.get(list(_LABELS)[row], "")
    line = next(one for one in filled.lines if one.row == row)
    return line.treatment if column == _HOW else line.use


def _content(filled: Filled) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in filled.said.items():
        if name in _LISTS:
            parts = value.replace("，", ",").replace("、", ",").split(",")
            content[name] = [part.strip() for part in parts if part.strip()]
        elif name in _CHOICES:
            labels = {one.label_zh: one.value for one in _CHOICES[name]}
            content[name] = labels.get(value, value) or None
        elif value or name not in ("valid_from", "valid_until", "destination", *_ROWS):
            content[name] = value
    content["rows"] = {name: content.pop(name) for name in _ROWS if content.get(name)}
    content.pop("regions", None)
    elements = [
        {
            "field": one.field,
            "use": one.use,
            "treatment": _TREATMENTS.get(one.treatment, one.treatment or None),
        }
        for one in filled.asked
    ]
    return content | {"elements": elements}


def _value(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removesuffix(" 00:00:00")
