"""Publish a table of the library: one atomic Delta commit a run, nothing in between to be seen.

The first version streams straight into the table. A later one is first compared with the version
before it, by hashes of key and content: what did not change keeps the run that brought it, files
of which no row changed stay, and if nothing changed there is no new version. Changes are merged
into the version before in the same way, by the same comparison. A process may be killed at any
point: the table then is at the old or at the new version, and the same run published again comes
to the same result.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from yishu.library.commit import POSITION, Commit, Recorded, commit_of, recorded
from yishu.library.compare import Changes, Comparison, Difference, difference, merged_rows
from yishu.library.engine import BATCH_ROWS, DEFAULT_MEMORY, connect, discreet
from yishu.library.errors import ChangesOutOfDate, RowsDoNotFit
from yishu.library.key_index import KEY, data_files, index_files
from yishu.library.keys import KeyWatch
from yishu.library.match import AmbiguousHashes, Match, match
from yishu.library.place import Place
from yishu.library.recency import keep_moment, require_newest
from yishu.library.row_hash import SortedHashes
from yishu.library.rows import Guard, described
from yishu.library.writing import Job, Step, rewrite, write, write_error

HISTORY_DAYS = 1095
"""How long versions stay readable unless the caller says otherwise: three years."""


class Made(NamedTuple):
    """A publication, and the hashes of the rows that it wrote, as far as it knows them."""

    commit: Commit
    written: Sequence[SortedHashes] = ()


def _silently(_: Step) -> None:
    """Tell nobody."""


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
    job = Job(place, schema, rows, key, promise, extra, history_days, memory, on_step)
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
    job = Job(place, schema, rows, key, promise, extra, HISTORY_DAYS, memory, on_step, changes)
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


def _publish_locked(job: Job, wait: float) -> Commit:
    with job.place.locked(wait):
        job.place.clean()
        commit = _publish(job)
        job.place.clean()
        return commit


def _publish(job: Job) -> Commit:
    job.on_step(Step.LOCKED)
    commit, written = _commit(job)
    # Also where the run was committed before: it may have been killed before its index was there.
    index_files(job.place, job.place.open(), job.key, written)
    job.on_step(Step.INDEXED)
    return commit


def _commit(job: Job) -> Made:
    if not job.place.exists():
        return _publish_first(job)
    publications = recorded(job.place.open())
    done = commit_of(publications, job.promise.run_id)
    if done:
        return Made(done.commit)
    _require_up_to_date(job, publications)
    require_newest(job.place, publications, job.metadata)
    return _publish_next(job, publications)


def _require_up_to_date(job: Job, publications: list[Recorded]) -> None:
    newest = publications[0].commit.run_id if publications else None
    if job.changes is not None and job.changes.after != newest:
        raise ChangesOutOfDate(
            job.promise.table,
            found=f"a version by run {newest}",
            expected=f"the version by run {job.changes.after}, which these changes follow",
            remedy="start a new run; the rows that this one pulled may be older than the table",
        )


def _publish_first(job: Job) -> Made:
    watch = _watch(job)
    hashes: list[SortedHashes] = []

    def checked() -> Iterator[pa.RecordBatch]:
        for batch in _batches(job):
            watch.see(batch)
            yield batch
        hashes.append(watch.unique())
        replace(job.promise, inserted=watch.rows, rows=watch.rows).require_balance()

    job.promise.require_balance()
    write(job, checked(), job.promise, None)
    return Made(job.promise, hashes)


def _watch(job: Job) -> KeyWatch:
    return KeyWatch(job.promise.table, job.key, job.schema.names, job.promise.read)


def _publish_next(job: Job, publications: list[Recorded]) -> Made:
    opened = job.place.open()
    watch = _watch(job)
    spool = _spool(job, watch)
    job.on_step(Step.SPOOLED)
    hashes = watch.unique()
    before = pa.schema(opened.schema())
    same_key = not publications or publications[0].metadata.get(KEY) == ",".join(job.key)
    comparison = Comparison(
        *([str(spool)], job.place.files(opened), job.schema, before),
        *(tuple(job.key), same_key, job.changes),
    )
    if comparison.is_alike:
        try:
            matched = match(hashes, data_files(job.place, opened, job.key), job.changes, job.key)
        except AmbiguousHashes:
            return _compare(job, publications, comparison, opened.version())
        return _rewrite(job, publications, matched, spool, opened.version())
    if job.changes is not None:
        raise _misfit(job, before)
    return _compare(job, publications, comparison, opened.version())


def _rewrite(
    job: Job, publications: list[Recorded], matched: Match, spool: Path, base: int
) -> Made:
    """Commit what is new, changed or gone, unless nothing is."""
    commit = _counted(job, matched.found)
    if not _changes_rows(commit):
        return Made(replace(commit, version=_note_position(job, publications, commit)))
    version, written = rewrite(job, spool, matched, commit, base)
    return Made(replace(commit, version=version), written)


def _compare(job: Job, publications: list[Recorded], comparison: Comparison, base: int) -> Made:
    """Compare value by value, and write every row of the result anew."""
    with discreet(job.promise.table), connect(job.place.staging, job.memory) as connection:
        commit = _counted(job, difference(connection, comparison))
        if comparison.is_alike and not _changes_rows(commit):
            return Made(replace(commit, version=_note_position(job, publications, commit)))
        version = write(job, merged_rows(connection, comparison), commit, base)
    return Made(replace(commit, version=version))


def _counted(job: Job, found: Difference) -> Commit:
    """What the publication comes to by what was found."""
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
    return commit


def _changes_rows(commit: Commit) -> bool:
    return bool(commit.inserted or commit.updated or commit.deleted)


def _note_position(job: Job, publications: list[Recorded], commit: Commit) -> int:
    """Commit a new position without touching any row; the version that holds the content."""
    opened = job.place.open()
    position = job.metadata.get(POSITION)
    known = publications[0].metadata.get(POSITION) if publications else None
    if position is None or position == known:
        keep_moment(job.place, job.metadata)
        return publications[0].commit.version if publications else opened.version()
    return write(job, iter(()), commit, opened.version(), mode="append")


def _spool(job: Job, watch: KeyWatch) -> Path:
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
        raise write_error(job.promise.table, error) from error
    return path


def _batches(job: Job) -> Iterator[pa.RecordBatch]:
    rows: Iterable[pa.RecordBatch] = (
        pq.ParquetFile(job.rows).iter_batches(BATCH_ROWS)
        if isinstance(job.rows, Path)
        else job.rows
    )
    for batch in rows:
        yield _fitted(batch, job)


def _fitted(batch: pa.RecordBatch, job: Job) -> pa.RecordBatch:
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


def _misfit(job: Job, before: pa.Schema) -> RowsDoNotFit:
    return RowsDoNotFit(
        job.promise.table,
        found=f"changes with {described(job.schema)}, key {', '.join(job.key)}",
        expected=f"the columns and the key of the table: {described(before)}",
        remedy="give the changed catalog entry a new version: its next pull is a full one",
    )
