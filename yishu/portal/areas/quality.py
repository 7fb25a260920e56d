"""Quality: from the city's score down to the failing rule and its masked rows."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from catalog.model import CatalogEntry
from catalog.roles import Role
from catalog.vocabulary import QualityDimension, Severity
from yishu.governance.clock_rules import clock_rules
from yishu.governance.errors import Forbidden
from yishu.governance.freezing import answers, frozen
from yishu.governance.period import Period
from yishu.governance.report import gather, render
from yishu.governance.scores import Scores, scores, weights_on
from yishu.governance.working_calendar import calendar_in_force
from yishu.ledger import Ledger
from yishu.ledger.journal import Actor
from yishu.pipeline.reject_file import masked_rows
from yishu.pipeline.store import run_folder
from yishu.portal.depends import Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading

router = APIRouter(prefix="/quality", include_in_schema=False)
LINKS = (Link("数据质量", "/quality", order=50),)

PAGE_ROWS = 20

SEE_EVERY_ROW = frozenset({Role.QUALITY_MONITOR, Role.AUTHORITY_REVIEWER})
"""Beside the department itself, whoever watches over quality sees its masked rows."""


@router.get("")
def overview(page: Reading, db: Db, period: str = "") -> Response:
    """City, departments and entries of a month, each figure with what it was counted from."""
    month = _month(period, page)
    found = _scores(page, db, month)
    lines = {name: (own, found.total(own)) for name, own in found.departments.items()}
    return page.render(
        "quality/overview.html",
        month=month,
        scores=found,
        total=found.total(found.city),
        departments=lines,
        dimensions=list(QualityDimension),
        names={entry.id: entry.name for entry in page.world.release().entries.values()},
        ageing={one.entry_id: one for one in Ledger(page.world.engine).ageing()},
        answers=answers(db, month),
        is_frozen=frozen(db, month) is not None,
    )


@router.get("/report/{month}")
def report(month: str, page: Reading, db: Db) -> Response:
    """The report of a month, to be kept: one file that needs nothing."""
    here = page.world.settings
    asked = Period.parse(month)
    release = page.world.release()
    rules = clock_rules(
        release,
        calendar_in_force(db, here.catalog_dir / "working_days"),
        profile=here.rule_profile,
        authority=here.data_authority,
        operator=here.data_operator,
    )
    found = gather(
        db, asked, page.now, catalog=release, weights=weights_on(asked.first), rules=rules
    )
    kept = {"Content-Disposition": f'attachment; filename="quality-{asked.name}.html"'}
    return Response(render(found), media_type="text/html; charset=utf-8", headers=kept)


@router.get("/entries/{entry_id}")
def entry(entry_id: str, page: Reading, run: str | None = None) -> Response:
    """The checks of an entry's run, and how the runs before it came out."""
    known = page.world.release().entry(entry_id)
    ledger = Ledger(page.world.engine)
    return page.render(
        "quality/entry.html",
        entry=known,
        verdict=ledger.verdict(entry_id, run),
        trend=ledger.quality_trend(entry_id, 30),
        may_see_rows=_may_see_rows(page, known),
        labels={one.value: one for one in (*QualityDimension, *Severity)},
    )


@router.get("/entries/{entry_id}/rows")
def rows(
    entry_id: str,
    page: Reading,
    run: str,
    number: Annotated[int, Query(alias="page", ge=1)] = 1,
) -> Response:
    """Quarantined rows of a run: values masked, every reason, the way out."""
    known = page.world.release().entry(entry_id)
    if not _may_see_rows(page, known):
        raise _not_shown(page, known)
    verdict = Ledger(page.world.engine).verdict(entry_id, run)
    folder = run_folder(page.world.settings.var_dir, entry_id, run)
    found = masked_rows(known, folder, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    every = verdict.quarantined if verdict else 0
    return page.render(
        "quality/rows.html",
        entry=known,
        run=run,
        rows=found,
        number=number,
        last=max(-(-every // PAGE_ROWS), 1),
        every=every,
    )


def _month(name: str, page: Page) -> Period:
    return Period.parse(name or f"{page.world.today():%Y-%m}")


def _scores(page: Page, db: Connection, month: Period) -> Scores:
    kept = frozen(db, month)
    if kept is not None:
        return kept.scores
    entries = page.world.release().entries.values()
    limits = {entry.id: entry.update_cycle.freshness for entry in entries}
    now = page.now + datetime.resolution
    return scores(db, month, now, weights=weights_on(month.first), limits=limits)


def _actor(page: Page) -> Actor:
    if page.signed is None:
        raise RuntimeError("a page that is read after signing in knows who reads it")
    return page.signed.actor


def _may_see_rows(page: Page, known: CatalogEntry) -> bool:
    actor = _actor(page)
    return actor.org == known.provider_org or actor.role in SEE_EVERY_ROW


def _not_shown(page: Page, known: CatalogEntry) -> Forbidden:
    actor = _actor(page)
    return Forbidden(
        known.id,
        found=f"rows asked by the {actor.role.value} of {actor.org}",
        expected=f"{known.provider_org}, a quality monitor or the data authority",
        remedy="counts and rules are open to everybody; ask the department for its rows",
    )
