"""The catalog in force: search, filters, and the page of one entry."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from catalog import vocabulary
from catalog.model import CatalogEntry, CatalogView, Subject
from catalog.roles import Role
from catalog.search import FACETS, Hits
from catalog.search import Query as Wanted
from catalog.vocabulary import EntryState
from yishu.clocks.freshness import Freshness
from yishu.clocks.freshness import freshness as state_of
from yishu.governance import versions
from yishu.governance.versions import OPEN
from yishu.ledger import Ledger
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareGrant
from yishu.ledger.rows import RunQuality
from yishu.pipeline.status import status_of
from yishu.portal.depends import Acting, Db
from yishu.portal.errors import NotFound
from yishu.portal.grants import may_see_grant, may_trace
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part
from yishu.portal.tables import workbook
from yishu.portal.world import ZONE, World
from yishu.sharing.vocabulary import GrantState, Purpose

router = APIRouter(prefix="/catalog", include_in_schema=False)
LINKS = (Link("数据目录", "/catalog", 10),)

PAGE_ROWS = 50
CHOICES = {
    "share_type": ("共享类型", tuple(vocabulary.ShareType)),
    "open_type": ("开放类型", tuple(vocabulary.OpenType)),
    "data_kind": ("数据种类", tuple(vocabulary.DataKind)),
    "update_cycle": ("更新周期", tuple(vocabulary.UpdateCycle)),
}
SEE_EVERY_DRAFT = frozenset({Role.AUTHORITY_REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR})
"""Beside the department itself, who knows of entries that were never published."""

FRESHNESS = (("fresh", "在更新期限内"), ("late", "超过更新期限"), ("never", "从未入库"))


class Asked(BaseModel):
    """What the search form sends."""

    page: int = Field(1, ge=1)

    q: str = ""
    org: str = ""
    share_type: str = ""
    open_type: str = ""
    data_kind: str = ""
    update_cycle: str = ""
    element: str = ""
    freshness: str = ""
    subject: str = ""
    state: str = ""

    @property
    def query(self) -> str:
        """What was asked, as the query of an address."""
        asked = self.model_dump(exclude={"page"})
        return urlencode({name: value for name, value in asked.items() if value})


def find(world: World, connection: Connection, asked: Asked) -> Hits:
    """Entries of the catalog in force that fit."""
    only = _only(world, connection, asked)
    facets = {name: getattr(asked, name) for name in FACETS}
    wanted = Wanted(asked.q, element=asked.element, only=only, **facets)
    return world.search(wanted)


def freshness(world: World, connection: Connection) -> dict[str, str]:
    """``fresh``, ``late`` or ``never`` of each entry in force."""
    deliveries, now = Ledger(connection).deliveries(), world.clock()
    pulled = {id_: one.pulled_at for id_, one in deliveries.items()}
    return {
        id_: _freshness(entry, pulled.get(id_), now)
        for id_, entry in world.release().entries.items()
    }


def _freshness(entry: CatalogEntry, pulled_at: datetime | None, now: datetime) -> str:
    if pulled_at is None:
        return "never"
    return "late" if state_of(entry, pulled_at, now).state is Freshness.STALE else "fresh"


def _only(world: World, connection: Connection, asked: Asked) -> frozenset[str] | None:
    """Entries with the freshness, the subject and the state that are asked; None: all."""
    found: frozenset[str] | None = None
    for value, fitting in (
        (asked.freshness, _by_freshness),
        (asked.subject, _by_subject),
        (asked.state, _by_state),
    ):
        if value:
            these = fitting(world, connection, value)
            found = these if found is None else found & these
    return found


def _by_freshness(world: World, connection: Connection, wanted: str) -> frozenset[str]:
    return frozenset(one for one, state in freshness(world, connection).items() if state == wanted)


def _by_subject(world: World, _: Connection, wanted: str) -> frozenset[str]:
    release = world.release()
    subject = release.subjects.get(wanted)
    if subject is None:
        return frozenset()
    entries = release.entries.values()
    return frozenset(one.id for one in entries if _feeds(one, subject, release))


def _by_state(world: World, connection: Connection, wanted: str) -> frozenset[str]:
    """Entries in force whose next version is in a state; ``published``: that have none."""
    on_way = {one.entry_id: one.state for one in versions.listed(connection, states=OPEN)}
    if wanted == EntryState.PUBLISHED:
        return frozenset(world.release().entries.keys() - on_way.keys())
    return frozenset(one for one, state in on_way.items() if state == wanted)


@router.get("")
def look(page: Reading, db: Db, actor: Acting, asked: Annotated[Asked, Query()]) -> Response:
    """Search and filter."""
    release = page.world.release()
    hits = find(page.world, db, asked)
    part = Part.cut(hits.entry_ids, asked.page, PAGE_ROWS)
    return page.render(
        "catalog/search.html",
        asked=asked,
        hits=hits,
        entries=[release.entries[one] for one in part.rows],
        part=part,
        orgs=[(one.id, one.name) for one in release.departments.values()],
        choices=CHOICES,
        freshness=[(value, page.say(text)) for value, text in FRESHNESS],
        subjects=[(one.id, one.name) for one in release.subjects.values()],
        states=(EntryState.PUBLISHED, *OPEN),
        unpublished=_unpublished(db, page, actor, asked),
        release=release,
    )


def _unpublished(db: Connection, page: Page, actor: Actor, asked: Asked) -> list[versions.Heading]:
    """Entries in the state asked for that were never published, of which the reader may know."""
    if asked.state not in OPEN:
        return []
    org = None if actor.role in SEE_EVERY_DRAFT else actor.org
    known = page.world.release().entries
    words = asked.q.split()
    return [
        one
        for one in versions.listed(db, states=(EntryState(asked.state),), org=org)
        if one.entry_id not in known
        and asked.org in ("", one.provider_org)
        and all(word in f"{one.name} {one.entry_id}" for word in words)
    ]


@router.get("/as-of")
def as_of(page: Reading, db: Db, day: date | None = None) -> Response:
    """The whole catalog as it was published at the end of a day."""
    on = day or page.world.today()
    return page.render("catalog/as_of.html", day=on, rows=versions.as_of(db, end_of(on)))


@router.get("/as-of.xlsx")
def export_as_of(page: Reading, db: Db, day: date) -> Response:
    """The same as a workbook."""
    rows = (
        [one.entry_id, one.name, page.world.org_name(one.provider_org), one.version,
         one.published_at and f"{one.published_at.astimezone(ZONE):%Y-%m-%d}"]
        for one in versions.as_of(db, end_of(day))
    )  # fmt: skip
    return workbook(f"目录{day:%Y-%m-%d}", ("标识", "名称", "提供部门", "版本", "发布日期"), rows)


@router.get("/entries/{entry_id}/as-of")
def entry_as_of(page: Reading, db: Db, entry_id: str, day: date) -> Response:
    """One entry as it was published at the end of a day."""
    return page.render("catalog/entry_as_of.html", it=entry_on(db, entry_id, day), day=day)


def entry_on(db: Connection, entry_id: str, day: date) -> versions.Version:
    """One entry as it was published at the end of a day.

    Raises:
        NotFound: it was not in force on that day.
    """
    found = versions.entry_as_of(db, entry_id, end_of(day))
    if found is None:
        raise NotFound(
            entry_id,
            found=f"no version published on {day}",
            expected="a day on which it was in force",
            remedy="look at its versions and choose another day",
        )
    return found


def end_of(day: date) -> datetime:
    """The last moment of a day of people."""
    return datetime.combine(day, time.max, ZONE)


@router.get("/entries/{entry_id}")
def show(page: Reading, db: Db, actor: Acting, entry_id: str) -> Response:
    """One entry: what is promised, and how its data are."""
    release = page.world.release()
    entry = release.entry(entry_id)
    ledger = Ledger(db)
    trend = ledger.quality_trend(entry_id)
    return page.render(
        "catalog/entry.html",
        entry=entry,
        department=release.departments.get(entry.provider_org),
        sources=sources(entry, release),
        status=status_of(entry, ledger, page.now),
        trend=trend,
        chart=_chart(trend, page.say("每次入库的合格率")) if len(trend) > 1 else None,
        may_trace=may_trace(release, entry_id, actor),
        airflow=page.world.airflow_url,
        users=_users(db, entry_id, actor),
        subjects=[one for one in release.subjects.values() if _feeds(entry, one, release)],
    )


@router.get("/dags/{dag_id}")
def of_dag(page: Reading, dag_id: str) -> Response:
    """What a DAG of Airflow serves: an entry's page, a subject's lineage, else the catalog."""
    release = page.world.release()
    subject_id = dag_id.removeprefix("subject-")
    if dag_id in release.entries:
        return page.done(f"/catalog/entries/{dag_id}")
    if subject_id in release.subjects:
        return page.done(f"/lineage?data_set={quote(f'subject/{subject_id}')}")
    return page.done("/catalog")


USER_ROWS = 50


def _users(db: Connection, entry_id: str, actor: Actor) -> list[dict[str, Any]]:
    """Grants on an entry that live; the reader's own lead to their channel."""
    living = ShareGrant.state.in_([GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED])
    asked = select(ShareGrant.__table__).where(ShareGrant.object_id == entry_id, living)
    return [
        {
            "grant_id": row.grant_id,
            "org": row.consumer_org,
            "state": GrantState(row.state),
            "purpose": Purpose(row.purpose_code),
            "columns": len(row.columns),
            "until": row.valid_until,
            "is_open_to_reader": may_see_grant(actor, row),
        }
        for row in db.execute(asked.order_by(ShareGrant.grant_id).limit(USER_ROWS))
    ]


def _feeds(entry: CatalogEntry, subject: Subject, catalog: CatalogView) -> bool:
    """Whether an entry is the source of a column of a subject."""
    elements = (catalog.elements[column.element] for column in subject.columns)
    return any(source.entry == entry.id for element in elements for source in element.sources)


def sources(entry: CatalogEntry, catalog: CatalogView) -> dict[str, list[str]]:
    """Field of an item -> the entries that are the source of its element (S004 Art.15)."""
    found = {}
    for item in entry.items:
        element = catalog.elements.get(item.element) if item.element else None
        if element:
            found[item.field] = [source.entry for source in element.sources]
    return found


def _chart(trend: list[RunQuality], title: str) -> dict[str, Any]:
    zone = timedelta(hours=8)
    days = [f"{run.decided_at + zone:%m-%d %H:%M}" for run in trend]
    shares = [None if run.score is None else round(100 * run.score, 2) for run in trend]
    return {
        "title": {"text": title, "textStyle": {"fontSize": 13}},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 48, "right": 16, "bottom": 24, "top": 40},
        "xAxis": {"type": "category", "data": days},
        "yAxis": {"type": "value", "scale": True, "max": 100},
        "series": [{"type": "line", "data": shares}],
    }
