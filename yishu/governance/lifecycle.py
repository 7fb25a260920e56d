"""The life cycle of a catalog entry: compile, submit, return or approve, publish, revoke.

Each function is one act of one person, in the caller's transaction, with its record in the journal.
The version is locked while it is decided, so of two who decide at once the second is told what the
first did. Nothing here writes the release: `yishu.governance.publication` does.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from catalog.faults import CatalogFaults, Fault
from catalog.roles import Action
from catalog.vocabulary import EntryState
from yishu.governance import assessment, candidate, catalog_clock, organisations, versions
from yishu.governance.candidate import Rules
from yishu.governance.drafting import KIND, Draft, require_state
from yishu.governance.errors import (
    NotFound,
    NotSeparate,
    ReasonMissing,
)
from yishu.governance.permission import require
from yishu.governance.saving import save
from yishu.governance.versions import Version
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CatalogVersion as Row

__all__ = ["KIND", "Draft", "approve", "check", "publish", "revoke", "save", "send_back", "submit"]


def check(connection: Connection, rules: Rules, entry_id: str, on: date) -> list[Fault]:
    """Every fault that a submission would be refused for: content, rules, missing assessments.

    Raises:
        NotFound: no version is on its way.
    """
    version = _open(connection, entry_id)
    found = assessment.latest(connection, version)
    content = candidate.completed(version.content, version.version, on, assessment.review_of(found))
    return [
        *candidate.faults_of(entry_id, content, rules),
        *_code_taken(connection, version),
        *assessment.missing(version, found),
    ]


def submit(
    connection: Connection, rules: Rules, entry_id: str, actor: Actor, at: datetime
) -> Version:
    """Hand a draft to the data authority.

    Raises:
        CatalogFaults: every fault at once; the draft stays a draft.
        Forbidden: the role may not submit, or not for that body.
        StateRefused: it is submitted already.
    """
    version = _open(connection, entry_id, lock=True)
    require(actor, Action.COMPILE_ENTRY, entry_id, _present(connection, version.provider_org, at))
    require_state(version, EntryState.DRAFT, EntryState.RETURNED)
    if faults := check(connection, rules, entry_id, candidate.day_of(at)):
        raise CatalogFaults.of(entry_id, faults)
    ruleset = rules.ruleset.version
    _move(connection, version, EntryState.SUBMITTED, submitted_at=at, ruleset=ruleset)
    append(
        connection,
        _moved(version, EntryState.SUBMITTED, Action.COMPILE_ENTRY, actor, at=at, reason=None),
    )
    catalog_clock.submitted(connection, entry_id, actor=actor, now=at)
    return _open(connection, entry_id)


def send_back(
    connection: Connection,
    entry_id: str,
    opinion: str,
    actor: Actor,
    at: datetime,
    *,
    remarks: Sequence[Mapping[str, str]] = (),
    rules: Rules | None = None,
) -> Version:
    """Return a submitted version once, with everything that is wrong with it.

    ``remarks`` are the reviewer's, each with ``path`` and ``text``; with ``rules`` given, what the
    checks find now is added to them.

    Raises:
        ReasonMissing: no opinion.
        StateRefused: it is not under review, e.g. another reviewer was first.
        NotSeparate: the reviewer compiled it.
    """
    version = _reviewed(connection, entry_id, actor, opinion)
    require_state(version, EntryState.SUBMITTED, EntryState.APPROVED)
    said = [dict(one) for one in remarks]
    if rules is not None:
        said += candidate.remarks_of(check(connection, rules, entry_id, candidate.day_of(at)))
    _move(
        connection,
        version,
        EntryState.RETURNED,
        **_review(actor, at, opinion),
        remarks=said,
    )
    append(
        connection,
        _moved(version, EntryState.RETURNED, Action.REVIEW_ENTRY, actor, at=at, reason=opinion),
    )
    catalog_clock.returned(connection, entry_id, opinion, actor=actor, now=at)
    return _open(connection, entry_id)


def approve(
    connection: Connection, entry_id: str, opinion: str, actor: Actor, at: datetime
) -> Version:
    """Approve a submitted version; it is published next.

    Raises:
        ReasonMissing: no opinion.
        StateRefused: it is not under review, e.g. another reviewer was first.
        NotSeparate: the reviewer compiled it.
    """
    version = _reviewed(connection, entry_id, actor, opinion)
    require_state(version, EntryState.SUBMITTED)
    _move(connection, version, EntryState.APPROVED, **_review(actor, at, opinion), remarks=[])
    append(
        connection,
        _moved(version, EntryState.APPROVED, Action.REVIEW_ENTRY, actor, at=at, reason=opinion),
    )
    return _open(connection, entry_id)


def publish(connection: Connection, entry_id: str, actor: Actor, at: datetime) -> Version:
    """Put an approved version in force; the one before is superseded at the same moment.

    Raises:
        StateRefused: it is not approved.
        CatalogFaults: an assessment is missing or outdated (S003 二(九)).
    """
    version = _open(connection, entry_id, lock=True)
    require(actor, Action.PUBLISH_ENTRY, entry_id)
    require_state(version, EntryState.APPROVED)
    found = assessment.latest(connection, version)
    if faults := list(assessment.missing(version, found)):
        raise CatalogFaults.of(entry_id, faults)
    before = versions.in_force(connection, entry_id, lock=True)
    if before is not None:
        _move(connection, before, EntryState.SUPERSEDED, ended_at=at)
    _move(connection, version, EntryState.PUBLISHED, published_at=at)
    append(
        connection,
        _moved(version, EntryState.PUBLISHED, Action.PUBLISH_ENTRY, actor, at=at, reason=None),
    )
    catalog_clock.published(connection, entry_id, version.version, actor=actor, now=at)
    return versions.version(connection, entry_id, version.version)


def revoke(
    connection: Connection, entry_id: str, reason: str, actor: Actor, at: datetime
) -> Version:
    """Withdraw a published entry; what is kept of its data is kept as long as it promised.

    Raises:
        NotFound: it is not published.
        ReasonMissing: no reason.
    """
    require(actor, Action.REVOKE_ENTRY, entry_id)
    _require_reason(entry_id, reason)
    version = versions.in_force(connection, entry_id, lock=True)
    if version is None:
        raise _not_there(entry_id, "no published version", "a published entry")
    _move(connection, version, EntryState.REVOKED, ended_at=at, opinion=reason)
    append(
        connection,
        _moved(version, EntryState.REVOKED, Action.REVOKE_ENTRY, actor, at=at, reason=reason),
    )
    return versions.version(connection, entry_id, version.version)


def _present(connection: Connection, org: str, at: datetime) -> str:
    return organisations.present(connection, org, candidate.day_of(at))


def _code_taken(connection: Connection, version: Version) -> list[Fault]:
    code = version.content.get("resource_code")
    current = Row.state.in_([*versions.OPEN, EntryState.PUBLISHED])
    asked = select(Row.entry_id).where(
        Row.resource_code == code, Row.entry_id != version.entry_id, current
    )
    taken = connection.execute(asked.limit(1)).scalar()
    if code is None or taken is None:
        return []
    return [
        Fault(
            "CAT_RESOURCE_CODE_DUPLICATE",
            "",
            0,
            f"{version.entry_id} resource_code",
            found=f"`{code}`, the code of {taken}",
            expected="a code of its own",
            remedy="give the entry the next free sequence code behind the `/`",
        )
    ]


def _open(connection: Connection, entry_id: str, *, lock: bool = False) -> Version:
    version = versions.open_version(connection, entry_id, lock=lock)
    if version is None:
        raise _not_there(entry_id, "no version on its way", "a draft")
    return version


def _reviewed(connection: Connection, entry_id: str, actor: Actor, opinion: str) -> Version:
    require(actor, Action.REVIEW_ENTRY, entry_id)
    _require_reason(entry_id, opinion)
    version = _open(connection, entry_id, lock=True)
    if actor.person == version.compiled_person:
        raise NotSeparate(
            entry_id,
            found=f"a review by {actor.account}, the person who compiled it",
            expected="another person",
            remedy="hand the review to a colleague",
        )
    return version


def _require_reason(entry_id: str, reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(
            entry_id,
            found="a decision without its reason",
            expected="what the decision rests on",
            remedy="write the reason, then decide again",
        )


def _review(actor: Actor, at: datetime, opinion: str) -> dict[str, Any]:
    return {
        "reviewed_person": actor.person,
        "reviewed_account": actor.account,
        "reviewed_at": at,
        "opinion": opinion,
    }


def _move(connection: Connection, version: Version, state: EntryState, **values: Any) -> None:
    _update(connection, version, {"state": state.value, **values})


def _update(connection: Connection, version: Version, values: Mapping[str, Any]) -> None:
    key = (Row.entry_id == version.entry_id, Row.version == version.version)
    connection.execute(update(Row).where(*key).values(values))


def _moved(
    version: Version,
    state: EntryState,
    action: Action,
    actor: Actor,
    *,
    at: datetime,
    reason: str | None,
) -> Act:
    before = {"version": version.version, "state": version.state.value}
    after = {"version": version.version, "state": state.value, "digest": version.digest}
    return Act(actor, action, KIND, version.entry_id, at, reason, before, after)


def _not_there(entry_id: str, found: str, expected: str) -> NotFound:
    return NotFound(entry_id, found=found, expected=expected, remedy="see `yishu catalog history`")
