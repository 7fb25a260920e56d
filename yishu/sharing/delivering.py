"""Deliveries: files and batches of a grant, each with a number, a receipt, and reconciled counts.

A delivery is begun in the ledger and in the use log, then pushed, then confirmed. Killed anywhere
it is done again under the same number, and the other side has it once.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from openlineage.client.transport import Transport
from sqlalchemy import Connection, Row, insert, select, text, update

from yishu.ledger.models import ShareDelivery
from yishu.library.place import make_private
from yishu.lineage import DatasetName, Moment
from yishu.sharing import exchange, files, lineage, manifest, push
from yishu.sharing.errors import AccessDenied, DeliveryFailed, SharingError
from yishu.sharing.house import House, Ready, ready, use_of
from yishu.sharing.opening import open_grants
from yishu.sharing.uselog import UseLog
from yishu.sharing.vocabulary import GrantState, ShareFormat

PUSHED = (ShareFormat.DATABASE, *files.SUFFIX)
"""Formats that are delivered; the others are asked for by their readers."""


@dataclass(frozen=True)
class Delivered:
    """A delivery that the other side has.

    Attributes:
        file: The delivered file where it is kept for download; None of a batch.
    """

    delivery_id: str
    grant_id: str
    batch_no: int
    version: int
    rows: int
    content_digest: str
    file: Path | None


@dataclass(frozen=True)
class Failed:
    """A delivery that could not be made: why, as an error's code and text."""

    grant_id: str
    code: str
    text: str


def deliver(
    house: House,
    grant_id: str,
    connections: Mapping[str, str],
    transport: Transport | None = None,
) -> Delivered | None:
    """Deliver the newest version of an open grant; None when the consumer has it already.

    Args:
        house: Where to serve from.
        grant_id: The grant.
        connections: Connection id -> URL, for pushes.
        transport: Where lineage is told; None: nowhere.

    Raises:
        DeliveryFailed: the other side did not take it; the next call tries again.
        SharingError: the grant is held, stale or not open.
    """
    with _alone(house, grant_id):
        return _deliver(house, grant_id, connections, transport)


@contextmanager
def _alone(house: House, grant_id: str) -> Iterator[None]:
    """One delivery of a grant at a time, whoever asks: the hourly run, a command, a download."""
    with house.engine.begin() as connection:
        connection.execute(_LOCK, {"grant_id": grant_id})
        yield


_LOCK = text("select pg_advisory_xact_lock(hashtext('delivery'), hashtext(:grant_id))")


def _deliver(
    house: House, grant_id: str, connections: Mapping[str, str], transport: Transport | None
) -> Delivered | None:
    begun = _begin(house, grant_id)
    if begun is None:
        return None
    served, row = begun
    try:
        received, receipt, file = _push(house, served, row, connections)
    except DeliveryFailed:
        _finish(house, row, state="failed")
        raise
    if received != row.sent:
        _finish(house, row, state="failed", received=received)
        raise _uneven(row, received)
    _finish(house, row, state="delivered", received=received, receipt=receipt)
    _tell(house, served, row, connections, transport)
    return Delivered(
        row.delivery_id,
        grant_id,
        row.batch_no,
        row.table_version,
        row.sent,
        row.content_digest,
        file,
    )


def deliver_all(
    house: House, connections: Mapping[str, str], transport: Transport | None = None
) -> tuple[list[Delivered], list[Failed]]:
    """Deliver every open grant whose data are pushed; one failure stops no other."""
    with house.engine.begin() as connection:
        desk = house.desk(connection)
        due = [
            grant.grant_id
            for grant in open_grants(desk)
            if grant.format in PUSHED and grant.valid_from <= desk.at < grant.valid_until
        ]
    done, failed = [], []
    for grant_id in due:
        try:
            made = deliver(house, grant_id, connections, transport)
        except SharingError as error:
            failed.append(Failed(grant_id, error.code, str(error)))
        else:
            done += [made] if made else []
    return done, failed


def _tell(
    house: House,
    served: Ready,
    row: Row[Any],
    connections: Mapping[str, str],
    transport: Transport | None,
) -> None:
    """Lineage, on to the consumer's own table or files where the delivery went there."""
    if transport is None:
        return
    moment = Moment(row.delivery_id, at=house.clock())
    transport.emit(lineage.delivery_event(served, moment, served.projection.rows))
    if served.grant.destination:
        transport.emit(lineage.onward_event(served, moment, _pushed(served, connections)))


