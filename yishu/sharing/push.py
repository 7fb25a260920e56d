"""Where deliveries go: a drop folder, an SFTP server, a database; each gives a receipt.

A push is safe to repeat: files go beside their place and are swapped in, a batch first removes
what an earlier try left of it. A receipt is what the other side really has, read back from there.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import asyncssh
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from catalog.vocabulary import SystemKind
from yishu.sharing.errors import DeliveryFailed
from yishu.sharing.exchange import BATCH, OPERATION, SENT_AT, Changes
from yishu.sources import Connection, SourceError
from yishu.sources.sftp import SftpFolder

RECEIPTS = "yishu_receipt"
"""The table beside the data in which each batch is confirmed."""

_ROWS_AT_ONCE = 5_000
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


def files_to(url: str, connection_id: str, files: list[Path]) -> dict[str, str]:
    """Push files in this order to a folder or SFTP server; SHA-256 of each, read back there.

    Raises:
        DeliveryFailed: it is not there or does not take them; retryable.
    """
    try:
        if url.startswith("sftp://"):
            target = _SftpTarget(Connection(connection_id, SystemKind.CSV, url))
            return {file.name: target.put(file) for file in files}
        return {file.name: _put(file, Path(url)) for file in files}
    except (SourceError, OSError, asyncssh.Error) as error:
        found = error.found if isinstance(error, SourceError) else type(error).__name__
        raise _failed(connection_id, found) from None


def batch_to(
    url: str, connection_id: str, table: str, changes: Changes, facts: Mapping[str, Any]
) -> int:
    """Write a batch into the consumer's database; how many of its rows are there afterwards.

    Args:
        url: The consumer's PostgreSQL or MariaDB.
        connection_id: Its name, for errors.
        table: The exchange table; made when it is not there.
        changes: What to write.
        facts: ``batch_no``, ``sent_at``, ``grant_id`` and ``content_digest``.

    Raises:
        DeliveryFailed: the database is down or refuses it; retryable, and nothing is doubled.
    """
    address = make_url(url)
    engine = sa.create_engine(
        address.set(drivername=_DRIVERS.get(address.get_backend_name(), address.drivername)),
        poolclass=sa.NullPool,
    )
    try:
        return _write_batch(engine, table, changes, facts)
    except SQLAlchemyError as error:
        # The driver's text may quote rows; its class says enough.
        cause = type(getattr(error, "orig", None) or error).__name__
        raise _failed(connection_id, f"{cause} of the consumer's database") from None
    finally:
        engine.dispose()


def _write_batch(engine: sa.Engine, name: str, changes: Changes, facts: Mapping[str, Any]) -> int:
    metadata = sa.MetaData()
    table = _table(metadata, name, changes.rows.schema)
    receipts = _receipts(metadata)
    number = facts["batch_no"]
    sent_at = facts["sent_at"].astimezone(UTC).replace(tzinfo=None)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c[BATCH] == number))
        for start in range(0, len(changes), _ROWS_AT_ONCE):
            part = changes.rows.slice(start, _ROWS_AT_ONCE).to_pylist()
            operations = changes.operations.slice(start, _ROWS_AT_ONCE).to_pylist()
            beside = [{BATCH: number, OPERATION: one, SENT_AT: sent_at} for one in operations]
            rows = [_plain(row) | more for row, more in zip(part, beside, strict=True)]
            connection.execute(sa.insert(table), rows)
        counted = sa.select(sa.func.count()).select_from(table).where(table.c[BATCH] == number)
        there = int(connection.execute(counted).scalar_one())
        said = {"grant_id": facts["grant_id"], "batch_no": number}
        where = [receipts.c[column] == value for column, value in said.items()]
        connection.execute(sa.delete(receipts).where(*where))
        digest = facts["content_digest"]
        told = {**said, "rows_sent": there, "content_digest": digest, "sent_at": sent_at}
        connection.execute(sa.insert(receipts).values(told))
    with engine.connect() as connection:
        return int(connection.execute(counted).scalar_one())


def _table(metadata: sa.MetaData, name: str, schema: pa.Schema) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        *(sa.Column(field.name, _sql_type(field.type)) for field in schema),
        sa.Column(BATCH, sa.BigInteger, nullable=False, index=True),
        sa.Column(OPERATION, sa.String(6), nullable=False),
        sa.Column(SENT_AT, _moment(), nullable=False),
    )


def _receipts(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        RECEIPTS,
        metadata,
        sa.Column("grant_id", sa.String(32), primary_key=True),
        sa.Column("batch_no", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rows_sent", sa.BigInteger, nullable=False),
        sa.Column("content_digest", sa.String(64), nullable=False),
        sa.Column("sent_at", _moment(), nullable=False),
    )


def _moment() -> sa.types.TypeEngine[Any]:
    """A moment in UTC to the microsecond, in either database."""
    from sqlalchemy.dialects.mysql import DATETIME  # noqa: PLC0415

    kind: sa.types.TypeEngine[Any] = sa.DateTime().with_variant(DATETIME(fsp=6), "mysql", "mariadb")
    return kind


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return _moment()
    made: sa.types.TypeEngine[Any] = _SQL_TYPES[kind]()
    return made


_SQL_TYPES: Mapping[pa.DataType, Any] = {
    pa.string(): sa.Text,
    pa.int64(): sa.BigInteger,
    pa.date32(): sa.Date,
    pa.bool_(): sa.Boolean,
}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


class _SftpTarget(SftpFolder):
    """A folder on a server that speaks SFTP, written to."""

    def put(self, file: Path) -> str:
        """Upload a file beside its place and swap it in; SHA-256 of what the server then has."""
        return asyncio.run(self._put(file))

    async def _put(self, file: Path) -> str:
        place = self._place(file.name)
        beside = str(PurePosixPath(place).with_name(f".{file.name}.part"))
        digest = hashlib.sha256()
        async with self._session() as sftp:
            await sftp.put(str(file), beside)
            await sftp.posix_rename(beside, place)
            async with sftp.open(place, "rb") as there:
                while chunk := await there.read(1 << 20):
                    digest.update(chunk)
        return digest.hexdigest()


def _put(file: Path, folder: Path) -> str:
    beside = folder / f".{file.name}.part"
    shutil.copyfile(file, beside)
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(folder / file.name)
    with (folder / file.name).open("rb") as there:
        return hashlib.file_digest(there, "sha256").hexdigest()


def _failed(obj: str, found: str) -> DeliveryFailed:
    return DeliveryFailed(
        obj,
        found=found,
        expected="a folder, server or database that takes the delivery",
        remedy="see whether it is up and lets us write; the next run tries again",
    )
