"""What a publication sets in motion beyond its data: corrections settled, rates refreshed.

Told in the run's last stage, after the ledger has the publication; told again it changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from catalog.model import CatalogEntry
from yishu.clocks import beijing_day
from yishu.governance.clock_rules import ClockRules, by_rule, clock_rules
from yishu.governance.objections import (
    NewObjection,
    Origin,
    Publication,
    Recipient,
    published,
    raise_objection,
)
from yishu.governance.period import Period
from yishu.governance.rates import cases, clock_cases, rates, refresh
from yishu.governance.scores import EQUAL, scores
from yishu.governance.working_calendar import calendar_in_force
from yishu.ledger.statements import query
from yishu.library import Commit
from yishu.library.copies import CopyFinding
from yishu.pipeline.context import PipelineContext

PUBLICATION = by_rule("publication")
CROSS_CHECK = by_rule("cross_check")


def after_publication(
    entry: CatalogEntry, commit: Commit, pulled_at: datetime, ctx: PipelineContext
) -> list[str]:
    """Settle objections that this publication corrects, and refresh the department's rates.

    Returns:
        The numbers of the objections that were settled.
    """
    at = ctx.clock()
    done = Publication(entry.id, commit.run_id, commit.version, pulled_at)
    with ctx.ledger.transaction() as connection:
        settled = published(connection, done, PUBLICATION, at, recipients)
        refresh_rates(connection, entry.provider_org, commit.run_id, ctx, at)
    return settled


def refresh_rates(
    connection: Connection, department: str, run_id: str, ctx: PipelineContext, at: datetime
) -> None:
    """Bring the rates of a department in the present quarter up to date."""
    quarter = Period.quarter_of(beijing_day(at))
    own = [entry for entry in ctx.release.entries.values() if entry.provider_org == department]
    limits = {entry.id: entry.update_cycle.freshness for entry in own}
    # What was decided at this very moment counts too.
    until = at + datetime.resolution
    found = scores(
        connection,
        quarter,
        until,
        weights=EQUAL,
        limits=limits,
        entry_ids=[one.id for one in own],
        names_rules=False,
    )
    clocks = clock_cases(connection, rules_of(connection, ctx), quarter, at, org=department)
    refresh(connection, quarter, rates(cases(found, clocks)), run_id, at)


def rules_of(connection: Connection, ctx: PipelineContext) -> ClockRules:
    """By which rules clocks run in this installation."""
    here = ctx.settings
    calendar = calendar_in_force(connection, here.catalog_dir / "working_days")
    return clock_rules(
        ctx.release,
        calendar,
        profile=here.rule_profile,
        authority=here.data_authority,
        operator=here.data_operator,
    )


def recipients(connection: Connection, entry_id: str, version: int) -> list[Recipient]:
    """Who received versions of an entry older than that one, by deliveries and calls."""
    asked: dict[str, Any] = {"entry_id": entry_id, "version": version}
    return [Recipient(**row._mapping) for row in connection.execute(query("recipients"), asked)]


def object_to_copies(found: Iterable[CopyFinding], ctx: PipelineContext) -> list[str]:
    """Raise an objection for each second-hand copy that differs from its source; their numbers.

    A nightly comparison makes one case: while it is open, and while nothing else is found.
    """
    at = ctx.clock()
    numbers = []
    with ctx.ledger.transaction() as connection:
        for one in found:
            if one.different:
                new = _of_copy(one, ctx)
                numbers.append(raise_objection(connection, new, ctx.release, CROSS_CHECK, at))
    return numbers


def _of_copy(one: CopyFinding, ctx: PipelineContext) -> NewObjection:
    element = ctx.release.elements[one.element]
    copy = ctx.release.entry(one.entry_id)
    claims = [claim for claim in element.sources if claim.entry == one.source_entry_id]
    scopes = [claim.scope for claim in claims if claim.scope is not None]
    return NewObjection(
        origin=Origin.CROSS_CHECK,
        entry_id=copy.id,
        summary=f"{copy.name}的{element.name}与数源比对 {one.compared:,} 行，"
        f"{one.different:,} 行不一致",
        column=next(item.field for item in copy.items if item.element == one.element),
        scope=tuple((scope.by, scope.values[0]) for scope in scopes[:1]),
        profile=ctx.settings.rule_profile,
        authority=ctx.settings.data_authority,
    )
