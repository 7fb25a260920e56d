"""Checking the use log: seals, the chain recomputed, and forgetting what is past its time.

The checker needs records, seals and the public key, nothing else: an auditor runs it on an export,
offline. A seal is an Ed25519 signature over where the chain stood.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Row, text

from yishu.ledger.seal import key_id
from yishu.sharing.errors import UseLogBroken
from yishu.sharing.uselog import GENESIS, KEPT, record_hash


@dataclass(frozen=True)
class Checked:
    """What a check found sound: how many records, up to which number they are sealed."""

    records: int
    last: int
    sealed_to: int


def seal(connection: Connection, key: Ed25519PrivateKey, at: datetime) -> int | None:
    """Seal the chain as it stands; the number it is sealed to, None when nothing is new.

    The end of each month has a seal of its own, from which the chain goes on once the month is
    forgotten.
    """
    sealed_to = None
    for month in _months(connection):
        end = _end(connection, month)
        if end is None or connection.scalar(text(_IS_SEALED), {"number": end.number}):
            continue
        before = connection.scalar(text(_SEALED_BEFORE), {"number": end.number}) or 0
        facts = {
            "number": end.number,
            "first_number": before + 1,
            "hash": end.hash,
            "sealed_at": at.astimezone(UTC),
        }
        signed = {"key_id": key_id(key.public_key()), "signature": key.sign(_told(facts)).hex()}
        connection.execute(text(_SEAL), {**facts, **signed})
        sealed_to = int(end.number)
    return sealed_to


def check(
    records: Iterable[Mapping[str, Any]],
    seals: Iterable[Mapping[str, Any]],
    public: Ed25519PublicKey,
) -> Checked:
    """Recompute the chain and compare it with its seals.

    Args:
        records: Every kept record, in order of their numbers.
        seals: Every seal.
        public: The key that the seals were made with.

    Raises:
        UseLogBroken: a record was changed, removed or put in, or a seal is not ours.
    """
    sealed = {one["number"]: one for one in seals}
    for one in sealed.values():
        _check_signature(one, public)
    previous, expected, count, number, sealed_to = None, None, 0, 0, 0
    for record in records:
        number = record["number"]
        if previous is None:
            # Older months are forgotten; then the seal before says where the chain stood.
            before = sealed.get(number - 1)
            previous = before["hash"] if before else GENESIS if number == 1 else None
        if expected not in (None, number) or record["previous_hash"] != previous:
            raise _broken(number, "a chain that does not continue here")
        if record_hash(record, previous) != record["hash"]:
            raise _broken(number, "a record that was changed")
        previous, expected, count = record["hash"], number + 1, count + 1
        if number in sealed:
            if sealed[number]["hash"] != previous:
                raise _broken(number, "another chain than was sealed")
            sealed_to = number
    if sealed and max(sealed) > max(number, sealed_to):
        raise _broken(max(sealed), "records missing that were sealed")
    return Checked(count, number, sealed_to)


def records(connection: Connection) -> Iterator[Mapping[str, Any]]:
    """Every kept record, in order, streamed."""
    asked = connection.execution_options(stream_results=True, max_row_buffer=1_000)
    for row in asked.execute(text("select * from ledger.use_record order by at, number")):
        yield dict(row._mapping)


def seals(connection: Connection) -> list[Mapping[str, Any]]:
    """Every seal, in order."""
    found = connection.execute(text("select * from ledger.use_seal order by number"))
    return [dict(row._mapping) for row in found]


def export(connection: Connection, path: Path) -> int:
    """Write records and seals as JSON lines, for a check somewhere else; how many lines."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for kind, rows in (("seal", seals(connection)), ("record", records(connection))):
            for row in rows:
                file.write(json.dumps({"kind": kind, **row}, ensure_ascii=False, default=_plain))
                file.write("\n")
                count += 1
    return count


def check_export(path: Path, public: Ed25519PublicKey) -> Checked:
    """Check an exported log, offline; raises like ``check``."""
    with path.open(encoding="utf-8") as file:
        lines = [_revived(json.loads(line)) for line in file]
    found = {kind: [one for one in lines if one["kind"] == kind] for kind in ("record", "seal")}
    return check(found["record"], found["seal"], public)


def forget(connection: Connection, at: datetime) -> list[str]:
    """Drop the months that are past their time and sealed to their end; their names.

    The oldest first and none past one that stays, so that the chain has no gap; the newest month
    stays whatever its age, for the chain goes on from it.
    """
    gone = []
    for month in _months(connection)[:-1]:
        end = _end(connection, month)
        if end is not None:
            is_sealed = connection.scalar(text(_IS_SEALED), {"number": end.number})
            if end.at >= at - KEPT or not is_sealed:
                break
        connection.execute(text(f"drop table ledger_use.{month}"))
        gone.append(month)
    return gone


def _months(connection: Connection) -> Sequence[str]:
    """The partitions, the oldest first."""
    return connection.scalars(text(_MONTHS)).all()


def _end(connection: Connection, month: str) -> Row[Any] | None:
    """Number, hash and moment of the last record of a month."""
    asked = f"select number, hash, at from ledger_use.{month} order by at desc, number desc limit 1"
    return connection.execute(text(asked)).one_or_none()


_IS_SEALED = "select 1 from ledger.use_seal where number = :number"
_SEALED_BEFORE = "select max(number) from ledger.use_seal where number < :number"
_SEAL = (
    "insert into ledger.use_seal (number, first_number, hash, sealed_at, key_id, signature) "
    "values (:number, :first_number, :hash, :sealed_at, :key_id, :signature)"
)
_MONTHS = (
    "select tablename as name from pg_tables where schemaname = 'ledger_use' "
    "and tablename <= 'use_record_9999_99' order by tablename"
)


def _told(facts: Mapping[str, Any]) -> bytes:
    at = facts["sealed_at"].astimezone(UTC).isoformat()
    return f"{facts['first_number']}\n{facts['number']}\n{facts['hash']}\n{at}".encode()


def _check_signature(one: Mapping[str, Any], public: Ed25519PublicKey) -> None:
    try:
        public.verify(bytes.fromhex(one["signature"]), _told(one))
    except (InvalidSignature, ValueError):
        raise _broken(one["number"], "a seal that this key did not make") from None


def _broken(number: int, found: str) -> UseLogBroken:
    return UseLogBroken(
        f"use log, record {number}",
        found=found,
        expected="every record as it was written, sealed by our key",
        remedy="keep the database as it is and call the auditor; compare with the last backup",
    )


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} is no part of a record")


def _revived(line: dict[str, Any]) -> dict[str, Any]:
    for name in ("at", "sealed_at"):
        if name in line:
            line[name] = datetime.fromisoformat(line[name])
    return line
