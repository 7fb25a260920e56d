"""Saving drafts: one, or all entries of a file, in as many statements for many as for few.

All of it happens in the caller's transaction, with a record in the journal for each entry.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from catalog.roles import Action
from catalog.vocabulary import ChangeCause, EntryState
from yishu.governance import candidate, catalog_clock, organisations, versions
from yishu.governance.drafting import (
    KIND,
    Draft,
    begun_meanwhile,
    refuse_secret,
    require_no_edit,
    require_same_edit,
    require_state,
    saved_values,
)
from yishu.governance.errors import Forbidden
from yishu.governance.permission import require
from yishu.governance.versions import Version
from yishu.ledger.journal import Act, Actor, append_all

BATCH = 500
"""Entries that are saved together, so that a file of a whole city needs little memory."""

Contents = Mapping[str, dict[str, Any]]
"""Contents by entry, as the ledger keeps them."""


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
    save_all(connection, [draft], actor, at, profile=profile)
    return versions.open_versions(connection, [draft.entry_id])[draft.entry_id]


def save_all(
    connection: Connection,
    drafts: Iterable[Draft],
    actor: Actor,
    at: datetime,
    *,
    profile: str | None = None,
) -> int:
    """Save drafts of different entries, each as `save` does it; how many.

    Raises:
        YishuError: what `save` raises, of the first that is refused; nothing may be committed then.
    """
    given, count = iter(drafts), 0
    while batch := list(islice(given, BATCH)):
        _save(connection, batch, (actor, at), profile)
        count += len(batch)
    return count


def _save(
    connection: Connection,
    drafts: Sequence[Draft],
    by: tuple[Actor, datetime],
    profile: str | None,
) -> None:
    contents = _contents(drafts)
    before = versions.open_versions(connection, contents, lock=True)
    orgs = _providers(connection, contents, *by)
    for entry_id, org in orgs.items():
        require(by[0], Action.COMPILE_ENTRY, entry_id, org)
    first = [draft for draft in drafts if draft.entry_id not in before]
    _begin(connection, first, contents, by)
    _edit(connection, [one for one in drafts if one.entry_id in before], contents, before, by=by)
    _open_clocks(connection, first, orgs, profile, by)
    acts = (_act(draft, contents, before.get(draft.entry_id), by) for draft in drafts)
    append_all(connection, list(acts))


def _contents(drafts: Sequence[Draft]) -> Contents:
    contents: dict[str, dict[str, Any]] = {}
    for draft in drafts:
        if draft.entry_id in contents:
            raise begun_meanwhile(draft)
        contents[draft.entry_id] = candidate.plain({**draft.content, "id": draft.entry_id})
        refuse_secret(draft.entry_id, contents[draft.entry_id])
    return contents


def _providers(
    connection: Connection, contents: Contents, actor: Actor, at: datetime
) -> dict[str, str]:
    """Whose each entry is: the body that its id begins with, or the one which took over from it."""
    day = candidate.day_of(at)
    departments = {entry_id: entry_id.partition(".")[0] for entry_id in contents}
    for entry_id, department in departments.items():
        given = contents[entry_id].get("provider_org", department)
        if given != department:
            raise Forbidden(
                entry_id,
                found=f"an entry of `{given}` under the id of `{department}`, by {actor.org}",
                expected=f"provider_org: {department}",
                remedy="correct the provider, or give the entry the id of its department",
            )
    known = {one: organisations.present(connection, one, day) for one in {*departments.values()}}
    return {entry_id: known[department] for entry_id, department in departments.items()}


def _begin(
    connection: Connection,
    drafts: Sequence[Draft],
    contents: Contents,
    by: tuple[Actor, datetime],
) -> None:
    """Put first edits on record, each as the version after the last."""
    last = versions.last_numbers(connection, [draft.entry_id for draft in drafts])
    rows = []
    for draft in drafts:
        require_no_edit(draft)
        id_ = draft.entry_id
        fixed = {"entry_id": id_, "version": last.get(id_, 0) + 1, "edit": 1}
        state = {"state": EntryState.DRAFT.value}
        rows.append({**fixed, **state, **saved_values(draft, contents[id_], *by)})
    begun = versions.begin(connection, rows)
    for draft in drafts:
        if draft.entry_id not in begun:
            raise begun_meanwhile(draft)


def _edit(
    connection: Connection,
    drafts: Sequence[Draft],
    contents: Contents,
    before: Mapping[str, Version],
    *,
    by: tuple[Actor, datetime],
) -> None:
    changes = []
    for draft in drafts:
        was = before[draft.entry_id]
        require_state(was, EntryState.DRAFT, EntryState.RETURNED)
        require_same_edit(draft, was)
        values = saved_values(draft, contents[draft.entry_id], *by)
        changes.append((was, {**values, "state": EntryState.DRAFT.value, "edit": was.edit + 1}))
    versions.update_all(connection, changes)


def _open_clocks(
    connection: Connection,
    drafts: Sequence[Draft],
    orgs: Mapping[str, str],
    profile: str | None,
    by: tuple[Actor, datetime],
) -> None:
    if profile is None:
        return
    actor, at = by
    changed: dict[tuple[Any, ...], dict[str, str]] = defaultdict(dict)
    for draft in drafts:
        if draft.cause is not ChangeCause.INITIAL:
            why = (draft.cause, draft.changed_on, draft.cause_note)
            changed[why][draft.entry_id] = orgs[draft.entry_id]
    for why, entries in changed.items():
        declared = catalog_clock.Declared(entries, *why)
        catalog_clock.on_change(connection, declared, profile, actor=actor, now=at)


def _act(
    draft: Draft, contents: Contents, before: Version | None, by: tuple[Actor, datetime]
) -> Act:
    actor, at = by
    was = {"digest": before.digest, "edit": before.edit} if before else None
    now = {"digest": candidate.digest(contents[draft.entry_id]), "cause": draft.cause.value}
    action = Action.COMPILE_ENTRY
    return Act(actor, action, KIND, draft.entry_id, at, draft.cause_note, was, now)
