"""How far a worksheet reaches, before a reader makes room for every cell in between.

A file of some kilobytes may name a cell in the last row and column; the reader would ask for
hundreds of gigabytes at once, and its process would end.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from yishu.sources.errors import SourceUnreadable

_PLACE = re.compile(rb"<(?:\w+:)?(?:c|row)\b[^>]*?\br=[\"']([A-Z]*)(\d+)[\"']")
_BLOCK_BYTES = 1 << 20
_CELL = re.compile(rb"<(?:\w+:)?c[ />]")


def require_extent(obj: str, path: Path, most_cells: int) -> None:
    """Let pass only a workbook whose sheets reach over at most so many cells each, empty or not.

    Args:
        obj: What the file is called in errors.
        path: The workbook; the size of what is packed in it was looked at before.
        most_cells: Rows times columns.

    Raises:
        SourceUnreadable: a sheet reaches further.
        zipfile.BadZipFile: it is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                with archive.open(name) as sheet:
                    cells = _reach(sheet)
                if cells > most_cells:
                    raise SourceUnreadable(
                        obj,
                        found=f"a sheet that reaches over {cells:,} cells",
                        expected=f"at most {most_cells:,}",
                        remedy="delete what stands far away from the rows, and save it again",
                    )


def _reach(sheet: IO[bytes]) -> int:
    """Rows times columns of a sheet; cells that do not say their place count as columns."""
    rows = columns = nameless = 0
    for part in _parts(sheet):
        places = _PLACE.findall(part)
        rows = max([rows, *(int(digits) for _, digits in places)])
        letters = [letters for letters, _ in places if letters]
        columns = max([columns, *(_number(one) for one in set(letters))])
        nameless += max(len(_CELL.findall(part)) - len(letters), 0)
    return rows * (columns + nameless)


def _parts(sheet: IO[bytes]) -> Iterator[bytes]:
    """The text in pieces that cut no element in two."""
    rest = b""
    while block := sheet.read(_BLOCK_BYTES):
        whole, bracket, rest = (rest + block).rpartition(b"<")
        yield whole
        rest = bracket + rest
    yield rest


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
