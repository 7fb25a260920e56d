"""Service items (事项): versions with their legal basis, claims, coding conflicts, gap lists.

An item is subject data, not a catalog entry: what is here are processes about items. A change is in
force at once, and what was before stays readable (S004 Art.6, Art.8).
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from catalog.identifiers.item_code import check_basic_code, check_implementation_code
from catalog.roles import Action
from yishu.governance.errors import CodeRefused, NotFound, ReasonMissing, StateRefused
from yishu.governance.lists import Rows
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append, append_all
from yishu.ledger.models import ItemClaim
from yishu.ledger.models import ItemVersion as Row

KIND = "service_item"

RECORD = ("implementation_code", "org", "name")
"""What every record of a file of items has."""

BATCH = 1_000
"""Items that are published together."""

_CREDIT_CODE, _LEVEL, _BASIC = slice(0, 18), slice(18, 19), slice(19, 31)


@dataclass(frozen=True)
class Item:
    """A service item of one body.

    Attributes:
        implementation_code: 31 characters: credit code of the body, level, basic code.
        content: What the implementation list says of it.
        is_online: Whether it can be handled online.
    """

    implementation_code: str
    org: str
    name: str
    content: Mapping[str, Any]
    is_online: bool = True

    @property
    def basic_code(self) -> str:
        """The code that is the same for the same item of every body."""
        return self.implementation_code[_BASIC]


def from_record(record: Mapping[str, Any]) -> Item:
    """An item as a file has it: ``is_online: 否`` if not; what is not its own is its content."""
    own = {*RECORD, "is_online"}
    content = {key: value for key, value in record.items() if key not in own}
    is_online = str(record.get("is_online", "是")) not in ("否", "False", "false", "0")
    code, org, name = (str(record[key]) for key in RECORD)
    return Item(code, org, name, content, is_online)


@dataclass(frozen=True)
class ItemState:
    """A version of an item; ``ended_at`` None: it is in force."""

    implementation_code: str
    version: int
    basic_code: str
    org: str
    name: str
    content: dict[str, Any]
    is_online: bool
    is_cancelled: bool
    legal_basis: str
    published_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Conflict:
    """One basic code under which bodies say different things; values by implementation code."""

    basic_code: str
    element: str
    values: Mapping[str, str]


def change(
    connection: Connection, item: Item, legal_basis: str, actor: Actor, at: datetime
) -> ItemState:
    """Publish an item, or a change of it; the same content again changes nothing.

    Raises:
        Forbidden: the role may not maintain items.
        ReasonMissing: no legal basis (S004 Art.8).
        CodeRefused: the code is malformed; the error names the segment.
    """
    (made,) = change_all(connection, [item], legal_basis, actor, at)
    return made


def change_all(
    connection: Connection, wanted: Iterable[Item], legal_basis: str, actor: Actor, at: datetime
) -> list[ItemState]:
    """Publish many items or changes of them, each as `change` does it; as they are now, in order.

    Raises:
        YishuError: what `change` raises, of the first that is refused; nothing may be committed.
    """
    made = []
    for batch in _batches(wanted):
        for code in batch:
            require(actor, Action.MAINTAIN_ITEMS, code)
            _require_basis(code, legal_basis)
            check_code(code)
        before = _current_all(connection, batch)
        new = [item for item in batch.values() if _differs(before.get(_code(item)), item)]
        _publish(connection, new, before, legal_basis, (actor, at), is_cancelled=False)
        now = _current_all(connection, batch)
        made += [now[code] for code in batch]
    return made


def cancel(
    connection: Connection, code: str, legal_basis: str, actor: Actor, at: datetime
) -> ItemState:
    """Cancel an item: its last version says so.

    Raises:
        NotFound: no such item.
        ReasonMissing: no legal basis.
    """
    require(actor, Action.MAINTAIN_ITEMS, code)
    _require_basis(code, legal_basis)
    before = current(connection, code)
    if before is None:
        raise _unknown(code)
    _publish(
        connection, [_item(before)], {code: before}, legal_basis, (actor, at), is_cancelled=True
    )
    return _current_all(connection, [code])[code]


def current(connection: Connection, code: str) -> ItemState | None:
    """The version of an item in force, cancelled or not; None: no such item."""
    return _current_all(connection, [code]).get(code)


def catalog(
    connection: Connection, org: str | None = None, *, element: str | None = None
) -> list[ItemState]:
    """Every item in force that is not cancelled, of one body or all.

    ``element``: of their content this alone, since a whole city's contents take long to read.
    """
    asked = select(Row.__table__).where(Row.ended_at.is_(None), ~Row.is_cancelled)
    if element is not None:
        own = [column for column in Row.__table__.c if column.name != "content"]
        told = func.jsonb_strip_nulls(func.jsonb_build_object(element, Row.content[element]))
        asked = asked.with_only_columns(*own, told.label("content"))
    if org is not None:
        asked = asked.where(Row.org == org)
    rows = connection.execute(asked.order_by(Row.implementation_code)).mappings()
    return [_state(row) for row in rows]


def search(
    connection: Connection, words: str, org: str | None = None, *, offset: int = 0, limit: int
) -> tuple[list[ItemState], int]:
    """Items in force whose name or code has all words, in order of codes; and how many there are.

    ``offset`` and ``limit`` choose among them.
    """
    where = [Row.ended_at.is_(None), ~Row.is_cancelled]
    text = Row.name + " " + Row.implementation_code
    where += [text.contains(word, autoescape=True) for word in words.split()]
    if org is not None:
        where.append(Row.org == org)
    total = connection.execute(select(func.count()).select_from(Row).where(*where)).scalar_one()
    asked = select(Row).where(*where).order_by(Row.implementation_code)
    rows = connection.execute(asked.offset(offset).limit(limit)).mappings()
    return [_state(row) for row in rows], total


def names(connection: Connection, basic_codes: Sequence[str]) -> dict[str, str]:
    """What items in force are called, by basic code; those that are not in force are left out."""
    if not basic_codes:
        return {}
    asked = select(Row.basic_code, Row.name).where(
        Row.ended_at.is_(None), ~Row.is_cancelled, Row.basic_code.in_(basic_codes)
    )
    return {row.basic_code: row.name for row in connection.execute(asked)}


def history(connection: Connection, code: str) -> list[ItemState]:
    """Every version of an item, newest first."""
    asked = select(Row).where(Row.implementation_code == code).order_by(Row.version.desc())
    return [_state(row) for row in connection.execute(asked).mappings()]


def claim(connection: Connection, basic_code: str, actor: Actor, at: datetime) -> None:
    """A body claims an item as its own, through a person (认领, S004 Art.6).

    Raises:
        Forbidden: the role may not claim.
        StateRefused: the body has claimed it already.
    """
    require(actor, Action.CLAIM_ITEM, basic_code, actor.org)
    held = select(ItemClaim).where(ItemClaim.basic_code == basic_code, ItemClaim.org == actor.org)
    first = connection.execute(held).one_or_none()
    if first is not None:
        raise StateRefused(
            basic_code,
            found=f"a claim by {first.account} of {first.claimed_at:%F}",
            expected="an item that the body has not claimed",
            remedy="nothing is left to do",
        )
    values = {"basic_code": basic_code, "org": actor.org, "person": actor.person}
    connection.execute(insert(ItemClaim).values(**values, account=actor.account, claimed_at=at))
    append(connection, Act(actor, Action.CLAIM_ITEM, KIND, basic_code, at, None, None, values))


def claims(connection: Connection, basic_code: str) -> dict[str, datetime]:
    """Bodies that have claimed an item, and when."""
    asked = select(ItemClaim.org, ItemClaim.claimed_at).where(ItemClaim.basic_code == basic_code)
    return {row.org: row.claimed_at for row in connection.execute(asked.order_by(ItemClaim.org))}


def unclaimed(connection: Connection, base: Rows) -> list[str]:
    """Basic codes of a level's base catalog that no body has claimed."""
    claimed = set(connection.execute(select(ItemClaim.basic_code)).scalars())
    return sorted(set(base) - claimed)


