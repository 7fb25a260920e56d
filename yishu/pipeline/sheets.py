"""Tables for people as XLSX and CSV, written row by row, so that a million rows need little memory.

No cell ever becomes a formula: a text that a spreadsheet would take for one is put behind an
apostrophe (CWE-1236). A sheet that is full is followed by another.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

SHEET_ROWS = 1_048_576
"""Rows of a sheet, the headings included; Excel knows no more."""

CELL_CHARACTERS = 32_767
"""Characters of a cell; what is longer ends with a sign that it went on."""

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_TEXT_ALONE = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Row = Sequence[str | int]


def plain(value: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_STARTS_FORMULA):
        return f"'{value}"
    return value


def write_csv(path: Path, headings: Sequence[str], rows: Iterable[Row]) -> int:
    """Write a CSV file that Excel reads as UTF-8; how many rows it has besides the headings."""
    number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(headings)
        for row in rows:
            writer.writerow([plain(value) for value in row])
            number += 1
    return number


def write_xlsx(
    path: Path,
    headings: Sequence[str],
    rows: Iterable[Row],
    *,
    name: str,
    sheet_rows: int = SHEET_ROWS,
) -> int:
    """Write a workbook of one sheet, or of several where there are more rows than one holds.

    Args:
        path: The file.
        headings: Of the columns; they stand on every sheet.
        rows: The rows, in their order.
        name: Name of the sheets; from the second on a number follows.
        sheet_rows: Rows of a sheet, the headings included.

    Returns:
        How many rows there are besides the headings.
    """
    number = 0
    options = {**_TEXT_ALONE, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1})
        sheet = _new_sheet(book, name, headings, bold)
        line = 1
        for row in rows:
            if line == sheet_rows:
                sheet = _new_sheet(book, f"{name}{len(book.worksheets()) + 1}", headings, bold)
                line = 1
            _write(sheet, line, row)
            line += 1
            number += 1
    return number


def _new_sheet(book: Any, name: str, headings: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(headings) - 1, 18)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    return sheet


def _write(sheet: Any, line: int, row: Row) -> None:
    for column, value in enumerate(row):
        cell = plain(value)
        if isinstance(cell, int):
            sheet.write_number(line, column, cell)
        elif cell:
            sheet.write_string(line, column, _fitting(cell))


def _fitting(text: str) -> str:
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"