def _pushed(served: Ready, connections: Mapping[str, str]) -> DatasetName:
    """Where at the consumer's a delivery went."""
    grant = served.grant
    if grant.format == ShareFormat.DATABASE:
        connection_id, table = _place(served)
        return lineage.pushed_table(connection_id, _url(connections, connection_id), table)
    url = _url(connections, grant.destination)
    return lineage.pushed_files(grant.destination, url, grant.grant_id, ShareFormat(grant.format))


def _place(served: Ready) -> tuple[str, str]:
    """Connection and table of a batch exchange: ``hr_db`` or ``hr_db/table``."""
    connection_id, _, table = (served.grant.destination or "").partition("/")
    return connection_id, table or served.grant.object_id.replace(".", "_")


def _begin(house: House, grant_id: str) -> tuple[Ready, Row[Any]] | None:
    with house.engine.begin() as connection:
        house.desk(connection).grant(grant_id, GrantState.OPEN)
        served = ready(house, connection, grant_id)
        last = last_delivery(connection, grant_id)
        if last is not None and _has(house, last, served.projection.version):
            return None
        row = _begun(house, connection, served, last)
    use = use_of(
        served,
        house.clock(),
        "exchange" if served.grant.format == ShareFormat.DATABASE else "file",
        "deliver_shares",
        rows=served.projection.rows,
        bytes=sum(path.stat().st_size for path in served.projection.files),
        digest=row.content_digest,
    )
    (recorded,) = UseLog(house.engine).append([use])
    if recorded.outcome != "served":
        raise AccessDenied(
            grant_id,
            found=recorded.reason or "denied",
            expected="an open grant in its term",
            remedy="look at the grant's timeline",
            status=403,
        )
    return served, row


def _has(house: House, last: Row[Any], version: int) -> bool:
    """Whether the last delivery is of this version, and what is kept of it is still there."""
    name = last.receipt.get("file")
    is_there = name is None or (folder_of(house, last.grant_id) / name).exists()
    return bool(last.state == "delivered" and last.table_version == version and is_there)


def folder_of(house: House, grant_id: str) -> Path:
    """Where the files of a grant's deliveries lie."""
    return house.folder / "deliveries" / grant_id


def forget(house: House, grant_id: str) -> None:
    """Delete the files of a grant's deliveries, and what its batches are compared with."""
    for folder in (folder_of(house, grant_id), _state_file(house, grant_id, 0).parent):
        shutil.rmtree(folder, ignore_errors=True)


def last_delivery(connection: Connection, grant_id: str) -> Row[Any] | None:
    """The newest delivery of a grant, begun or done; None when there is none."""
    asked = select(ShareDelivery.__table__).where(ShareDelivery.grant_id == grant_id)
    found: Row[Any] | None = connection.execute(
        asked.order_by(ShareDelivery.batch_no.desc()).limit(1)
    ).one_or_none()
    return found


def _begun(house: House, connection: Any, served: Ready, last: Row[Any] | None) -> Row[Any]:
    """The delivery's row: a new number, or the last one again when it never arrived."""
    is_again = last is not None and last.state != "delivered"
    number = last.batch_no if last and is_again else (last.batch_no if last else 0) + 1
    grant, projection = served.grant, served.projection
    values = {
        "channel": grant.format,
        "table_name": projection.table,
        "table_version": projection.version,
        "state": "started",
        "sent": _count(house, served, number),
        "received": None,
        "content_digest": projection.content_digest(),
        "receipt": {},
        "started_at": house.clock(),
        "finished_at": None,
    }
    delivery_id = f"{grant.grant_id}-{number:06d}"
    if is_again:
        where = ShareDelivery.delivery_id == delivery_id
        connection.execute(update(ShareDelivery).where(where).values(values))
    else:
        named = {"delivery_id": delivery_id, "grant_id": grant.grant_id, "batch_no": number}
        connection.execute(insert(ShareDelivery).values({**named, **values}))
    asked = select(ShareDelivery.__table__).where(ShareDelivery.delivery_id == delivery_id)
    found: Row[Any] = connection.execute(asked).one()
    return found


def _count(house: House, served: Ready, batch_no: int) -> int:
    if served.grant.format != ShareFormat.DATABASE:
        return served.projection.rows
    return len(_changes(house, served, batch_no))


