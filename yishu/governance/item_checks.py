"""Checks of items and their lists, all with findings of one form: one page and file shows any.

A check never changes anything; its findings disappear when what it names is mended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, func, select

from catalog.vocabulary import Labelled, ListKind
from yishu.governance import item_pages, items, lists
from yishu.governance.items import ItemState
from yishu.governance.lists import Rows, changes
from yishu.ledger.models import JournalRecord


class Check(Labelled):
    """What can be wrong with items, lists and links between them."""

    CONFLICTS = "conflicts", "编码冲突"
    MATERIALS = "materials", "未入目录的材料"
    GAPS = "gaps", "应上未上事项"
    UNCLAIMED = "unclaimed", "未认领事项"
    GUIDE_ORPHANS = "guide_orphans", "未关联权责清单的指南"
    POWER_ORPHANS = "power_orphans", "未关联指南的权责清单事项"
    EMPTY_SLOTS = "empty_slots", "公开内容有空缺的事项"
    INCONSISTENT = "inconsistent", "线上线下不一致"
    PROVINCE = "province", "与省事项库不一致"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong; ``code`` is an implementation code, a basic code or a row's key.

    ``org`` and ``name`` are empty where the list names none.
    """

    code: str
    org: str
    name: str
    found: str


@dataclass(frozen=True)
class _Facts:
    """What the checks look at, read once."""

    connection: Connection
    lists: Callable[[ListKind], Rows]

    @cached_property
    def items(self) -> list[ItemState]:
        """Every item in force, of its content the materials alone."""
        return items.catalog(self.connection, element="materials")

    @cached_property
    def by_code(self) -> dict[str, ItemState]:
        return {one.implementation_code: one for one in self.items}


def mark(connection: Connection) -> int:
    """The last record of the journal about items and lists: while it is the same, so is all found.

    0: there is none yet.
    """
    kinds = (items.KIND, item_pages.KIND, lists.KIND)
    asked = select(func.max(JournalRecord.number)).where(JournalRecord.object_kind.in_(kinds))
    return connection.execute(asked).scalar() or 0


def findings(connection: Connection, check: Check, body: str, on: date) -> list[Finding]:
    """What a check finds on a day, by the lists that a body has published."""
    return list(_CHECKS[check](_facts(connection, body, on)))


def counts(connection: Connection, body: str, on: date) -> dict[Check, int]:
    """How much each check finds."""
    facts = _facts(connection, body, on)
    return {check: sum(1 for _ in found(facts)) for check, found in _CHECKS.items()}


def beside(provincial: Rows, own: Sequence[ItemState]) -> dict[str, dict[str, Any]]:
    """Our items by code, in the columns that the province's rows have."""
    columns = {column for row in provincial.values() for column in row}
    return {one.implementation_code: _comparable(one, columns) for one in own}


def _comparable(item: ItemState, columns: set[str]) -> dict[str, Any]:
    facts = {**item.content, **asdict(item)}
    return {column: facts.get(column) for column in columns}


def _facts(connection: Connection, body: str, on: date) -> _Facts:
    known: dict[ListKind, Rows] = {}

    def rows(kind: ListKind) -> Rows:
        if kind not in known:
            known[kind] = lists.rows_on(connection, kind, body, on)
        return known[kind]

    return _Facts(connection, rows)


def _conflicts(facts: _Facts) -> Iterator[Finding]:
    for one in items.conflicts(facts.items):
        said = f"基本编码 {one.basic_code} 下的 {len(one.values)} 个事项名称不一致"
        for code, name in one.values.items():
            yield Finding(code, facts.by_code[code].org, name, said)


def _materials(facts: _Facts) -> Iterator[Finding]:
    known = facts.lists(ListKind.MATERIAL)
    for code, names in items.unresolved_materials(facts.items, known).items():
        yield _of_item(facts.by_code[code], f"材料目录中没有：{'、'.join(names)}")


def _gaps(facts: _Facts) -> Iterator[Finding]:
    power = facts.lists(ListKind.POWER)
    for org, codes in sorted(items.gap_list(power, facts.items).items()):
        for code in codes:
            yield _of_row(code, power[code], "权责清单中有，尚未上网", org)


def _unclaimed(facts: _Facts) -> Iterator[Finding]:
    power = facts.lists(ListKind.POWER)
    for code in items.unclaimed(facts.connection, power):
        yield _of_row(code, power[code], "没有部门认领")


def _guide_orphans(facts: _Facts) -> Iterator[Finding]:
    for code in _orphans(facts).guides:
        yield _of_item(facts.by_code[code], "没有关联权责清单")


def _power_orphans(facts: _Facts) -> Iterator[Finding]:
    power = facts.lists(ListKind.POWER)
    for key in _orphans(facts).power_rows:
        yield _of_row(key, power[key], "没有关联办事指南")


def _orphans(facts: _Facts) -> item_pages.Orphans:
    power = facts.lists(ListKind.POWER)
    return item_pages.orphans(facts.connection, facts.by_code, power)


def _empty_slots(facts: _Facts) -> Iterator[Finding]:
    known = facts.by_code
    for code, slots in item_pages.empty_slots(facts.connection, known).items():
        yield _of_item(known[code], f"空缺：{'、'.join(slot.label_zh for slot in slots)}")


def _inconsistent(facts: _Facts) -> Iterator[Finding]:
    known = facts.by_code
    for code, slot in item_pages.inconsistent(facts.connection):
        if code in known:
            yield _of_item(known[code], f"线下与网上不同：{slot.label_zh}")


def _province(facts: _Facts) -> Iterator[Finding]:
    theirs = facts.lists(ListKind.PROVINCIAL_ITEM)
    if not theirs:
        return
    for one in changes(theirs, beside(theirs, items.catalog(facts.connection))):
        row = one.after or one.before or {}
        yield _of_row(one.row_key, row, _difference(one.before, one.after))


def _difference(theirs: Mapping[str, Any] | None, ours: Mapping[str, Any] | None) -> str:
    if theirs is None or ours is None:
        return "省事项库中没有" if theirs is None else "本市没有"
    told = (
        f"{column}：省 {theirs.get(column)}，市 {ours.get(column)}"
        for column in sorted({*theirs, *ours})
        if theirs.get(column) != ours.get(column)
    )
    return "；".join(told)


def _of_item(item: ItemState, found: str) -> Finding:
    return Finding(item.implementation_code, item.org, item.name, found)


def _of_row(key: str, row: Mapping[str, Any], found: str, org: str | None = None) -> Finding:
    return Finding(key, str(org or row.get("org") or ""), str(row.get("name") or ""), found)


_CHECKS: Mapping[Check, Callable[[_Facts], Iterator[Finding]]] = {
    Check.CONFLICTS: _conflicts,
    Check.MATERIALS: _materials,
    Check.GAPS: _gaps,
    Check.UNCLAIMED: _unclaimed,
    Check.GUIDE_ORPHANS: _guide_orphans,
    Check.POWER_ORPHANS: _power_orphans,
    Check.EMPTY_SLOTS: _empty_slots,
    Check.INCONSISTENT: _inconsistent,
    Check.PROVINCE: _province,
}
