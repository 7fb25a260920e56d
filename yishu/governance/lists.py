"""Published lists: each publication is a version with its date and basis, compared row by row.

One facility for the five lists of S001 and S002, the material catalog, the list of shared licences
and the province's items: a list of a body is a mapping from a row's key to its content.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from catalog.roles import Action
from catalog.vocabulary import ListKind
from yishu.governance.candidate import day_of
from yishu.governance.errors import NotFound, ReasonMissing
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import PublishedList as Row
from yishu.ledger.models import PublishedListRow

KIND = "published_list"

Rows = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ListVersion:
    """A version of a list; ``digest`` is that of its rows."""

    kind: ListKind
    org: str
    version: int
    published_on: date
    basis: str
    digest: str


@dataclass(frozen=True)
class RowChange:
    """A row that differs: ``before`` None was added, ``after`` None was taken out."""

    row_key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def kind(self) -> str:
        """``added``, ``cancelled`` or ``changed``."""
        if self.before is None:
            return "added"
        return "cancelled" if self.after is None else "changed"


@dataclass(frozen=True)
class Publication:
    """What is published: the whole list of a body, on a basis such as the 编办's decision."""

    kind: ListKind
    org: str
    rows: Rows
    basis: str


def publish(connection: Connection, wanted: Publication, actor: Actor, at: datetime) -> ListVersion:
    """Publish a list as its next version; the same rows as the last version change nothing.

    Raises:
        Forbidden: the role may not maintain lists.
        ReasonMissing: no basis.
    """
    require(actor, Action.MAINTAIN_ITEMS, wanted.kind.value)
    if not wanted.basis.strip():
        raise ReasonMissing(
            wanted.kind.label_zh,
            found="a list without its basis",
            expected="the decision that it rests on (OWN-09: of the 编办 for the power list)",
            remedy="name the decision",
        )
    before = latest(connection, wanted.kind, wanted.org)
    digest = rows_digest(wanted.rows)
    if before is not None and before.digest == digest:
        return before
    number = before.version + 1 if before else 1
    made = ListVersion(wanted.kind, wanted.org, number, day_of(at), wanted.basis, digest)
    connection.execute(
        insert(Row).values(
            {**vars(made), "kind": made.kind.value, "published_account": actor.account}
        )
    )
    key = {"kind": made.kind.value, "org": made.org, "version": number}
    if wanted.rows:
        rows = [{**key, "row_key": id_, "content": dict(row)} for id_, row in wanted.rows.items()]
        connection.execute(insert(PublishedListRow), rows)
    after = {"version": number, "rows": len(wanted.rows), "digest": digest}
    name = f"{made.kind.value}/{made.org}"
    append(connection, Act(actor, Action.MAINTAIN_ITEMS, KIND, name, at, wanted.basis, None, after))
    return made


def latest(
    connection: Connection, kind: ListKind, org: str, on: date = date.max
) -> ListVersion | None:
    """The version of a list in force on a day; None: none was published yet."""
    asked = (
        select(Row)
        .where(Row.kind == kind.value, Row.org == org, Row.published_on <= on)
        .order_by(Row.version.desc())
        .limit(1)
    )
    row = connection.execute(asked).mappings().one_or_none()
    return None if row is None else _version(row)


def versions(connection: Connection, kind: ListKind, org: str) -> list[ListVersion]:
    """Every version of a list, newest first."""
    asked = select(Row).where(Row.kind == kind.value, Row.org == org).order_by(Row.version.desc())
    return [_version(row) for row in connection.execute(asked).mappings()]


def bodies(connection: Connection) -> list[str]:
    """Bodies that have published a list, in order of ids."""
    return list(connection.execute(select(Row.org).distinct().order_by(Row.org)).scalars())


def rows(connection: Connection, version: ListVersion) -> dict[str, dict[str, Any]]:
    """The rows of a version by key."""
    asked = (
        select(PublishedListRow.row_key, PublishedListRow.content)
        .where(
            PublishedListRow.kind == version.kind.value,
            PublishedListRow.org == version.org,
            PublishedListRow.version == version.version,
        )
        .order_by(PublishedListRow.row_key)
    )
    return {row.row_key: row.content for row in connection.execute(asked)}


def rows_on(
    connection: Connection, kind: ListKind, org: str, on: date = date.max
) -> dict[str, dict[str, Any]]:
    """The rows of the version in force on a day; none when nothing was published yet."""
    version = latest(connection, kind, org, on)
    return {} if version is None else rows(connection, version)


def diff(
    connection: Connection, kind: ListKind, org: str, before: int, after: int
) -> list[RowChange]:
    """What differs between two versions, row by row.

    Raises:
        NotFound: one of them was not published.
    """
    old, new = (rows(connection, _named(connection, kind, org, n)) for n in (before, after))
    return changes(old, new)


def changes(before: Rows, after: Rows) -> list[RowChange]:
    """What differs between two lists, row by row, in order of keys; pure."""
    return [
        RowChange(key, before.get(key), after.get(key))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def rows_digest(given: Rows) -> str:
    """SHA-256 over all rows, whatever their order: the checksum that two sides compare."""
    plain = json.dumps(
        {key: dict(row) for key, row in given.items()}, sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(plain.encode()).hexdigest()


def require_licences(connection: Connection, types: Collection[str], on: date) -> None:
    """Let licence types be registered that are on a list in force (S004 Art.26).

    As long as no body has published a list of shared licences, the code list of the catalog is it.

    Raises:
        NotFound: one of them is on no list.
    """
    found = [latest(connection, ListKind.SHARED_LICENCE, org, on) for org in bodies(connection)]
    versions_on = [one for one in found if one is not None]
    listed = {key for one in versions_on for key in rows(connection, one)}
    missing = sorted(set(types) - listed)
    if versions_on and missing:
        told = "; ".join(f"version {one.version} of {one.published_on}" for one in versions_on)
        raise NotFound(
            ", ".join(missing),
            found=f"licence types that are not on the list of shared licences ({told})",
            expected="types on the list in force",
            remedy="have them put on the list first, in a new version",
        )


def _named(connection: Connection, kind: ListKind, org: str, number: int) -> ListVersion:
    asked = select(Row).where(Row.kind == kind.value, Row.org == org, Row.version == number)
    row = connection.execute(asked).mappings().one_or_none()
    if row is None:
        raise NotFound(
            f"{kind.label_zh} of {org}",
            found=f"no version {number}",
            expected="a published version",
            remedy="choose another one",
        )
    return _version(row)


def _version(row: Mapping[Any, Any]) -> ListVersion:
    kept = {name: row[name] for name in ListVersion.__dataclass_fields__}
    return ListVersion(**{**kept, "kind": ListKind(row["kind"])})
