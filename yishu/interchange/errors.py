"""Errors of what is brought in.

InterchangeError (YishuError)
├── FileRefused       a file that is not read at all: macros, a bomb, no table, too long
└── FileFaulty        a file with faults, each with its cell; nothing of it is taken
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from catalog.errors import YishuError


class InterchangeError(YishuError):
    """What was brought in cannot be taken."""

    code = "EXC_ERROR"


class FileRefused(InterchangeError):
    """A file that is not read at all."""

    code = "EXC_FILE_REFUSED"


@dataclass(frozen=True)
class CellFault:
    """One fault of a file: ``row`` and ``column`` from 1 as a spreadsheet counts; 0: the whole row.

    ``heading`` is the column's heading; ``entry_id`` is empty while no entry is known there.
    """

    row: int
    column: int
    heading: str
    entry_id: str
    code: str
    found: str
    expected: str
    remedy: str


class FileFaulty(InterchangeError):
    """A file with faults: all of them, and nothing of the file is taken."""

    code = "EXC_FILE_FAULTY"
    faults: tuple[CellFault, ...]

    @classmethod
    def of(cls, name: str, faults: Sequence[CellFault]) -> Self:
        """The error that carries these faults."""
        first = faults[0]
        error = cls(
            name,
            found=f"{len(faults)} fault(s), the first in row {first.row} "
            f"{first.heading}: {first.found}",
            expected="no fault: a file is taken as a whole or not at all",
            remedy="mend each fault in the workbook of errors, then import it again",
        )
        error.faults = tuple(faults)
        return error
