"""What is published about items: ten slots, online and at the counter alike, guides and powers."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from catalog.roles import Action
from catalog.vocabulary import PublicationSlot
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import GuideLink, ItemSlot

KIND = "item_publication"


@dataclass(frozen=True)
class Slot:
    """What one slot of an item says; ``offline`` is what the counter shows, None: not known."""

    implementation_code: str
    slot: PublicationSlot
    text: str
    offline: str | None = None


@dataclass(frozen=True)
class Orphans:
    """Guides without a row of the power list, and rows without a guide."""

    guides: tuple[str, ...]
    power_rows: tuple[str, ...]


def fill(connection: Connection, slot: Slot, actor: Actor, at: datetime) -> None:
    """Publish what a slot says; an empty text empties it.

    Raises:
        Forbidden: the role may not maintain items.
    """
    require(actor, Action.MAINTAIN_ITEMS, slot.implementation_code)
    kept = {
        "text": slot.text,
        "online_digest": _digest(slot.text),
        "offline_digest": None if slot.offline is None else _digest(slot.offline),
        "updated_at": at,
    }
    key = {"implementation_code": slot.implementation_code, "slot": slot.slot.value}
    statement = insert(ItemSlot).values(**key, **kept)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=kept))
    after = {"slot": slot.slot.value, "digest": kept["online_digest"]}
    append(
        connection,
        Act(actor, Action.MAINTAIN_ITEMS, KIND, slot.implementation_code, at, None, None, after),
    )


def slots(connection: Connection, code: str) -> dict[PublicationSlot, str]:
    """What the slots of an item say, without empty ones."""
    asked = select(ItemSlot.slot, ItemSlot.text).where(
        ItemSlot.implementation_code == code, ItemSlot.text != ""
    )
    return {PublicationSlot(row.slot): row.text for row in connection.execute(asked)}


def links(connection: Connection, code: str) -> list[str]:
    """Rows of the power list that an item's guide is linked to."""
    asked = select(GuideLink.power_row).where(GuideLink.implementation_code == code)
    return list(connection.execute(asked.order_by(GuideLink.power_row)).scalars())


def empty_slots(connection: Connection, codes: Collection[str]) -> dict[str, list[PublicationSlot]]:
    """Slots of each item that say nothing; items with all ten filled are left out."""
    # All of them: no statement takes the codes of a whole city as its parameters.
    asked = select(ItemSlot.implementation_code, ItemSlot.slot).where(ItemSlot.text != "")
    filled = {(row.implementation_code, row.slot) for row in connection.execute(asked)}
    found = {
        code: [slot for slot in PublicationSlot if (code, slot.value) not in filled]
        for code in sorted(codes)
    }
    return {code: slots for code, slots in found.items() if slots}


def inconsistent(connection: Connection) -> list[tuple[str, PublicationSlot]]:
    """Items and slots where the counter shows another text than the site (线上线下一致)."""
    asked = (
        select(ItemSlot.implementation_code, ItemSlot.slot)
        .where(ItemSlot.offline_digest != ItemSlot.online_digest)
        .order_by(ItemSlot.implementation_code, ItemSlot.slot)
    )
    return [
        (row.implementation_code, PublicationSlot(row.slot)) for row in connection.execute(asked)
    ]


def link(connection: Connection, code: str, power_row: str, actor: Actor, at: datetime) -> None:
    """Link a guide to the row of the power list that it rests on; once is enough."""
    require(actor, Action.MAINTAIN_ITEMS, code)
    statement = insert(GuideLink).values(implementation_code=code, power_row=power_row)
    connection.execute(statement.on_conflict_do_nothing())
    after = {"power_row": power_row}
    append(connection, Act(actor, Action.MAINTAIN_ITEMS, KIND, code, at, None, None, after))


def orphans(
    connection: Connection, guides: Collection[str], power_rows: Collection[str]
) -> Orphans:
    """Guides and rows that nothing links; a link to what no longer exists does not count."""
    here, there = set(guides), set(power_rows)
    asked = select(GuideLink.implementation_code, GuideLink.power_row)
    links = [
        (row.implementation_code, row.power_row)
        for row in connection.execute(asked)
        if row.implementation_code in here and row.power_row in there
    ]
    return Orphans(
        tuple(sorted(here - {code for code, _ in links})),
        tuple(sorted(there - {row for _, row in links})),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.strip().encode()).hexdigest()
