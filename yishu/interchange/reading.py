"""Files of entries as rows of text: workbooks, CSV and YAML; what is no plain table is refused.

A workbook is a zip file from outside: what it declares is checked before it is unpacked. Macros,
links to other workbooks and more rows than a city has are refused; merged cells and formulas are
faults of their cells, since they hide whose value it is.
"""

import csv
import datetime as dt
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import python_calamine
import yaml

from yishu.interchange.cells import rows_of, without_apostrophe
from yishu.interchange.columns import COLUMNS, HEADINGS, fault
from yishu.interchange.errors import CellFault, FileRefused
from yishu.interchange.workbook import SHEET
from yishu.sources.archive import Bounds, check_declared
from yishu.sources.errors import SourceError
from yishu.sources.extent import require_extent

MOST_ROWS = 250_000
"""Rows of a file: 10,000 entries with 25 items each."""

ENDINGS = (".xlsx", ".csv", ".yaml", ".yml")
_BOUNDS = Bounds(entries=200, total=1 << 30)
_MOST_CELLS = MOST_ROWS * 2 * len(COLUMNS)
_FORMULA = re.compile(rb'<c r="([A-Z]+)(\d+)"[^>]*><f[ >/]')
_UNSAFE = ("vbaProject", "macrosheets", "externalLink", "embeddings", "activeX")
_EXACT = 1e15
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True)
class Table:
    """The rows of a file in the order of ``COLUMNS``, and what is wrong with its form."""

    name: str
    rows: list[list[str]]
    faults: list[CellFault]


def read(name: str, data: bytes) -> Table:
    """The rows of a file.

    Raises:
        FileRefused: it is not read at all.
    """
    ending = Path(name).suffix.lower()
    if ending == ".xlsx":
        return _workbook(name, data)
    if ending == ".csv":
        return _csv(name, data)
    if ending in (".yaml", ".yml"):
        return _yaml(name, data)
    raise refused(name, f"a file that ends in `{ending}`", f"one of {', '.join(ENDINGS)}")


def refused(name: str, found: str, expected: str, remedy: str = "") -> FileRefused:
    """The refusal of a file as a whole."""
    remedy = remedy or "download the template, fill it in, and import that"
    return FileRefused(name, found=found, expected=expected, remedy=remedy)


def _workbook(name: str, data: bytes) -> Table:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(data)
        file.flush()
        try:
            check_declared(name, Path(file.name), _BOUNDS)
            require_extent(name, Path(file.name), _MOST_CELLS)
            formulas = _formulas(name, Path(file.name))
            book = python_calamine.CalamineWorkbook.from_path(file.name)
            title = SHEET if SHEET in book.sheet_names else book.sheet_names[0]
            sheet = book.get_sheet_by_name(title)
            merged = sheet.merged_cell_ranges or []
            _require_few(name, sheet.total_height)
            raw: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        except SourceError as error:
            raise refused(name, error.found, error.expected) from None
        except (zipfile.BadZipFile, python_calamine.CalamineError, KeyError, ValueError) as error:
            found = f"{type(error).__name__} on opening it"
            raise refused(name, found, "an undamaged workbook (.xlsx)") from None
    table = _arranged(name, [[_text(cell) for cell in row] for row in raw])
    given = [_text(cell) for cell in raw[0]]
    hidden = [_hidden(row, at, kind, given) for row, at, kind in (*_merged(merged), *formulas)]
    return Table(table.name, table.rows, [*hidden, *table.faults])


def _hidden(row: int, at: int, kind: str, given: Sequence[str]) -> CellFault:
    column = HEADINGS.get(given[at] if at < len(given) else "")
    return fault(
        row, COLUMNS.index(column) + 1 if column else 0, "", code="EXC_CELL_HIDDEN",
        found=kind, expected="每个单元格一个值", remedy="取消合并、改为数值后重新导入",
    )  # fmt: skip


def _merged(ranges: Sequence[Any]) -> Iterator[tuple[int, int, str]]:
    for (top, left), _ in ranges:
        yield top + 1, left, "合并单元格"


def _formulas(name: str, path: Path) -> list[tuple[int, int, str]]:
    found = []
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
        unsafe = [one for one in members if any(word in one for word in _UNSAFE)]
        if unsafe:
            raise refused(
                name, f"`{Path(unsafe[0]).name}`: macros, links or objects", "a workbook of values",
                "save it as a workbook without macros (.xlsx), with values only",
            )  # fmt: skip
        for member in members:
            if member.startswith("xl/worksheets/sheet"):
                hits = _FORMULA.finditer(archive.read(member))
                found += [(int(hit[2]), _number(hit[1].decode()), "公式") for hit in hits]
    return found


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(cell).strip()


def _csv(name: str, data: bytes) -> Table:
    text = decoded(name, data)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise refused(name, f"no CSV: {error}", "CSV with commas and double quotes") from None
    _require_few(name, len(rows))
    return _arranged(name, [[without_apostrophe(cell) for cell in row] for row in rows])


def decoded(name: str, data: bytes) -> str:
    """The text of a file in UTF-8 or GB18030.

    Raises:
        FileRefused: it is in neither.
    """
    for encoding in _ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refused(name, "text in neither encoding", "UTF-8 or GB18030")


def _yaml(name: str, data: bytes) -> Table:
    try:
        documents = list(yaml.safe_load_all(decoded(name, data)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = f"no YAML, at line {mark.line + 1}" if mark else "no YAML"
        raise refused(name, found, "one entry a document, separated by ---") from None
    entries = [
        one for found in documents for one in (found if isinstance(found, list) else [found])
    ]
    if not entries or not all(isinstance(one, dict) for one in entries):
        raise refused(name, "no entries", "one entry a document, as in catalog/entries")
    try:
        rows = [row for entry in entries for row in rows_of(entry)]
    except (ValueError, AttributeError, TypeError) as error:
        raise refused(name, str(error), "entries as in catalog/entries") from None
    _require_few(name, len(rows))
    return Table(name, rows, [])


def _require_few(name: str, rows: int) -> None:
    if rows > MOST_ROWS:
        raise refused(
            name, f"{rows:,} rows", f"at most {MOST_ROWS:,}", "divide the file and import the parts"
        )


def _arranged(name: str, rows: Sequence[Sequence[str]]) -> Table:
    """The rows below the headings, in the order of ``COLUMNS`` whatever order they came in."""
    if not rows:
        raise refused(name, "an empty file", "a first row of headings")
    given = [heading.strip() for heading in rows[0]]
    twice = {one for one in given if one and given.count(one) > 1}
    missing = [column.heading for column in COLUMNS[:1] if column.heading not in given]
    if missing or twice:
        found = f"no column {missing[0]}" if missing else f"column {min(twice)} twice"
        raise refused(name, found, "the headings of the template, each once")
    faults = [
        CellFault(
            1, 0, heading, "", "EXC_COLUMN_UNKNOWN", f"列“{heading}”", "模板中的列", "删除该列"
        )
        for heading in given
        if heading and heading not in HEADINGS and heading != "错误"
    ]
    places = [
        given.index(column.heading) if column.heading in given else None for column in COLUMNS
    ]
    body = [
        [row[at] if at is not None and at < len(row) else "" for at in places] for row in rows[1:]
    ]
    while body and not any(body[-1]):
        body.pop()
    return Table(name, body, faults)
