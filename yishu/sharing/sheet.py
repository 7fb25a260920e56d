"""The request form as a spreadsheet: a template with what may be asked for, and its import.

Sheet ``申请`` holds a line a field of the form, sheet ``数据项`` a line an element. Whoever fills
it in changes the second column; everything that is wrong is said at once, with its cell.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook

from catalog.vocabulary import ShareMode, UpdateCycle
from yishu.sharing.errors import FormUnreadable
from yishu.sharing.filing import parse
from yishu.sharing.form import RequestForm
from yishu.sharing.objects import SharedObject
from yishu.sharing.vocabulary import Purpose, ShareFormat, Treatment

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
_TREATMENTS = {one.label_zh: one.value for one in Treatment}


def template(object_: SharedObject) -> bytes:
    """An empty form for an object, with its elements and the choices there are."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet(_FORM)
        sheet.set_column(0, 1, 46)
        for row, (name, label) in enumerate(_LABELS.items()):
            sheet.write_string(row, 0, label)
            sheet.write_string(row, 1, object_.id if name == "object_id" else "")
            if name in _CHOICES:
                labels = [one.label_zh for one in _CHOICES[name]]
                sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": labels})
        _write_elements(book.add_worksheet(_ELEMENTS), object_)
    return target.getvalue()


def read(path: Path) -> RequestForm:
    """The form in a filled-in template.

    Raises:
        FormUnreadable: no spreadsheet, or not this one.
        RequestIncomplete: values that the form cannot hold, all of them named.
    """
    try:
        book = CalamineWorkbook.from_path(str(path))
        said = [[*row, "", ""] for row in book.get_sheet_by_name(_FORM).to_python()]
        elements = [row + [""] * 4 for row in book.get_sheet_by_name(_ELEMENTS).to_python()[1:]]
    except (CalamineError, OSError, IndexError) as error:
        raise FormUnreadable(
            path.name,
            found=f"a file that is not read as the form ({type(error).__name__})",
            expected=f"the template with the sheets {_FORM} and {_ELEMENTS}",
            remedy="download the template again and fill that in",
        ) from None
    names = {label: name for name, label in _LABELS.items()}
    values = {names[str(row[0])]: _value(row[1]) for row in said if str(row[0]) in names}
    return parse(_content(values, list(_asked(elements))), path.name)


def _write_elements(sheet: Any, object_: SharedObject) -> None:
    sheet.set_column(0, 3, 28)
    for column, label in enumerate(("数据项", "名称", "具体用途（不需要的留空）", "交付方式")):
        sheet.write_string(0, column, label)
    labels = {"validate": "list", "source": list(_TREATMENTS)}
    for row, one in enumerate(object_.columns.values(), 1):
        sheet.write_string(row, 0, one.field)
        sheet.write_string(row, 1, one.name)
        sheet.data_validation(row, 3, row, 3, labels)


def _asked(rows: list[list[Any]]) -> Iterator[dict[str, Any]]:
    for field, _, use, treatment, *_ in rows:
        if str(use).strip() or str(treatment).strip():
            how = _TREATMENTS.get(str(treatment).strip(), str(treatment).strip() or None)
            yield {"field": str(field).strip(), "use": str(use).strip(), "treatment": how}


def _content(values: dict[str, str], elements: list[dict[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in values.items():
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
    return content | {"elements": elements}


def _value(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().removesuffix(" 00:00:00")
