"""The life cycle of a catalog entry: compile, submit, return or approve, publish, revoke.

Each function is one act of one person, in the caller's transaction, with its record in the journal.
The version is locked while it is decided, so of two who decide at once the second is told what the
first did. Nothing here writes the release: `yishu.governance.publication` does.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from catalog.faults import CatalogFaults, Fault
from catalog.roles import Action
from catalog.vocabulary import ChangeCause, EntryState
from yishu.governance import assessment, candidate, catalog_clock, organisations, versions
from yishu.governance.candidate import Rules
from yishu.governance.drafting import (
    Draft,
    begun_meanwhile,
    refuse_secret,
    require_no_edit,
    require_same_edit,
    saved_values,
)
from yishu.governance.errors import (
    Forbidden,
    NotFound,
    NotSeparate,
    ReasonMissing,
    StateRefused,
)
from yishu.governance.permission import require
from yishu.governance.versions import Version
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import CatalogVersion as Row

__all__ = ["KIND", "Draft", "approve", "check", "publish", "revoke", "save", "send_back", "submit"]

KIND = "catalog_entry"
"""What the journal calls an entry."""


def save(
    connection: Connection, draft: Draft, actor: Actor, at: datetime, *, profile: str | None = None
) -> Version:
    """Save a draft: a new version of the entry, or the next edit of the one on its way.

    With ``profile`` given, a new version that a change calls for opens the catalog's clock under
    it, from the declared day of the change.

    Raises:
        Forbidden: the role may not compile, or not for that body.
        SecretRefused: the entry is marked secret, or a text carries a secrecy mark.
        ChangedMeanwhile: somebody else saved since the draft was read, or began one.
        StateRefused: the version on its way is under review.
    """
    content = candidate.plain({**draft.content, "id": draft.entry_id})
    refuse_secret(draft.entry_id, content)
    before = versions.open_version(connection, draft.entry_id, lock=True)
    org = _provider(connection, draft.entry_id, content, actor, at)
    require(actor, Action.COMPILE_ENTRY, draft.entry_id, org)
    if before is None:
        require_no_edit(draft)
        saved = _insert(connection, draft, content, actor, at)
        _open_clock(connection, draft, org, profile, by=(actor, at))
    else:
        _require_state(before, EntryState.DRAFT, EntryState.RETURNED)
        require_same_edit(draft, before)
        values = saved_values(draft, content, actor, at) | {"state": EntryState.DRAFT.value}
        _update(connection, before, values | {"edit": before.edit + 1})
        saved = _open(connection, draft.entry_id)
    now = {"digest": candidate.digest(content), "cause": draft.cause.value}
    was = {"digest": before.digest, "edit": before.edit} if before else None
    act = Action.COMPILE_ENTRY
    append(connection, Act(actor, act, KIND, draft.entry_id, at, draft.cause_note, was, now))
    return saved


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
    _require_state(version, EntryState.DRAFT, EntryState.RETURNED)
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
    _require_state(version, EntryState.SUBMITTED, EntryState.APPROVED)
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
    _require_state(version, EntryState.SUBMITTED)
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
    _require_state(version, EntryState.APPROVED)
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


def _provider(
    connection: Connection, entry_id: str, content: Mapping[str, Any], actor: Actor, at: datetime
) -> str:
    """Whose entry it is: the body that its id begins with, or the one which took over from it."""
    department = entry_id.partition(".")[0]
    given = content.get("provider_org", department)
    if given != department:
        raise Forbidden(
            entry_id,
            found=f"an entry of `{given}` under the id of `{department}`, by {actor.org}",
            expected=f"provider_org: {department}",
            remedy="correct the provider, or give the entry the id of its department",
        )
    return _present(connection, department, at)


def _present(connection: Connection, org: str, at: datetime) -> str:
    return organisations.present(connection, org, candidate.day_of(at))


def _open_clock(
    connection: Connection,
    draft: Draft,
    org: str,
    profile: str | None,
    *,
    by: tuple[Actor, datetime],
) -> None:
    if profile is None or draft.cause is ChangeCause.INITIAL:
        return
    actor, at = by
    declared = catalog_clock.Declared(
        {draft.entry_id: org}, draft.cause, draft.changed_on, draft.cause_note
    )
    catalog_clock.on_change(connection, declared, profile, actor=actor, now=at)


def _insert(
    connection: Connection, draft: Draft, content: dict[str, Any], actor: Actor, at: datetime
) -> Version:
    newest = select(func.max(Row.version)).where(Row.entry_id == draft.entry_id)
    number = (connection.execute(newest).scalar() or 0) + 1
    state = EntryState.DRAFT.value
    fixed = {"entry_id": draft.entry_id, "version": number, "state": state, "edit": 1}
    saved = versions.begin(connection, {**fixed, **saved_values(draft, content, actor, at)})
    if saved is None:
        raise begun_meanwhile(draft)
    return saved


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


def _require_state(version: Version, *allowed: EntryState) -> None:
    if version.state in allowed:
        return
    by = f" by {version.reviewed_account}" if version.reviewed_account else ""
    raise StateRefused(
        f"{version.entry_id} version {version.version}",
        found=f"{version.state.value} ({version.state.label_zh}){by}",
        expected=" or ".join(state.value for state in allowed),
        remedy="look at the entry again; somebody else may have decided meanwhile",
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
