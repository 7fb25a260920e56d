"""Publish a table of the library: one atomic Delta commit a run, nothing in between to be seen.

The first version streams straight into the table. A later one is first compared with the version
before it, row by row by key: what did not change keeps the run that brought it, and if nothing
changed there is no new version. Changes are merged into the version before in the same way, by the
same comparison. A process may be killed at any point: the table then is at the
old or at the new version, and the same run published again comes to the same result.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from yishu.library.commit import Commit, Recorded, commit_of, recorded
from yishu.library.compare import Changes, Comparison, difference, merged_rows
from yishu.library.engine import BATCH_ROWS, DEFAULT_MEMORY, connect, discreet
from yishu.library.errors import (
    ChangesOutOfDate,
    LibraryConflict,
    LibraryUnwritable,
    RowsDoNotFit,
    unwritable,
)
from yishu.library.key_index import KEY, index_files
from yishu.library.keys import KeyWatch
from yishu.library.layout import writer
from yishu.library.place import Place
from yishu.library.recency import fingerprint_of, keep_fingerprint, keep_moment, require_newest
from yishu.library.rows import Guard, described

HISTORY_DAYS = 1095
"""How long versions stay readable unless the caller says otherwise: three years."""

LOG_RETENTION = "interval 36500 days"
"""The log is small and tells history and pinned versions; what ends is the data files."""

POSITION = "position"
"""Name of the fact beside a commit that says how far an entry's changes have been read. A new one
is committed even where no row changed."""


class Step(StrEnum):
    """Points of a publication, in this order; a later version passes all, a first one all but two.

    The key index is written last, after the version is there to be read.
    """

    LOCKED = "locked"
    SPOOLED = "spooled"
    COMPARED = "compared"
    STREAMED = "streamed"
    COMMITTED = "committed"
    INDEXED = "indexed"


def _silently(_: Step) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class _Job:
    """One publication on its way."""

    place: Place
    schema: pa.Schema
    rows: Iterable[pa.RecordBatch] | Path
    key: Sequence[str]
    promise: Commit
    metadata: Mapping[str, str]
    history_days: int
    memory: str
    on_step: Callable[[Step], None] = field(repr=False)
    changes: Changes | None = None


def publish_snapshot(
    root: Path,
    table: str,
    schema: pa.Schema,
    rows: Iterable[pa.RecordBatch] | Path,
    *,
    key: Sequence[str],
    run_id: str,
    committed_at: datetime,
    read: int,
    quarantined: int = 0,
    superseded: int = 0,
    removals: int = 0,
    metadata: Mapping[str, str] | None = None,
    history_days: int = HISTORY_DAYS,
    memory: str = DEFAULT_MEMORY,
    wait: float = 600,
    is_locked: bool = False,
    on_step: Callable[[Step], None] = _silently,
) -> Commit:
    """Make the rows the new content of a table; the same run again does nothing twice.

    Args:
        root: Folder of the library.
        table: ``unified/<department>.<entry>`` or ``subject/<subject>``.
        schema: Columns of the table, provenance columns included.
        rows: The whole content as record batches, which are read once, or as a Parquet file.
        key: Columns that tell rows apart.
        run_id: The run that publishes.
        committed_at: The moment of publication, with its zone.
        read: Rows read at the source.
        quarantined: Rows of them that were set aside.
        superseded: Rows of them that a later row of the same key replaced.
        removals: Rows besides them that said that their key is gone.
        metadata: Further facts kept beside the commit, e.g. ``entry_version``. With ``pulled_at``
            the rows have to be at least as recent as those that are published.
        history_days: How long versions stay readable; used when the table is made.
        memory: What the comparison may hold in memory before it spills to disk.
        wait: Seconds to wait for another writer.
        is_locked: The caller holds the lock and looks after the scratch folder.
        on_step: Told each step once it is done. Neither it nor ``rows`` may use Delta tables: they
            are called from within Delta's writing.

    Raises:
        CountsDoNotAddUp, KeyBroken, RowsDoNotFit: the rows are not what they should be.
        LibrarySuperseded: the rows are older than those that are published.
        LibraryConflict, LibraryUnwritable: another writer, no space; retryable.
    """
    extra = dict(metadata or {})
    promise = _promise(
        table, run_id, committed_at, (read, quarantined, superseded, removals), extra
    )
    place = Place(root, table)
    job = _Job(place, schema, rows, key, promise, extra, history_days, memory, on_step)
    return _publish(job) if is_locked else _publish_locked(job, wait)


def publish_changes(
    root: Path,
    table: str,
    schema: pa.Schema,
    rows: Iterable[pa.RecordBatch] | Path,
    changes: Changes,
    *,
    key: Sequence[str],
    run_id: str,
    committed_at: datetime,
    read: int,
    quarantined: int = 0,
    superseded: int = 0,
    removals: int = 0,
    metadata: Mapping[str, str] | None = None,
    memory: str = DEFAULT_MEMORY,
    wait: float = 600,
    on_step: Callable[[Step], None] = _silently,
) -> Commit:
    """Merge changed rows and deletions into the newest version of a table, in one commit.

    Arguments are those of ``publish_snapshot``, but ``rows`` are only the rows that were written
    since the version before; rows that ``changes`` does not delete stay as they are.

    Raises:
        TableMissing: there is no version before; publish a snapshot first.
        ChangesOutOfDate: another run was published since these changes were pulled.
        RowsDoNotFit: the table has other columns or another key; publish a snapshot.
        LibraryError: as ``publish_snapshot``.
    """
    extra = dict(metadata or {})
    promise = _promise(
        table, run_id, committed_at, (read, quarantined, superseded, removals), extra
    )
    place = Place(root, table)
    place.open()
    job = _Job(place, schema, rows, key, promise, extra, HISTORY_DAYS, memory, on_step, changes)
    return _publish_locked(job, wait)


def _promise(
    table: str,
    run_id: str,
    committed_at: datetime,
    counts: tuple[int, int, int, int],
    extra: Mapping[str, str],
) -> Commit:
    """What the publication comes to if every row is new."""
    read, quarantined, superseded, removals = counts
    published = read - quarantined - superseded
    version = extra.get("entry_version")
    return Commit(
        table=table,
        version=0,
        run_id=run_id,
        entry_version=None if version is None else int(version),
        read=read,
        inserted=published,
        updated=0,
        unchanged=0,
        deleted=0,
        quarantined=quarantined,
        superseded=superseded,
        rows=published,
        committed_at=committed_at.isoformat(),
        removals=removals,
    )


def _publish_locked(job: _Job, wait: float) -> Commit:
    with job.place.locked(wait):
        job.place.clean()
        commit = _publish(job)
        job.place.clean()
        return commit


def _publish(job: _Job) -> Commit:
    job.on_step(Step.LOCKED)
    commit = _commit(job)
    # Also where the run was committed before: it may have been killed before its index was there.
    index_files(job.place, job.place.open(), job.key)
    job.on_step(Step.INDEXED)
    return commit


def _commit(job: _Job) -> Commit:
    if not job.place.exists():
        return _publish_first(job)
    publications = recorded(job.place.open())
    done = commit_of(publications, job.promise.run_id)
    if done:
        return done.commit
    _require_up_to_date(job, publications)
    require_newest(job.place, publications, job.metadata)
    return _publish_next(job, publications)


def _require_up_to_date(job: _Job, publications: list[Recorded]) -> None:
    newest = publications[0].commit.run_id if publications else None
    if job.changes is not None and job.changes.after != newest:
        raise ChangesOutOfDate(
            job.promise.table,
            found=f"a version by run {newest}",
            expected=f"the version by run {job.changes.after}, which these changes follow",
            remedy="start a new run; the rows that this one pulled may be older than the table",
        )


def _publish_first(job: _Job) -> Commit:
    watch = _watch(job)

    def checked() -> Iterator[pa.RecordBatch]:
        for batch in _batches(job):
            watch.see(batch)
            yield batch
        watch.require_unique()
        replace(job.promise, inserted=watch.rows, rows=watch.rows).require_balance()
        job.on_step(Step.STREAMED)

    job.promise.require_balance()
    _write(job, checked(), job.promise, None)
    keep_fingerprint(job.place, 0, watch.fingerprint)
    return job.promise


def _watch(job: _Job) -> KeyWatch:
    return KeyWatch(job.promise.table, job.key, job.schema.names)


def _publish_next(job: _Job, publications: list[Recorded]) -> Commit:
    opened = job.place.open()
    watch = _watch(job)
    spool = _spool(job, watch)
    job.on_step(Step.SPOOLED)
    watch.require_unique()
    before = pa.schema(opened.schema())
    same_key = not publications or publications[0].metadata.get(KEY) == ",".join(job.key)
    comparison = Comparison(
        *([str(spool)], job.place.files(opened), job.schema, before),
        *(tuple(job.key), same_key, job.changes),
    )
    if job.changes is not None and not comparison.is_alike:
        raise _misfit(job, before)
    is_known = job.changes is None and comparison.is_alike
    if is_known and fingerprint_of(job.place, opened.version()) == watch.fingerprint:
        same = replace(job.promise, inserted=0, unchanged=watch.rows, rows=watch.rows)
        same.require_balance()
        job.on_step(Step.COMPARED)
        return replace(same, version=_note_position(job, publications, same))
    return _compare(job, publications, comparison, opened.version(), watch.fingerprint)


def _compare(
    job: _Job, publications: list[Recorded], comparison: Comparison, base: int, fingerprint: str
) -> Commit:
    """Compare row by row, and commit the result unless nothing changed."""
    with discreet(job.promise.table), connect(job.place.staging, job.memory) as connection:
        found = difference(connection, comparison)
        commit = replace(
            job.promise,
            rows=found.rows,
            inserted=found.inserted,
            updated=found.updated,
            unchanged=found.unchanged,
            deleted=found.deleted,
        )
        commit.require_balance(found.kept)
        job.on_step(Step.COMPARED)
        if comparison.is_alike and not (commit.inserted or commit.updated or commit.deleted):
            if job.changes is None:
                keep_fingerprint(job.place, base, fingerprint)
            return replace(commit, version=_note_position(job, publications, commit))
        rows = _telling(merged_rows(connection, comparison, found), job)
        version = _write(job, rows, commit, base)
    if job.changes is None:
        keep_fingerprint(job.place, version, fingerprint)
    return replace(commit, version=version)


def _note_position(job: _Job, publications: list[Recorded], commit: Commit) -> int:
    """Commit a new position without touching any row; the version that holds the content."""
    opened = job.place.open()
    position = job.metadata.get(POSITION)
    known = publications[0].metadata.get(POSITION) if publications else None
    if position is None or position == known:
        keep_moment(job.place, job.metadata)
        return publications[0].commit.version if publications else opened.version()
    return _write(job, iter(()), commit, opened.version(), mode="append")


def _telling(rows: Iterable[pa.RecordBatch], job: _Job) -> Iterator[pa.RecordBatch]:
    yield from rows
    job.on_step(Step.STREAMED)


def _write(
    job: _Job,
    rows: Iterator[pa.RecordBatch],
    commit: Commit,
    base: int | None,
    mode: Literal["overwrite", "append"] = "overwrite",
) -> int:
    """Commit the rows on top of version ``base`` (None: as the first); the new version."""
    guarded = Guard(rows)
    days = f"interval {job.history_days} days"
    target = str(job.place.path) if base is None else job.place.open(base)
    try:
        write_deltalake(
            target,
            pa.RecordBatchReader.from_batches(job.schema, guarded),
            mode="error" if base is None else mode,
            schema_mode="overwrite" if base is not None and mode == "overwrite" else None,
            name=job.promise.table,
            configuration={
                "delta.logRetentionDuration": LOG_RETENTION,
                "delta.deletedFileRetentionDuration": days,
            }
            if base is None
            else None,
            writer_properties=writer(job.schema, job.key),
            commit_properties=CommitProperties(
                custom_metadata={
                    **job.metadata,
                    **commit.to_metadata(),
                    KEY: ",".join(job.key),
                },
                max_commit_retries=0,
            ),
        )
    except (DeltaError, OSError) as error:
        if guarded.error is not None:
            raise guarded.error from None
        raise _write_error(job.promise.table, error) from error
    job.on_step(Step.COMMITTED)
    return 0 if base is None else base + 1


def _write_error(table: str, error: Exception) -> LibraryConflict | LibraryUnwritable:
    if isinstance(error, CommitFailedError) or "already exists" in str(error):
        return LibraryConflict(
            table,
            found="a commit by somebody else since this run looked",
            expected="no other writer",
            remedy="run the publication again; it compares with the newer version",
        )
    return unwritable(table, error)


def _spool(job: _Job, watch: KeyWatch) -> Path:
    """The rows as a file, each seen by the watch on its way."""
    if isinstance(job.rows, Path):
        for batch in _batches(job):
            watch.see(batch)
        return job.rows
    path = job.place.staging / "rows.parquet"
    rows = Guard(_batches(job))
    try:
        with pq.ParquetWriter(
            path, job.schema, compression="lz4", use_dictionary=False, write_statistics=False
        ) as file:
            for batch in rows:
                watch.see(batch)
                file.write_batch(batch)
    except OSError as error:
        if rows.error is not None:
            raise
        raise _write_error(job.promise.table, error) from error
    return path


def _batches(job: _Job) -> Iterator[pa.RecordBatch]:
    rows: Iterable[pa.RecordBatch] = (
        pq.ParquetFile(job.rows).iter_batches(BATCH_ROWS)
        if isinstance(job.rows, Path)
        else job.rows
    )
    for batch in rows:
        yield _fitted(batch, job)


def _fitted(batch: pa.RecordBatch, job: _Job) -> pa.RecordBatch:
    if batch.schema.equals(job.schema):
        return batch
    try:
        return batch.select(job.schema.names).cast(job.schema)
    except (KeyError, pa.ArrowInvalid, ValueError) as error:
        raise RowsDoNotFit(
            job.promise.table,
            found=described(batch.schema),
            expected=described(job.schema),
            remedy="standardise the rows by the catalog entry before publishing them",
        ) from error


def _misfit(job: _Job, before: pa.Schema) -> RowsDoNotFit:
    return RowsDoNotFit(
        job.promise.table,
        found=f"changes with {described(job.schema)}, key {', '.join(job.key)}",
        expected=f"the columns and the key of the table: {described(before)}",
        remedy="give the changed catalog entry a new version: its next pull is a full one",
    )
