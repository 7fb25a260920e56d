"""Versions of catalog entries as they are on record: one, all of an entry, the whole on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, update

from catalog.diff import Change, differences
from catalog.model import Retention
from catalog.vocabulary import ChangeCause, EntryState
from yishu.governance.errors import NotFound
from yishu.ledger.bulk import insert_all
from yishu.ledger.models import CatalogVersion as Row

OPEN = (EntryState.DRAFT, EntryState.SUBMITTED, EntryState.RETURNED, EntryState.APPROVED)
"""States of a version that is still on its way; an entry has one such version at most."""


@dataclass(frozen=True)
class Version:
    """One version of an entry.

    Attributes:
        content: The entry as its YAML file has it, without what reviewing and publishing fill in.
        digest: SHA-256 of the content.
        edit: Counts the edits of a draft: who saves says which edit was read.
        changed_on: Declared date of the change that is the cause.
        ruleset: Version of the compilation rules that it was checked against; None: not yet.
        opinion: Why it was returned or revoked, or what the reviewer said.
        remarks: What the reviewer and the checks found, each with ``path`` and ``text``.
    """

    entry_id: str
    version: int
    state: EntryState
    provider_org: str
    name: str
    content: dict[str, Any]
    digest: str
    edit: int
    cause: ChangeCause
    cause_note: str
    changed_on: date
    ruleset: int | None
    compiled_person: str
    compiled_account: str
    edited_at: datetime
    submitted_at: datetime | None
    reviewed_person: str | None
    reviewed_account: str | None
    reviewed_at: datetime | None
    opinion: str | None
    remarks: tuple[dict[str, str], ...]
    published_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Heading:
    """What a list shows of a version; the closed sets' values are None in an unfinished draft."""

    entry_id: str
    version: int
    state: EntryState
    provider_org: str
    name: str
    resource_code: str | None
    data_kind: str | None
    share_type: str | None
    open_type: str | None
    update_cycle: str | None
    edited_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    ended_at: datetime | None


_HEADING = tuple(getattr(Row, field.name) for field in fields(Heading))
_STATES = {state.value: state for state in EntryState}
_VERSION = tuple(getattr(Row, field.name) for field in fields(Version))


def version(connection: Connection, entry_id: str, number: int) -> Version:
    """One version of an entry.

    Raises:
        NotFound: there is none of that number.
    """
    found = _one(connection, select(*_VERSION).where(Row.version == number), entry_id)
    return found or _missing(entry_id, f"version {number}")


def open_version(connection: Connection, entry_id: str, *, lock: bool = False) -> Version | None:
    """The version that is on its way, or None; ``lock`` keeps others from deciding meanwhile."""
    asked = select(*_VERSION).where(Row.state.in_(OPEN))
    return _one(connection, asked.with_for_update() if lock else asked, entry_id)


def open_edits(connection: Connection) -> dict[str, int]:
    """The edit of every version that is on its way, by entry."""
    asked = select(Row.entry_id, Row.edit).where(Row.state.in_(OPEN))
    return {row.entry_id: row.edit for row in connection.execute(asked)}


def open_versions(
    connection: Connection, entry_ids: Iterable[str], *, lock: bool = False
) -> dict[str, Version]:
    """Of these entries the versions that are on their way, by entry; ``lock`` as `open_version`."""
    asked = select(*_VERSION).where(Row.state.in_(OPEN), Row.entry_id.in_(list(entry_ids)))
    # In one order, so that two files at once wait for one another and never for good.
    asked = asked.order_by(Row.entry_id)
    found = connection.execute(asked.with_for_update() if lock else asked)
    return {row.entry_id: _version(row) for row in found}


def last_numbers(connection: Connection, entry_ids: Iterable[str]) -> dict[str, int]:
    """The number of the last version of each of these entries that has one."""
    newest = func.max(Row.version).label("number")
    asked = select(Row.entry_id, newest).where(Row.entry_id.in_(list(entry_ids)))
    found = connection.execute(asked.group_by(Row.entry_id))
    return {row.entry_id: row.number for row in found}


