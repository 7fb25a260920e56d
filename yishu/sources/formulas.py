"""Formulas in a sheet whose results the file does not hold.

A program that writes formulas without computing them leaves their results out. A reader of values
then sees empty cells, and a column would become null without a word.
"""

import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from yishu.sources.errors import SourceUnreadable

CHUNK = 1 << 20

_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_LONGEST = 32
"""No opening tag of a formula is cut in two by this much of the chunk before."""


def require_results(obj: str, path: Path, sheet: str) -> None:
    """Let pass only a sheet that holds the result of each of its formulas.

    Raises:
        SourceUnreadable: a formula has none; its cell is named.
    """
    if not _has_formulas(path):
        return
    formulas = openpyxl.load_workbook(path, read_only=True)
    results = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for written, computed in zip(_rows(formulas, sheet), _rows(results, sheet), strict=True):
            for cell, result in zip(written, computed, strict=False):
                if cell.data_type == "f" and result.value is None and result.data_type == "n":
                    place = f"{get_column_letter(cell.column)}{cell.row}"
                    raise _without_result(obj, place)
    finally:
        formulas.close()
        results.close()


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_mentions(archive, name) for name in sheets)


def _mentions(archive: zipfile.ZipFile, name: str) -> bool:
    tail = b""
    with archive.open(name) as file:
        while chunk := file.read(CHUNK):
            if _FORMULA.search(tail + chunk):
                return True
            tail = chunk[-_LONGEST:]
    return False


def _rows(workbook: Any, name: str) -> Any:
    sheet = workbook[name]
    sheet.reset_dimensions()
    return sheet.iter_rows()


def _without_result(obj: str, place: str) -> SourceUnreadable:
    return SourceUnreadable(
        obj,
        found=f"a formula in cell {place} whose result is not in the file",
        expected="values, or formulas with their results",
        remedy="ask the department to open and save the workbook in a spreadsheet program, or to "
        "deliver values",
    )
