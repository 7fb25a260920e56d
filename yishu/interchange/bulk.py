"""Many entries from one file: all of it, or nothing with every fault in its cell."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.faults import Fault
from yishu.interchange.cells import Unreadable, value_of
from yishu.interchange.columns import COLUMNS, Column, fault, place_of
from yishu.interchange.errors import CellFault, FileFaulty
from yishu.interchange.reading import Table

FaultsOf = Callable[[Mapping[str, Mapping[str, Any]]], Mapping[str, Sequence[Fault]]]
"""What is wrong with entries: from contents by id to faults by id."""

_STEP = re.compile(r"([a-z0-9_]+)|\[(\d+)\]")
_HEADER_ROWS = 1


@dataclass(frozen=True)
class Draft:
    """One entry of a file: its content, and the row of each item, from 1."""

    entry_id: str
    content: Mapping[str, Any]
    rows: tuple[int, ...]


def drafts(table: Table, faults_of: FaultsOf) -> list[Draft]:
    """The entries of a file.

    Raises:
        FileFaulty: any fault of any cell; nothing of the file may be taken.
    """
    found, faults = parsed(table)
    if not found and not faults:
        faults = [
            fault(
                2,
                0,
                "",
                code="EXC_FILE_EMPTY",
                found="没有条目",
                expected="至少一个条目",
                remedy="按模板填写后导入",
            )
        ]
    known = {(one.row, one.column) for one in faults}
    wrong = faults_of({draft.entry_id: draft.content for draft in found})
    for draft in found:
        placed_ones = (placed(draft, one) for one in wrong[draft.entry_id])
        faults += [one for one in placed_ones if (one.row, one.column) not in known]
    if faults:
        ordered = sorted(set(faults), key=lambda one: (one.row, one.column, one.code))
        raise FileFaulty.of(table.name, ordered)
    return found


def parsed(table: Table) -> tuple[list[Draft], list[CellFault]]:
    """The entries of a file as they stand there, and what is wrong with their cells alone."""
    faults = list(table.faults)
    found: list[Draft] = []
    seen: dict[str, int] = {}
    for rows in _groups(table.rows):
        number, first = rows[0]
        entry_id = first[0].strip()
        if not entry_id:
            faults.append(
                fault(
                    number,
                    1,
                    "",
                    code="EXC_ENTRY_MISSING",
                    found="没有条目标识",
                    expected="第一行有条目标识",
                    remedy="填写条目标识",
                )
            )
            continue
        if entry_id in seen:
            text = f"{entry_id} 已在第 {seen[entry_id]} 行"
            faults.append(
                fault(
                    number,
                    1,
                    entry_id,
                    code="EXC_ENTRY_TWICE",
                    found=text,
                    expected="每个条目一次",
                    remedy="合并为一处",
                )
            )
        seen.setdefault(entry_id, number)
        content, wrong = _content(entry_id, rows)
        faults += wrong
        found.append(Draft(entry_id, content, tuple(number for number, _ in rows)))
    return found, faults


def _groups(rows: Sequence[Sequence[str]]) -> Iterator[list[tuple[int, Sequence[str]]]]:
    group: list[tuple[int, Sequence[str]]] = []
    for number, row in enumerate(rows, 1 + _HEADER_ROWS):
        if not any(row):
            continue
        begins = row[0].strip() and (not group or row[0].strip() != group[0][1][0].strip())
        if group and begins:
            yield group
            group = []
        group.append((number, row))
    if group:
        yield group


def _content(
    entry_id: str, rows: Sequence[tuple[int, Sequence[str]]]
) -> tuple[dict[str, Any], list[CellFault]]:
    content: dict[str, Any] = {}
    faults: list[CellFault] = []
    items: list[dict[str, Any]] = []
    for order, (number, row) in enumerate(rows):
        item: dict[str, Any] = {}
        for at, column in enumerate(COLUMNS):
            if column.managed or not (order == 0 or column.of_item):
                continue
            try:
                value = value_of(column, row[at])
            except Unreadable as error:
                text = f"“{row[at][:40]}”"
                faults.append(
                    fault(
                        number,
                        at + 1,
                        entry_id,
                        code="EXC_CELL_UNREADABLE",
                        found=text,
                        expected=str(error),
                        remedy="改正后重新导入",
                    )
                )
                value = None
            if value is not None:
                _put(item if column.of_item else content, column, value)
        items.append(item)
    content["items"] = [item for item in items if item]
    return content, faults


def _put(target: dict[str, Any], column: Column, value: Any) -> None:
    *outer, last = column.path.split(".")
    for step in outer:
        target = target.setdefault(step, {})
    target[last] = value


def placed(draft: Draft, found: Fault) -> CellFault:
    """A fault of an entry, in the cell where its value stands."""
    path = found.obj.partition(" ")[2]
    steps = [name or int(number) for name, number in _STEP.findall(path)]
    at, item = place_of(steps)
    row = draft.rows[min(item or 0, len(draft.rows) - 1)]
    return fault(
        row,
        at + 1,
        draft.entry_id,
        code=found.code,
        found=found.found,
        expected=found.expected,
        remedy=found.remedy,
    )
