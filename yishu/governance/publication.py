"""From the ledger to the release: the published versions as the file that DAGs and stages read.

The ledger is written first and the file after the commit, so a database that goes away in between
leaves the last good release in force; `write` run again brings the file up. Registers (elements,
departments, code lists, subjects, profiles, systems) come from the rule files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, func, insert, select

from catalog.faults import CatalogFaults, Fault
from catalog.kinds import Kind
from catalog.model import Catalog, CatalogEntry
from catalog.release import Release, compile_release, write_release
from catalog.roles import Action
from catalog.vocabulary import AssessmentKind, ChangeCause, EntryState
from catalog.wording import finding_of
from yishu.clocks.working_days import BEIJING
from yishu.governance import candidate, drafting, lifecycle, versions
from yishu.governance.candidate import Rules, day_of
from yishu.governance.errors import StateRefused
from yishu.governance.permission import require
from yishu.governance.sources import in_registers, register_of
from yishu.governance.versions import Version
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CatalogAssessment, CatalogVersion
from yishu.settings import Settings

Announce = Callable[[Settings], bool]
"""Tells the orchestrator of a new release; False when there is none to tell."""


@dataclass(frozen=True)
class Published:
    """What publishing did: versions that are in force now, the release, whether Airflow knows."""

    versions: tuple[Version, ...]
    release: Release
    announced: bool


@dataclass(frozen=True)
class Place:
    """Where publications go: the database, the installation, whom to tell."""

    engine: Engine
    settings: Settings
    announce: Announce


def publish(
    place: Place, rules: Rules, entry_ids: tuple[str, ...], actor: Actor, at: datetime
) -> Published:
    """Publish approved versions and write the release that has them: all of them or none.

    Raises:
        StateRefused: one of them is not approved.
        CatalogFaults: the catalog as a whole would break a rule; nothing is published.
    """
    with place.engine.begin() as connection:
        done = tuple(lifecycle.publish(connection, one, actor, at) for one in entry_ids)
        content = compile_(connection, rules, at)
    return _released(place, done, content)


def revoke(
    place: Place, rules: Rules, entry_id: str, reason: str, *, actor: Actor, at: datetime
) -> Published:
    """Withdraw an entry and write the release without it: its DAG goes with the next parse.

    Raises:
        NotFound: it is not published.
        CatalogFaults: others still rest on it, e.g. it is the source of an element.
    """
    with place.engine.begin() as connection:
        done = lifecycle.revoke(connection, entry_id, reason, actor, at)
        content = compile_(connection, rules, at)
    return _released(place, (done,), content)


def write(place: Place, rules: Rules, at: datetime) -> Published:
    """Write the release of what is published now; writing it again changes nothing."""
    with place.engine.connect() as connection:
        content = compile_(connection, rules, at)
    return _released(place, (), content)


def compile_(connection: Connection, rules: Rules, at: datetime) -> dict[str, Any]:
    """The content of the release of a moment.

    Raises:
        CatalogFaults: a published version breaks a rule of the catalog.
    """
    entries = entries_of(connection, versions.published(connection))
    registers = in_registers(rules.registers, register_of(connection, day_of(at)), entries)
    return compile_release(registers.model_copy(update={"entries": entries}), day_of(at))


def entries_of(connection: Connection, found: list[Version]) -> dict[str, CatalogEntry]:
    """Published versions as entries, with their review and the day of publication filled in.

    Raises:
        CatalogFaults: a version that this program cannot read.
    """
    reviews = _reviews(connection)
    entries, faults = {}, []
    for one in found:
        on = day_of(one.published_at) if one.published_at else one.changed_on
        review = reviews.get((one.entry_id, one.version))
        content = candidate.completed(one.content, one.version, on, review)
        try:
            entries[one.entry_id] = CatalogEntry.model_validate(content)
        except ValidationError as error:
            faults += _unreadable(one.entry_id, error)
    if faults:
        raise CatalogFaults.of("the published catalog", faults)
    return entries


def has_published(connection: Connection) -> bool:
    """Whether the ledger, and no longer the folder of entries, says what is published."""
    asked = select(CatalogVersion.entry_id).where(CatalogVersion.state == EntryState.PUBLISHED)
    return connection.execute(asked.limit(1)).first() is not None


def adopt(connection: Connection, catalog: Catalog, actor: Actor, at: datetime) -> int:
    """Take the entries of the rule files over as published versions, once; how many.

    Their versions, dates of publication and confidentiality reviews are those of the files.

    Raises:
        Forbidden: the role may not manage the rules.
        StateRefused: the ledger has versions already.
    """
    require(actor, Action.MANAGE_RULES, "catalog")
    held = connection.execute(select(func.count()).select_from(CatalogVersion)).scalar_one()
    if held:
        raise StateRefused(
            "catalog",
            found=f"{held} versions on record",
            expected="none: files are taken over once, when the review process begins",
            remedy="compile, submit and publish changes; `yishu catalog submit --help`",
        )
    rows = [_adopted(entry, actor, at) for entry in catalog.entries.values()]
    if rows:
        connection.execute(insert(CatalogVersion), rows)
        reviews = [_adopted_review(entry, actor) for entry in catalog.entries.values()]
        connection.execute(insert(CatalogAssessment), reviews)
    append(
        connection,
        Act(
            actor,
            Action.MANAGE_RULES,
            "catalog",
            "adopt",
            at,
            "首次纳入",
            None,
            {"entries": len(rows)},
        ),
    )
    return len(rows)


def _adopted(entry: CatalogEntry, actor: Actor, at: datetime) -> dict[str, Any]:
    content = candidate.plain(entry.model_dump(mode="json", exclude_none=True))
    day = datetime.combine(entry.published_on, time(), BEIJING)
    return {
        **drafting.headings(content),
        "entry_id": entry.id,
        "version": entry.version,
        "state": EntryState.PUBLISHED.value,
        "provider_org": entry.provider_org,
        "content": content,
        "digest": candidate.digest(content),
        "edit": 1,
        "cause": ChangeCause.INITIAL.value,
        "cause_note": "从目录文件纳入",
        "changed_on": entry.published_on,
        "compiled_person": f"org:{entry.provider_org}",
        "compiled_account": actor.account,
        "edited_at": at,
        "published_at": min(day, at),
    }


def _adopted_review(entry: CatalogEntry, actor: Actor) -> dict[str, Any]:
    review = entry.confidentiality_review
    content = candidate.plain(entry.model_dump(mode="json", exclude_none=True))
    return {
        "entry_id": entry.id,
        "version": entry.version,
        "kind": AssessmentKind.CONFIDENTIALITY.value,
        "digest": candidate.digest(content),
        "verdict": review.verdict,
        "basis": review.basis,
        "compiled_person": f"org:{entry.provider_org}",
        "compiled_org": entry.provider_org,
        "assessed_person": f"org:{review.reviewer_org}",
        "assessed_account": actor.account,
        "assessed_org": review.reviewer_org,
        "assessed_at": datetime.combine(review.reviewed_on, time(), BEIJING),
    }


def _released(place: Place, done: tuple[Version, ...], content: Mapping[str, Any]) -> Published:
    release = write_release(place.settings.releases_dir, content)
    return Published(done, release, place.announce(place.settings))


def _reviews(connection: Connection) -> dict[tuple[str, int], dict[str, Any]]:
    asked = (
        select(CatalogAssessment)
        .where(CatalogAssessment.kind == AssessmentKind.CONFIDENTIALITY.value)
        .order_by(CatalogAssessment.assessment)
    )
    return {
        (row["entry_id"], row["version"]): {
            "reviewer_org": row["assessed_org"],
            "reviewed_on": day_of(row["assessed_at"]).isoformat(),
            "verdict": row["verdict"],
            "basis": row["basis"],
        }
        for row in connection.execute(asked).mappings()
    }


def _unreadable(entry_id: str, error: ValidationError) -> list[Fault]:
    problems = error.errors(include_url=False, include_context=True)
    return [finding_of(Kind.ENTRY, entry_id, CatalogEntry, dict(one)).at("", 0) for one in problems]