def begin(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Put first edits on record; the entries of those that no version was on its way of."""
    return {row.entry_id for row in insert_all(connection, Row, rows)}


def update_all(
    connection: Connection, changes: Sequence[tuple[Version, Mapping[str, Any]]]
) -> None:
    """Change many versions, all in the same columns."""
    if not changes:
        return
    key = (Row.entry_id == bindparam("of_entry"), Row.version == bindparam("of_version"))
    rows = [
        {"of_entry": one.entry_id, "of_version": one.version, **values} for one, values in changes
    ]
    connection.execute(update(Row).where(*key), rows)


def in_force(connection: Connection, entry_id: str, *, lock: bool = False) -> Version | None:
    """The published version, or None."""
    asked = select(*_VERSION).where(Row.state == EntryState.PUBLISHED)
    return _one(connection, asked.with_for_update() if lock else asked, entry_id)


def history(connection: Connection, entry_id: str) -> list[Version]:
    """Every version of an entry, newest first."""
    asked = select(*_VERSION).where(Row.entry_id == entry_id).order_by(Row.version.desc())
    return [_version(row) for row in connection.execute(asked)]


def diff(connection: Connection, entry_id: str, before: int, after: int) -> tuple[Change, ...]:
    """What changed between any two versions, in a clerk's words.

    Raises:
        NotFound: one of them is not on record.
    """
    old, new = (version(connection, entry_id, number) for number in (before, after))
    return differences(old.content, new.content)


def as_of(connection: Connection, at: datetime) -> list[Heading]:
    """The whole catalog as it was published at a moment, in order of ids."""
    asked = select(*_HEADING).where(*_published_at(at)).order_by(Row.entry_id)
    return [_heading(row) for row in connection.execute(asked)]


def entry_as_of(connection: Connection, entry_id: str, at: datetime) -> Version | None:
    """The version of an entry that was published at a moment; None: it was not published."""
    return _one(connection, select(*_VERSION).where(*_published_at(at)), entry_id)


def published(connection: Connection) -> list[Version]:
    """Every published version with its content, in order of ids."""
    asked = select(*_VERSION).where(Row.state == EntryState.PUBLISHED).order_by(Row.entry_id)
    return [_version(row) for row in connection.execute(asked)]


def retention_of_withdrawn(connection: Connection) -> dict[str, Retention]:
    """How long what is kept of withdrawn entries is kept: as long as their last version said."""
    newest = (
        select(Row.entry_id, Row.content["retention"].label("retention"))
        .where(Row.state == EntryState.REVOKED)
        .order_by(Row.entry_id, Row.version)
    )
    kept = {row.entry_id: Retention(**(row.retention or {})) for row in connection.execute(newest)}
    again = select(Row.entry_id).where(Row.state == EntryState.PUBLISHED)
    for entry_id in connection.execute(again).scalars():
        kept.pop(entry_id, None)
    return kept


def listed(
    connection: Connection,
    *,
    states: Sequence[EntryState] = (),
    org: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Heading]:
    """Versions by state (none: all) and providing body; drafts last, the rest by submission."""
    order = (Row.state == EntryState.DRAFT, Row.submitted_at.nulls_last(), Row.entry_id)
    asked = _chosen(select(*_HEADING), states, org).order_by(*order).offset(offset).limit(limit)
    return [_heading(row) for row in connection.execute(asked)]


def counted(
    connection: Connection, *, states: Sequence[EntryState] = (), org: str | None = None
) -> int:
    """How many versions `listed` would tell of."""
    asked = _chosen(select(func.count()).select_from(Row), states, org)
    return int(connection.execute(asked).scalar_one())


def _chosen(asked: Select[Any], states: Sequence[EntryState], org: str | None) -> Select[Any]:
    found = asked.where(Row.state.in_(states)) if states else asked
    return found if org is None else found.where(Row.provider_org == org)


def inbox(connection: Connection, *, offset: int = 0, limit: int | None = None) -> list[Heading]:
    """What waits for the data authority, oldest submission first."""
    states = (EntryState.SUBMITTED, EntryState.APPROVED)
    return listed(connection, states=states, offset=offset, limit=limit)


def _published_at(at: datetime) -> tuple[Any, ...]:
    return (Row.published_at <= at, (Row.ended_at.is_(None)) | (Row.ended_at > at))


def _one(connection: Connection, asked: Select[Any], entry_id: str) -> Version | None:
    row = connection.execute(asked.where(Row.entry_id == entry_id)).one_or_none()
    return None if row is None else _version(row)


def _version(row: Any) -> Version:
    values = row._asdict()
    return Version(
        **{
            **values,
            "state": EntryState(values["state"]),
            "cause": ChangeCause(values["cause"]),
            "remarks": tuple(values["remarks"]),
        }
    )


def _heading(row: Any) -> Heading:
    entry_id, number, state, *rest = row
    return Heading(entry_id, number, _STATES[state], *rest)


def _missing(entry_id: str, what: str) -> Version:
    raise NotFound(
        entry_id,
        found=f"no {what} on record",
        expected="a version that `yishu catalog history` lists",
        remedy="list the versions of the entry and choose one",
    )
