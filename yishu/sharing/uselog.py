"""The use log: one record of every served or denied call, written before its answer leaves.

Records are written in groups, chained by hash and committed in one transaction, which also looks
whether each grant is still open: so closing a channel ends it for every call that is not answered
yet, and a log that cannot be written serves nothing. Times in the chain never go back, whatever
the machine's clock does. Months are partitions, since whole months are forgotten at once.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from yishu.sharing.errors import UseNotRecorded
from yishu.sharing.vocabulary import GrantState

GENESIS = "0" * 64
UNKNOWN = "-"
"""Stands for a grant or body that a denied call did not prove."""

TOKEN = "token:"  # noqa: S105 - the beginning of a requester's name
"""What a requester is called by who came with a token; its id follows."""

KEPT = timedelta(days=3 * 366)
"""How long uses stay on record (Decree 809 Art.29)."""

_LOCK = 0x75736567
"""Advisory lock number of the end of the chain ("useg")."""

_KEY_CHARACTERS = 24


@dataclass(frozen=True)
class Use:
    """One call.

    Attributes:
        at: When, UTC; moved forward to the record before where a clock went back.
        row_keys: Keyed digests of the rows' keys; None: the whole projection.
        rows, bytes, digest: What was served; 0 and None of a denied call.
        outcome: ``served`` or ``denied``, with the reason.
        material: The material of the case that a licence stands in for, as the call named it.
    """

    at: datetime
    grant_id: str
    channel: str
    requester: str
    consumer_org: str
    provider_orgs: tuple[str, ...]
    purpose_code: str
    case_no: str | None
    object_id: str
    table_version: int | None
    run_id: str | None
    columns: tuple[str, ...]
    row_keys: tuple[str, ...] | None
    rows: int
    bytes: int
    digest: str | None
    outcome: str = "served"
    reason: str | None = None
    material: str | None = None


COLUMNS = (
    "at", "number", *(name for name in Use.__dataclass_fields__ if name != "at"),
    "previous_hash", "hash",
)  # fmt: skip


def denied(use: Use, reason: str) -> Use:
    """The record of the same call, not served."""
    return replace(use, outcome="denied", reason=reason, rows=0, bytes=0, digest=None, row_keys=())


def row_key(key: bytes, object_id: str, values: Iterable[Any]) -> str:
    """The keyed digest by which a row stands in the log: its key's values, never in clear."""
    plain = "\x1f".join([object_id, *(str(value) for value in values)])
    return hmac.digest(key, plain.encode(), "sha256").hex()[:_KEY_CHARACTERS]


def record_hash(values: Mapping[str, Any], previous: str) -> str:
    """SHA-256 of a record's canonical JSON and the hash of the record before, in hex."""
    facts = {name: values[name] for name in COLUMNS[:-2]}
    facts["at"] = values["at"].astimezone(UTC).isoformat()
    plain = json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}{plain}".encode()).hexdigest()