def _push(
    house: House, served: Ready, row: Row[Any], connections: Mapping[str, str]
) -> tuple[int, dict[str, Any], Path | None]:
    if served.grant.format == ShareFormat.DATABASE:
        return _push_batch(house, served, row, connections)
    return _push_file(house, served, row, connections)


def _push_batch(
    house: House, served: Ready, row: Row[Any], connections: Mapping[str, str]
) -> tuple[int, dict[str, Any], None]:
    connection_id, name = _place(served)
    facts = {
        "batch_no": row.batch_no,
        "sent_at": row.started_at,
        "grant_id": row.grant_id,
        "content_digest": row.content_digest,
    }
    changes = _changes(house, served, row.batch_no)
    url = _url(connections, connection_id)
    there = push.batch_to(url, connection_id, name, changes, facts)
    if there == len(changes):
        _keep_state(house, served, row.batch_no)
    return there, {"table": name, "rows": there}, None


def _push_file(
    house: House, served: Ready, row: Row[Any], connections: Mapping[str, str]
) -> tuple[int, dict[str, Any], Path]:
    folder = folder_of(house, row.grant_id)
    make_private(folder)
    kind = ShareFormat(served.grant.format)
    path = folder / f"{row.delivery_id}.{files.SUFFIX[kind]}"
    partial = path.with_suffix(".part")
    projection = served.projection
    about = manifest.about(served, row)
    files.write(partial, kind, projection.schema, projection.batches(), about)
    partial.replace(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    told = manifest.manifest(served, row, path, digest)
    beside = manifest.place(path)
    beside.write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    received = files.read_back(path, kind, projection.schema).num_rows
    receipt = {"file": path.name, "sha256": digest, "rows": received}
    if served.grant.destination:
        # The manifest comes last: whoever sees it finds the file complete.
        url = _url(connections, served.grant.destination)
        there = push.files_to(url, served.grant.destination, [path, beside])
        receipt["at_destination"] = there[path.name]
        if there[path.name] != digest:
            raise _uneven(row, 0)
    return received, receipt, path


def _state_file(house: House, grant_id: str, batch_no: int) -> Path:
    """What the consumer has after a batch; a batch sent again starts from the one before."""
    return house.folder / "delivered" / grant_id / f"{batch_no:06d}.parquet"


def _changes(house: House, served: Ready, batch_no: int) -> exchange.Changes:
    before = _state_file(house, served.grant.grant_id, batch_no - 1)
    projection = served.projection
    now = pa.Table.from_batches(projection.batches(), projection.schema)
    known = pq.read_table(before) if before.exists() else None
    key = [one for one in served.key if one not in served.grant.masks]
    return exchange.changes(known, now, key if len(key) == len(served.object_.key) else ())


def _keep_state(house: House, served: Ready, batch_no: int) -> None:
    """Remember what the consumer has now, for the next batch's changes."""
    kept = _state_file(house, served.grant.grant_id, batch_no)
    make_private(kept.parent)
    beside = kept.with_suffix(".part")
    projection = served.projection
    with pq.ParquetWriter(beside, projection.schema, compression="zstd") as writer:
        for batch in projection.batches():
            writer.write_batch(batch)
    beside.replace(kept)
    for older in sorted(kept.parent.glob("*.parquet"))[:-2]:
        older.unlink()


def _finish(house: House, row: Row[Any], **values: Any) -> None:
    where = ShareDelivery.delivery_id == row.delivery_id
    with house.engine.begin() as connection:
        connection.execute(
            update(ShareDelivery).where(where).values(finished_at=house.clock(), **values)
        )


def _url(connections: Mapping[str, str], connection_id: str) -> str:
    if connection_id in connections:
        return connections[connection_id]
    raise DeliveryFailed(
        connection_id or "destination",
        found="no connection of that name",
        expected="a connection to the consumer's folder, server or database",
        remedy="add it to Airflow's connections, or to var/secrets/connections.json",
    )


def _uneven(row: Row[Any], received: int) -> DeliveryFailed:
    return DeliveryFailed(
        row.delivery_id,
        found=f"{received} rows at the consumer",
        expected=f"the {row.sent} rows that were sent, and the same digest",
        remedy="the next run sends the batch again; if it stays, look for a trigger over there",
    )
