"""Workbooks of entries: the template, an export, and an import's errors beside the cells."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

from yishu.interchange.cells import Content, rows_of
from yishu.interchange.columns import COLUMNS, NO, YES
from yishu.interchange.errors import CellFault
from yishu.sentences import chinese

SHEET = "目录"
_CHOICES = "选项"
_ERRORS = "错误"
_TEMPLATE_ROWS = 2_000


def export(entries: Iterable[Content]) -> bytes:
    """A workbook of entries; without any it is the template."""
    return _workbook([row for entry in entries for row in rows_of(entry)])


def with_errors(rows: Sequence[Sequence[str]], faults: Sequence[CellFault]) -> bytes:
    """The rows of a faulty file, each fault marked in its cell and told in the last column."""
    return _workbook(rows, faults)


def _workbook(rows: Sequence[Sequence[str]], faults: Sequence[CellFault] = ()) -> bytes:
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(buffer, options)
    sheet = book.add_worksheet(SHEET)
    _head(book, sheet, told=bool(faults))
    _choices(book, sheet, max(len(rows), _TEMPLATE_ROWS))
    plain = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    for number, row in enumerate(rows, 1):
        for at, text in enumerate(row):
            sheet.write_string(number, at, text, plain)
    _mark(book, sheet, rows, faults)
    book.close()
    return buffer.getvalue()


def _head(book: Any, sheet: Any, *, told: bool) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "border": 1})
    text = book.add_format({"num_format": "@"})
    for at, column in enumerate(COLUMNS):
        sheet.set_column(at, at, column.width, text)
        sheet.write_string(0, at, column.heading, bold)
        sheet.write_comment(0, at, column.note)
    if told:
        sheet.set_column(len(COLUMNS), len(COLUMNS), 80)
        sheet.write_string(0, len(COLUMNS), _ERRORS, bold)
    sheet.freeze_panes(1, 1)


def _choices(book: Any, sheet: Any, rows: int) -> None:
    lists = book.add_worksheet(_CHOICES)
    lists.hide()
    for at, column in enumerate(COLUMNS):
        if column.shape == "list" or (column.choices is None and column.shape != "flag"):
            continue
        labels = [one.label_zh for one in column.choices] if column.choices else [YES, NO]
        for row, label in enumerate(labels):
            lists.write_string(row, at, label)
        letter = xlsxwriter.utility.xl_col_to_name(at)
        source = f"={_CHOICES}!${letter}$1:${letter}${len(labels)}"
        check = {"validate": "list", "source": source, "input_message": column.note[:255]}
        sheet.data_validation(1, at, rows, at, check)


def _mark(
    book: Any, sheet: Any, rows: Sequence[Sequence[str]], faults: Sequence[CellFault]
) -> None:
    red = book.add_format({"bg_color": "#FFC7CE", "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#9C0006"})
    told: dict[int, list[str]] = defaultdict(list)
    notes: dict[tuple[int, int], list[str]] = defaultdict(list)
    for fault in faults:
        told[fault.row].append(f"【{fault.heading or '整行'}】{said(fault)}")
        if fault.column:
            notes[fault.row, fault.column].append(said(fault))
    for (row, column), texts in notes.items():
        text = rows[row - 2][column - 1] if 0 <= row - 2 < len(rows) else ""
        sheet.write_string(row - 1, column - 1, text, red)
        sheet.write_comment(row - 1, column - 1, "\n".join(texts))
    for row, texts in told.items():
        sheet.write_string(row - 1, len(COLUMNS), "\n".join(texts), wrapped)


def said(fault: CellFault) -> str:
    """A fault in one line."""
    found, expected, remedy = map(chinese, (fault.found, fault.expected, fault.remedy))
    return f"{fault.code}：发现 {found}；应为 {expected}。{remedy}"