def check_code(code: str) -> None:
    """Let a well-formed implementation code pass.

    Raises:
        CodeRefused: names the segment that is wrong.
    """
    if check_implementation_code(code):
        return
    raise CodeRefused(
        code,
        found=_wrong_segment(code),
        expected="18 characters credit code, 1 level of exercise (1 to 7), 12 basic code",
        remedy="copy the code from the base catalog",
    )


def conflicts(items: Iterable[ItemState], elements: Collection[str] = ()) -> list[Conflict]:
    """Items of one basic code whose names, or listed elements of content, differ (S003 二(一))."""
    by_code: dict[str, list[ItemState]] = defaultdict(list)
    for item in items:
        by_code[item.basic_code].append(item)
    found = []
    for code, same in sorted(by_code.items()):
        for element in ("name", *elements):
            values = {
                one.implementation_code: str(
                    one.name if element == "name" else one.content.get(element, "")
                )
                for one in same
            }
            if len(set(values.values())) > 1:
                found.append(Conflict(code, element, values))
    return found


def unresolved_materials(items: Iterable[ItemState], materials: Rows) -> dict[str, list[str]]:
    """Materials of each item's guide that the material catalog does not have (S003 二(二))."""
    found = {}
    for item in items:
        named = [
            str(one.get("code") or one.get("name")) for one in item.content.get("materials", ())
        ]
        if missing := [one for one in named if one not in materials]:
            found[item.implementation_code] = missing
    return found