class UseLog:
    """Writes groups of uses; one object a process, safe to use from one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._months: set[str] = set()

    def append(self, uses: Sequence[Use]) -> list[Use]:
        """Put a group on record; each use as it was recorded: served, or denied after all.

        A use of a grant that is not open any more, or whose term is over, is recorded as denied:
        the caller must not answer it.

        Raises:
            UseNotRecorded: nothing of the group is on record, so nothing may be served.
        """
        try:
            return self._append(uses)
        except (SQLAlchemyError, psycopg.Error) as error:
            raise UseNotRecorded(
                "use log",
                found=type(getattr(error, "orig", None) or error).__name__,
                expected="a ledger database that takes the record",
                remedy="start it or make space; calls are refused until then",
            ) from None

    def newest(self) -> datetime | None:
        """When the last recorded use was; None when there is none."""
        with self._engine.connect() as connection:
            found = connection.execute(_NEWEST).one_or_none()
        return found.at if found else None

    def _append(self, uses: Sequence[Use]) -> list[Use]:
        with self._engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            number, previous, floor = _end(connection)
            uses = [replace(use, at=max(use.at, floor)) for use in uses]
            uses = _still_open(connection, uses)
            self._ensure_months(connection, uses)
            rows = []
            for use in uses:
                number += 1
                values = {**_stored(use), "number": number, "previous_hash": previous}
                previous = values["hash"] = record_hash(values, previous)
                rows.append(tuple(values[name] for name in COLUMNS))
            _copy(connection, rows)
        return list(uses)

    def _ensure_months(self, connection: Connection, uses: Sequence[Use]) -> None:
        for at in {use.at.strftime("%Y_%m"): use.at for use in uses}.values():
            name = at.strftime("%Y_%m")
            if name not in self._months:
                make_month(connection, at)
                self._months.add(name)


def make_month(connection: Connection, at: datetime, tablespace: str | None = None) -> str:
    """Make the partition of a moment's month unless it is there; its name.

    Args:
        connection: The caller's transaction.
        at: Any moment of the month, UTC.
        tablespace: Where to put it; None: where the database is.
    """
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1)
    name = f"ledger_use.use_record_{first:%Y_%m}"
    where = f" tablespace {tablespace}" if tablespace else ""
    connection.execute(
        text(
            f"create table if not exists {name} partition of ledger.use_record "
            f"for values from ('{first.isoformat()}') to ('{following.isoformat()}'){where}"
        )
    )
    return name


_NEWEST = text(
    "select at, number, hash from ledger.use_record order by at desc, number desc limit 1"
)

_STATES = text(
    "select grant_id, state, valid_from, valid_until from ledger.share_grant "
    "where grant_id = any(:grants) for share"
)


_REVOKED = text(
    "select token_id from ledger.share_token "
    "where token_id = any(:tokens) and revoked_at is not null"
)


def _end(connection: Connection) -> tuple[int, str, datetime]:
    found = connection.execute(_NEWEST).one_or_none()
    if found is None:
        return _sealed_end(connection)
    return found.number, found.hash, found.at


def _sealed_end(connection: Connection) -> tuple[int, str, datetime]:
    """The end of the chain when every record is forgotten: the last seal, or the beginning."""
    asked = "select number, hash, sealed_at from ledger.use_seal order by number desc limit 1"
    found = connection.execute(text(asked)).one_or_none()
    return tuple(found) if found else (0, GENESIS, datetime(1970, 1, 1, tzinfo=UTC))


def _still_open(connection: Connection, uses: Sequence[Use]) -> list[Use]:
    grants = sorted({use.grant_id for use in uses if use.outcome == "served"})
    if not grants:
        return list(uses)
    known = {row.grant_id: row for row in connection.execute(_STATES, {"grants": grants})}
    tokens = sorted({use.requester.removeprefix(TOKEN) for use in uses})
    revoked = set(connection.scalars(_REVOKED, {"tokens": tokens}))
    return [
        denied(use, reason) if (reason := _closed(use, known.get(use.grant_id), revoked)) else use
        for use in uses
    ]


def _closed(use: Use, grant: Any, revoked: set[str]) -> str | None:
    if use.outcome != "served":
        return None
    if grant is None:
        return "no such grant"
    if grant.state != GrantState.OPEN:
        return f"the channel is {grant.state}"
    if not grant.valid_from <= use.at < grant.valid_until:
        return "outside the term of the grant"
    if use.requester.startswith(TOKEN) and use.requester.removeprefix(TOKEN) in revoked:
        return "a revoked token"
    return None


def _stored(use: Use) -> dict[str, Any]:
    values = asdict(use)
    for name in ("provider_orgs", "columns", "row_keys"):
        values[name] = None if values[name] is None else list(values[name])
    return values


def _copy(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    raw = connection.connection.driver_connection
    if raw is None:
        raise TypeError("the ledger's connection has no driver connection")
    columns = ", ".join(COLUMNS)
    with (
        raw.cursor() as cursor,
        cursor.copy(f"copy ledger.use_record ({columns}) from stdin") as copy,
    ):
        for row in rows:
            copy.write_row(row)
