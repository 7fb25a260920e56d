"""The bytes of a grant: approved columns and rows only, masked where ruled, made once.

A projection is a folder of Parquet files named by what it holds: table version, columns, rows,
masks (and the grant, where its own token key is used). It is built on the first read beside its
place and swapped in whole; grants of the same share one; whoever closes the last one deletes it.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from yishu.library.digest import digest_rows
from yishu.library.engine import connect, scan
from yishu.library.place import Place, make_private, open_version
from yishu.sharing.desk import BEIJING
from yishu.sharing.errors import GrantStale
from yishu.sharing.form import REGION_COLUMN, RowScope
from yishu.sharing.masking import TOKEN, apply, delivered_type
from yishu.sharing.regions import region_prefix

FILE_BYTES = 256 << 20
"""After so much another file begins. Each fetch costs a record of the use log, so files are few;
clients go on by ranges where they broke off."""

GROUP_ROWS = 131_072
_FACTS = "_projection.json"
_BUILDING = ".building-"


@dataclass(frozen=True)
class Rules:
    """What a projection holds; everything that is not named is left out.

    Attributes:
        columns: Columns, in the order of delivery.
        rows: Which rows.
        masks: Column -> mask of the catalog or ``token``.
        grant_id: Whose token key is used; only where a column is a token.
        key: That key; never part of a name or file.
    """

    columns: tuple[str, ...]
    rows: RowScope = field(default_factory=RowScope)
    masks: Mapping[str, str] = field(default_factory=dict)
    grant_id: str = ""
    key: bytes = field(default=b"", repr=False)
    algorithm: str = "sha256"

    def identity(self, table: str, version: int) -> str:
        """The name of the projection of a table's version by these rules."""
        facts = {
            "table": table,
            "version": version,
            "columns": self.columns,
            "rows": self.rows.model_dump(mode="json"),
            "masks": dict(self.masks),
            "grant": self.grant_id if TOKEN in self.masks.values() else None,
            "algorithm": self.algorithm,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Projection:
    """A built projection.

    Attributes:
        files: Its Parquet files, in order; their names are ``part-00000.parquet`` and so on.
        digests: SHA-256 of each file, in hex.
    """

    identity: str
    folder: Path
    table: str
    version: int
    rows: int
    schema: pa.Schema
    files: tuple[Path, ...]
    digests: tuple[str, ...]

    def rows_of(self, place: int) -> int:
        """Rows of one of its files."""
        return _rows_in(self.files[place])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows, as a stream."""
        for path in self.files:
            yield from pq.ParquetFile(path, memory_map=True).iter_batches(GROUP_ROWS)

    def content_digest(self) -> str:
        """The content digest (`yishu.library.digest`): the same whatever channel carries it."""
        kept = self.folder / "_content_digest"
        if not kept.exists():
            with connect() as connection:
                found = digest_rows(
                    connection, scan([*map(str, self.files)], self.schema), self.schema
                )
            beside = kept.with_suffix(f".{os.getpid()}")
            beside.write_text(found)
            beside.replace(kept)
        return kept.read_text()


@lru_cache(maxsize=1_024)
def _rows_in(path: Path) -> int:
    # A path names what it holds, so the answer stays true.
    return int(pq.read_metadata(path).num_rows)


def project(source: ds.Dataset, rules: Rules) -> Iterator[pa.RecordBatch]:
    """The rows and columns of a dataset that the rules let through, masked.

    Raises:
        GrantStale: a column of the rules is not in the data.
    """
    needed = {*rules.columns, *_scope_columns(rules.rows)}
    gone = sorted(needed - set(source.schema.names))
    if gone:
        raise GrantStale(
            rules.grant_id or "projection",
            found=f"no column {', '.join(gone)} in the published table",
            expected="every granted column",
            remedy="close the grant, or publish the column again; nothing is served until then",
        )
    schema = schema_of(source.schema, rules)
    scanner = source.scanner(
        columns=list(rules.columns), filter=condition(rules.rows, source.schema)
    )
    for batch in scanner.to_batches():
        columns = [
            apply(values, rules.masks.get(name), rules.key, rules.algorithm).cast(
                schema.field(name).type
            )
            for name, values in zip(batch.schema.names, batch.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def schema_of(source: pa.Schema, rules: Rules) -> pa.Schema:
    """Columns and types of what is delivered."""
    return pa.schema(
        [
            (name, delivered_type(source.field(name).type, rules.masks.get(name)))
            for name in rules.columns
        ]
    )


def condition(rows: RowScope, schema: pa.Schema) -> pc.Expression | None:
    """The row scope as an Arrow expression; None lets every row through.

    A row whose region or day is not known is outside every scope.
    """
    tests = []
    if rows.regions:
        region = pc.field(REGION_COLUMN)
        within = [pc.starts_with(region, region_prefix(code)) for code in rows.regions]
        tests.append(_any(within))
    if rows.period_column:
        tests += _period(rows, pc.field(rows.period_column), schema)
    found = None
    for test in tests:
        found = test if found is None else found & test
    return found


def build(root: Path, place: Place, rules: Rules, version: int | None = None) -> Projection:
    """The projection of a table's version (None: the newest), built now unless it is there.

    Args:
        root: Folder of all projections.
        place: The table.
        rules: What is let through.
        version: Which version.

    Raises:
        TableMissing, VersionMissing: there is no such table or version.
        GrantStale: a granted column is gone.
    """
    opened = open_version(place, version)
    identity = rules.identity(place.table, opened.version())
    folder = root / identity
    if not (folder / _FACTS).exists():
        source = _dataset(place.files(opened), pa.schema(opened.schema()))
        _write(root, folder, source, rules, {"table": place.table, "version": opened.version()})
    return load(folder)


def load(folder: Path) -> Projection:
    """A projection that was built."""
    facts = json.loads((folder / _FACTS).read_text("utf-8"))
    files = tuple(folder / name for name in facts["files"])
    schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(facts["schema"])))
    return Projection(
        folder.name, folder, facts["table"], facts["version"], facts["rows"], schema, files,
        tuple(facts["digests"]),
    )  # fmt: skip


def forget(root: Path, identities: set[str]) -> list[str]:
    """Delete every projection but the named ones and those that are being built; what was."""
    gone = [
        one
        for one in sorted(root.glob("*"))
        if one.name not in identities and not _is_being_built(one)
    ]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in gone]


def _is_being_built(folder: Path) -> bool:
    if not folder.name.startswith(_BUILDING):
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _building(root: Path) -> Iterator[Path]:
    """A folder to build in; locked while it is built, so that whoever cleans leaves it alone."""
    make_private(root)
    beside = Path(tempfile.mkdtemp(dir=root, prefix=_BUILDING))
    descriptor = os.open(beside, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield beside
    finally:
        os.close(descriptor)
        shutil.rmtree(beside, ignore_errors=True)


def _scope_columns(rows: RowScope) -> list[str]:
    region = [REGION_COLUMN] if rows.regions else []
    return [*region, *([rows.period_column] if rows.period_column else [])]


def _any(tests: list[pc.Expression]) -> pc.Expression:
    found = tests[0]
    for test in tests[1:]:
        found = found | test
    return found


def _period(rows: RowScope, column: pc.Expression, schema: pa.Schema) -> list[pc.Expression]:
    kind = schema.field(rows.period_column).type
    tests = []
    if rows.since is not None:
        tests.append(column >= _edge(rows.since, kind))
    if rows.until is not None:
        tests.append(column < _edge(rows.until + timedelta(days=1), kind))
    return tests


def _edge(day: Any, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_timestamp(kind):
        return pa.scalar(datetime.combine(day, time(), BEIJING).astimezone(UTC), type=kind)
    return pa.scalar(day, type=kind)


def _dataset(files: list[str], schema: pa.Schema) -> ds.Dataset:
    if not files:
        return ds.dataset(schema.empty_table())
    return ds.dataset(files, schema=schema, format="parquet")


def _write(
    root: Path, folder: Path, source: ds.Dataset, rules: Rules, facts: Mapping[str, Any]
) -> None:
    with _building(root) as beside:
        schema = schema_of(source.schema, rules) if _has(source, rules) else pa.schema([])
        writer = _Parts(beside, schema)
        for batch in project(source, rules):
            writer.write(batch)
        writer.close()
        told = {
            **facts,
            "rows": writer.rows,
            "schema": schema.serialize().to_pybytes().hex(),
            "files": [path.name for path in writer.files],
            "digests": [_digest(path) for path in writer.files],
        }
        (beside / _FACTS).write_text(json.dumps(told), "utf-8")
        _swap(beside, folder)


def _has(source: ds.Dataset, rules: Rules) -> bool:
    return set(rules.columns) <= set(source.schema.names)


def _swap(beside: Path, folder: Path) -> None:
    try:
        beside.rename(folder)
    except OSError:
        # Another process built the same one meanwhile; what it holds is the same.
        if not (folder / _FACTS).exists():
            raise


class _Parts:
    """Writes batches into files, the next one after ``FILE_BYTES``; at least one file."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.files: list[Path] = []
        self.rows = 0
        self._folder, self._schema = folder, schema
        self._waiting: list[pa.RecordBatch] = []
        self._held = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        self._waiting.append(batch)
        self._held += batch.num_rows
        if self._held >= GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        if self._held or not self.files:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        writer = self._writer
        if writer is None or self.files[-1].stat().st_size >= FILE_BYTES:
            writer = self._next_file()
        table = pa.Table.from_batches(self._waiting, self._schema)
        writer.write_table(table, row_group_size=GROUP_ROWS)
        self.rows += table.num_rows
        self._waiting, self._held = [], 0

    def _next_file(self) -> pq.ParquetWriter:
        if self._writer is not None:
            self._writer.close()
        path = self._folder / f"part-{len(self.files):05d}.parquet"
        path.touch(mode=0o600)
        self.files.append(path)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", version="2.6")
        return self._writer


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
