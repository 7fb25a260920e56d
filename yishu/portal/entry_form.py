"""The form of one entry: the columns of `yishu.interchange.columns` as fields, one row an item.

A field is named ``r<row>c<column>``, so the form is a table with one entry, read and checked like a
file, and its faults find their field as they find a cell.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.faults import Fault
from yishu.interchange.bulk import Draft, parsed, placed
from yishu.interchange.cells import rows_of
from yishu.interchange.columns import COLUMNS, Column
from yishu.interchange.errors import CellFault
from yishu.interchange.reading import Table

_NAME = re.compile(r"r(\d{1,4})c(\d{1,3})")
_HEADER = 2
"""Row of a table's first line: rows count from 1, and headings come first."""
_BLANK = 2


@dataclass(frozen=True)
class Form:
    """What stands in the form: rows of texts, and faults by field's name."""

    entry_id: str
    rows: list[list[str]]
    faults: Mapping[str, Sequence[CellFault | Fault]] = field(default_factory=dict)

    @property
    def entry_columns(self) -> list[tuple[int, Column]]:
        """Number and column of each field of the entry that people fill in."""
        return [
            (at, one) for at, one in enumerate(COLUMNS) if not (one.of_item or one.managed) and at
        ]

    @property
    def item_columns(self) -> list[tuple[int, Column]]:
        """Number and column of each field of an item."""
        return [(at, one) for at, one in enumerate(COLUMNS) if one.of_item]


def filled(entry_id: str, content: Mapping[str, Any]) -> Form:
    """The form with an entry's content, and blank rows for more items."""
    rows = list(rows_of({**content, "id": entry_id}))
    return Form(entry_id, rows + _blank(entry_id))


def _blank(entry_id: str) -> list[list[str]]:
    return [[entry_id, *[""] * (len(COLUMNS) - 1)] for _ in range(_BLANK)]


def sent(entry_id: str, given: Mapping[str, Any]) -> Form:
    """The form as a browser sent it."""
    texts: dict[int, dict[int, str]] = defaultdict(dict)
    for name, text in given.items():
        hit = _NAME.fullmatch(name)
        if hit and int(hit[2]) < len(COLUMNS):
            texts[int(hit[1])][int(hit[2])] = str(text).replace("\r\n", "\n")
    kept = [
        [entry_id, *(line.get(at, "") for at in range(1, len(COLUMNS)))]
        for number, line in sorted(texts.items())
        if number == 0 or any(line.values())
    ]
    return Form(entry_id, (kept or _blank(entry_id)[:1]) + _blank(entry_id))


def draft_of(form: Form) -> tuple[Draft, dict[str, list[CellFault]]]:
    """The entry that a form says, and what cannot be read of it, by field's name."""
    body = [row for at, row in enumerate(form.rows) if at == 0 or any(row[1:])]
    found, faults = parsed(Table(form.entry_id, body, []))
    told: dict[str, list[CellFault]] = defaultdict(list)
    for one in faults:
        told[_name(one.row, one.column)].append(one)
    return found[0], told


def with_faults(form: Form, draft: Draft, faults: list[Fault]) -> Form:
    """The form with each fault at its field."""
    told: dict[str, list[CellFault | Fault]] = defaultdict(list)
    for one in faults:
        cell = placed(draft, one)
        told[_name(cell.row, cell.column)].append(one)
    return Form(form.entry_id, form.rows, told)


def _name(row: int, column: int) -> str:
    return f"r{row - _HEADER}c{column - 1}"