def gap_list(power_list: Rows, items: Iterable[ItemState]) -> dict[str, list[str]]:
    """By department, basic codes of its power list without an item online (应上尽上, S000).

    A row of the power list names its ``org``; its key is the basic code.
    """
    online = {(item.org, item.basic_code) for item in items if item.is_online}
    found: dict[str, list[str]] = defaultdict(list)
    for code, row in sorted(power_list.items()):
        org = str(row["org"])
        if (org, code) not in online:
            found[org].append(code)
    return dict(found)


def _batches(wanted: Iterable[Item]) -> Iterator[dict[str, Item]]:
    """Items by code; one whose code stands in a batch already begins the next one."""
    batch: dict[str, Item] = {}
    for item in wanted:
        if len(batch) == BATCH or _code(item) in batch:
            yield batch
            batch = {}
        batch[_code(item)] = item
    if batch:
        yield batch


def _code(item: Item) -> str:
    return item.implementation_code


def _differs(before: ItemState | None, item: Item) -> bool:
    return before is None or before.is_cancelled or _digest(_item(before)) != _digest(item)


def _current_all(connection: Connection, codes: Collection[str]) -> dict[str, ItemState]:
    asked = select(Row.__table__).where(Row.implementation_code.in_(codes), Row.ended_at.is_(None))
    rows = connection.execute(asked).mappings()
    return {row["implementation_code"]: _state(row) for row in rows}


def _publish(
    connection: Connection,
    wanted: Sequence[Item],
    before: Mapping[str, ItemState],
    legal_basis: str,
    by: tuple[Actor, datetime],
    *,
    is_cancelled: bool,
) -> None:
    """Put the next version of each item in force, and its record in the journal."""
    if not wanted:
        return
    actor, at = by
    same = Row.implementation_code.in_([_code(item) for item in wanted])
    newest = select(Row.implementation_code, func.max(Row.version).label("number")).where(same)
    found = connection.execute(newest.group_by(Row.implementation_code))
    last = {row.implementation_code: row.number for row in found}
    connection.execute(update(Row).where(same, Row.ended_at.is_(None)).values(ended_at=at))
    rows, acts = [], []
    for item in wanted:
        code, was = _code(item), before.get(_code(item))
        number = last.get(code, 0) + 1
        rows.append(
            {
                **vars(item),
                "content": dict(item.content),
                "version": number,
                "basic_code": item.basic_code,
                "digest": _digest(item),
                "is_online": item.is_online and not is_cancelled,
                "is_cancelled": is_cancelled,
                "legal_basis": legal_basis,
                "changed_account": actor.account,
                "published_at": at,
            }
        )
        told = {"version": was.version, "name": was.name} if was else None
        now = {"version": number, "name": item.name, "is_cancelled": is_cancelled}
        acts.append(Act(actor, Action.MAINTAIN_ITEMS, KIND, code, at, legal_basis, told, now))
    connection.execute(insert(Row), rows)
    append_all(connection, acts)


def _wrong_segment(code: str) -> str:
    national = 31
    if len(code) != national:
        return f"{len(code)} characters"
    if not check_basic_code(code[_BASIC]):
        return f"the basic code `{code[_BASIC]}` (characters 20 to 31)"
    if code[_LEVEL] not in "1234567":
        return f"the level of exercise `{code[_LEVEL]}` (character 19)"
    return f"the credit code `{code[_CREDIT_CODE]}` (characters 1 to 18)"


def _digest(item: Item) -> str:
    plain = [item.org, item.name, dict(item.content), item.is_online]
    return hashlib.sha256(
        json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


def _item(state: ItemState) -> Item:
    return Item(state.implementation_code, state.org, state.name, state.content, state.is_online)


def _state(row: Mapping[Any, Any]) -> ItemState:
    return ItemState(**{name: row[name] for name in ItemState.__dataclass_fields__})


def _require_basis(code: str, legal_basis: str) -> None:
    if not legal_basis.strip():
        raise ReasonMissing(
            code,
            found="a change without its legal basis",
            expected="the law or decision that it follows (S004 Art.8)",
            remedy="name it",
        )


def _unknown(code: str) -> NotFound:
    return NotFound(
        code, found="no such item", expected="a published item", remedy="correct the code"
    )
