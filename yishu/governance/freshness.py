"""Watches update cycles: who delivers late, or too slowly, is told once each time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from catalog.model import CatalogEntry
from catalog.roles import Role
from yishu.clocks.freshness import Delay, Freshness, FreshnessStatus, delay, freshness
from yishu.governance.notices import Notice, enqueue_all
from yishu.ledger.models import Run
from yishu.ledger.statements import query

Entries = Mapping[str, CatalogEntry]


@dataclass(frozen=True)
class Watched:
    """What a watch found: stale entries, slow ones, and how many notices were new."""

    stale: tuple[FreshnessStatus, ...]
    slow: tuple[Delay, ...]
    notices: int


def fresh_states(connection: Connection, entries: Entries, now: datetime) -> list[FreshnessStatus]:
    """How fresh the data of each entry are, in two statements at most.

    Before the first run of an installation nothing is late.
    """
    pulled = {row.entry_id: row.pulled_at for row in connection.execute(query("deliveries"))}
    began = connection.scalar(select(func.min(Run.started_at))) or now
    return [freshness(entry, pulled.get(id_), now, began) for id_, entry in entries.items()]


def delays(connection: Connection, entries: Entries) -> list[Delay]:
    """How long the last new record of each entry took to be visible, the slowest first."""
    found = [
        delay(entries[row.entry_id], row.reached, row.pulled_at, row.committed_at)
        for row in connection.execute(query("visible_delays"))
        if row.entry_id in entries
    ]
    return sorted(found, key=lambda one: one.delay, reverse=True)


def watch(connection: Connection, entries: Entries, now: datetime) -> Watched:
    """Tell the owners of stale and slow entries, each once for what was missed."""
    states = fresh_states(connection, entries, now)
    stale = tuple(one for one in states if one.state is Freshness.STALE)
    slow = tuple(one for one in delays(connection, entries) if one.is_breach)
    notices = [*_stale_notices(stale, entries, now), *_slow_notices(slow, entries, now)]
    return Watched(stale, slow, enqueue_all(connection, notices))


def _stale_notices(
    stale: tuple[FreshnessStatus, ...], entries: Entries, now: datetime
) -> Iterator[Notice]:
    for one in stale:
        entry = entries[one.entry_id]
        yield Notice(
            key=f"stale:{one.entry_id}:{one.limit_at:%Y%m%dT%H%M%S%z}",
            org=one.provider_org,
            role=Role.DEPARTMENT_OFFICER,
            subject=f"数据超过更新周期：{entry.name}",
            text=f"{one.entry_id} 的更新周期为{entry.update_cycle.label_zh}，"
            f"应于 {one.limit_at:%Y-%m-%d %H:%M} 前更新，至今未更新。",
            at=now,
            object_kind="catalog_entry",
            object_id=one.entry_id,
        )


def _slow_notices(slow: tuple[Delay, ...], entries: Entries, now: datetime) -> Iterator[Notice]:
    for one in slow:
        yield Notice(
            key=f"slow:{one.entry_id}:{one.visible_at:%Y%m%dT%H%M%S%z}",
            org=one.provider_org,
            role=Role.DEPARTMENT_OFFICER,
            subject=f"数据到达迟缓：{entries[one.entry_id].name}",
            text=f"{one.entry_id} 的最新记录从业务系统提交到可见用时 {one.delay}，"
            f"超过 {one.limit}。",
            at=now,
            object_kind="catalog_entry",
            object_id=one.entry_id,
        )
