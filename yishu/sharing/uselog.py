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
from dataclasses import dataclass, replace
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

REVOKED = "a revoked token"
"""Why a call is denied whose grant is open, but has another token now."""

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

_HASHED = sorted(COLUMNS[:-2])
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def denied(use: Use, reason: str) -> Use:
    """The record of the same call, not served."""
    return replace(use, outcome="denied", reason=reason, rows=0, bytes=0, digest=None, row_keys=())


def row_key(key: bytes, object_id: str, values: Iterable[Any]) -> str:
    """The keyed digest by which a row stands in the log: its key's values, never in clear."""
    plain = "\x1f".join([object_id, *(str(value) for value in values)])
    return hmac.digest(key, plain.encode(), "sha256").hex()[:_KEY_CHARACTERS]


def record_hash(values: Mapping[str, Any], previous: str) -> str:
    """SHA-256 of a record's canonical JSON and the hash of the record before, in hex."""
    return _hash(canonical(values), previous)


def canonical(values: Mapping[str, Any]) -> str:
    """A record as JSON, without its place in the chain: the text that is hashed."""
    facts = {name: values[name] for name in _HASHED}
    facts["at"] = values["at"].astimezone(UTC).isoformat()
    return _encode(facts)


def _hash(plain: str, previous: str) -> str:
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
            # A month that was made in this transaction is undone with it.
            self._months.clear()
            raise UseNotRecorded(
                "use log",
                found=type(getattr(error, "orig", None) or error).__name__,
                expected="a ledger database that takes the record",
                remedy="start it or make space; calls are refused until then",
            ) from None

    def newest(self) -> datetime | None:
        """When the last recorded use was; None when there is none."""
        with self._engine.connect() as connection:
            found = connection.execute(text(_NEWEST)).one_or_none()
        return found.at if found else None

    def _append(self, uses: Sequence[Use]) -> list[Use]:
        # Two trips to the server: what is asked is sent at once, then rows and commit together.
        with self._engine.connect() as connection:
            raw = _driver(connection)
            end, known, revoked = _asked(raw, uses)
            number, previous, floor = end or _sealed_end(connection)
            uses = [replace(use, at=floor) if use.at < floor else use for use in uses]
            uses = _still_open(uses, known, revoked)
            self._ensure_months(connection, uses)
            rows = []
            for use in uses:
                number += 1
                plain = _plain(use, number)
                following = _hash(plain, previous)
                rows.append(f'{plain[:-1]},"previous_hash":"{previous}","hash":"{following}"}}')
                previous = following
            with raw.pipeline():
                raw.execute(_INSERT, [f"[{','.join(rows)}]"])
                raw.commit()
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


_LOCKED = f"select pg_advisory_xact_lock({_LOCK})"

_NEWEST = "select number, hash, at from ledger.use_record order by at desc, number desc limit 1"

_STATES = (
    "select grant_id, state, valid_from, valid_until from ledger.share_grant "
    "where grant_id = any(%s) for share"
)

_REVOKED = (
    "select token_id from ledger.share_token where token_id = any(%s) and revoked_at is not null"
)

_INSERT = (
    "insert into ledger.use_record select * from "
    "json_populate_recordset(null::ledger.use_record, %s::json)"
)

_Raw = psycopg.Connection[tuple[Any, ...]]


def _asked(
    raw: _Raw, uses: Sequence[Use]
) -> tuple[Any | None, dict[str, tuple[Any, ...]], set[str]]:
    """The chain's end, the grants that are used, and their revoked tokens; the end is locked."""
    grants = sorted({use.grant_id for use in uses if use.outcome == "served"})
    tokens = sorted({use.requester.removeprefix(TOKEN) for use in uses})
    with raw.pipeline():
        raw.execute(_LOCKED)
        end = raw.execute(_NEWEST)
        states = raw.execute(_STATES, [grants])
        revoked = raw.execute(_REVOKED, [tokens])
        return end.fetchone(), {row[0]: row[1:] for row in states}, {row[0] for row in revoked}


def _sealed_end(connection: Connection) -> tuple[int, str, datetime]:
    """The end of the chain when every record is forgotten: the last seal, or the beginning."""
    asked = "select number, hash, sealed_at from ledger.use_seal order by number desc limit 1"
    found = connection.execute(text(asked)).one_or_none()
    return tuple(found) if found else (0, GENESIS, datetime(1970, 1, 1, tzinfo=UTC))


def _still_open(
    uses: Sequence[Use], known: Mapping[str, tuple[Any, ...]], revoked: set[str]
) -> list[Use]:
    return [
        denied(use, reason) if (reason := _closed(use, known.get(use.grant_id), revoked)) else use
        for use in uses
    ]


def _closed(use: Use, grant: Any, revoked: set[str]) -> str | None:
    if use.outcome != "served":
        return None
    if grant is None:
        return "no such grant"
    state, valid_from, valid_until = grant
    if state != GrantState.OPEN:
        return f"the channel is {state}"
    if not valid_from <= use.at < valid_until:
        return "outside the term of the grant"
    if use.requester.startswith(TOKEN) and use.requester.removeprefix(TOKEN) in revoked:
        return REVOKED
    return None


def _plain(use: Use, number: int) -> str:
    values = {**use.__dict__, "number": number}
    plain = canonical(values)
    if "\\u0000" not in plain:
        return plain
    # No column of the database holds a NUL, which only a forged call sends.
    return canonical({name: _without_nul(value) for name, value in values.items()})


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


def _driver(connection: Connection) -> _Raw:
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the ledger's connection is none of psycopg")
    return raw
