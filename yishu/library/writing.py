"""Write rows into the files of a table and commit them: as a whole, or only what changed."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from yishu.library.commit import Commit
from yishu.library.compare import Changes
from yishu.library.errors import LibraryConflict, LibraryUnwritable, unwritable
from yishu.library.index_file import DataFile
from yishu.library.key_index import KEY
from yishu.library.layout import FILE_BYTES, SAMPLE_ROWS, writer
from yishu.library.match import Match
from yishu.library.place import Place
from yishu.library.row_hash import RowHashes
from yishu.library.rows import Guard

LOG_RETENTION = "interval 36500 days"
"""The log is small and tells history and pinned versions; what ends is the data files."""

HANDED_ROWS = 16_384
"""Rows handed over at a time. The writer of Delta tables keeps a queue of batches, whatever their
size: with batches of eight times as many rows its peak was 0.5 GB higher (5 million rows)."""

_MADE = "made"
"""A table in scratch space: its files move into the library, its log tells what is in them."""


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


@dataclass(frozen=True)
class Job:
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


def write(
    job: Job,
    rows: Iterable[pa.RecordBatch],
    commit: Commit,
    base: int | None,
    mode: Literal["overwrite", "append"] = "overwrite",
) -> int:
    """Commit the rows on top of version ``base`` (None: as the first); the new version.

    Raises:
        LibraryConflict, LibraryUnwritable: another writer, no space; retryable.
    """
    target = str(job.place.path) if base is None else job.place.open(base)
    _write_rows(
        job,
        target,
        rows,
        mode="error" if base is None else mode,
        schema_mode="overwrite" if base is not None and mode == "overwrite" else None,
        name=job.promise.table,
        configuration={
            "delta.logRetentionDuration": LOG_RETENTION,
            "delta.deletedFileRetentionDuration": f"interval {job.history_days} days",
        }
        if base is None
        else None,
        commit_properties=_told(job, commit),
    )
    job.on_step(Step.COMMITTED)
    return 0 if base is None else base + 1


def rewrite(
    job: Job, spool: Path, matched: Match, commit: Commit, base: int
) -> tuple[int, list[RowHashes]]:
    """Commit what changed on top of version ``base``; files of which no row goes stay as they are.

    Returns:
        The new version, and the hashes of the rows that were written: each part ascending.

    Raises:
        LibraryConflict, LibraryUnwritable: another writer, no space; retryable.
    """
    made = job.place.staging / _MADE
    shutil.rmtree(made, ignore_errors=True)
    fresh = _picked(spool, matched.is_fresh, job.schema)
    rows = chain(_staying(matched, job.schema), fresh)
    _write_rows(job, str(made), rows, mode="error")
    with _committing(job):
        actions: list[AddAction | RemoveAction] = [
            *_removed(job, matched.stays),
            *_moved(made, job.place.path),
        ]
        job.place.open(base).create_write_transaction(
            actions, mode="append", schema=job.schema, commit_properties=_told(job, commit)
        )
    job.on_step(Step.COMMITTED)
    stayed = [file.hashes_of(rows) for file, rows in matched.stays.items()]
    return base + 1, [matched.fresh, *stayed]


def write_error(table: str, error: Exception) -> LibraryConflict | LibraryUnwritable:
    """What an error of Delta or of the disk means for who publishes."""
    if isinstance(error, CommitFailedError) or "already exists" in str(error):
        return LibraryConflict(
            table,
            found="a commit by somebody else since this run looked",
            expected="no other writer",
            remedy="run the publication again; it compares with the newer version",
        )
    return unwritable(table, error)


def _write_rows(
    job: Job, target: str | DeltaTable, rows: Iterable[pa.RecordBatch], **how: Any
) -> None:
    guarded = Guard(_telling(rows, job))
    batches = iter(guarded)
    head = list(_head(batches))
    try:
        write_deltalake(
            target,
            pa.RecordBatchReader.from_batches(job.schema, chain(head, batches)),
            writer_properties=writer(pa.Table.from_batches(head, job.schema)),
            target_file_size=FILE_BYTES,
            **how,
        )
    except (DeltaError, OSError) as error:
        if guarded.error is not None:
            raise guarded.error from None
        raise write_error(job.promise.table, error) from error


def _telling(rows: Iterable[pa.RecordBatch], job: Job) -> Iterator[pa.RecordBatch]:
    yield from rows
    job.on_step(Step.STREAMED)


def _head(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The first batches, enough of them to see what the columns are like."""
    rows = 0
    while rows < SAMPLE_ROWS and (batch := next(batches, None)) is not None:
        rows += batch.num_rows
        yield batch


@contextmanager
def _committing(job: Job) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError) as error:
        raise write_error(job.promise.table, error) from error


def _told(job: Job, commit: Commit) -> CommitProperties:
    """What is kept beside a commit; it is tried once, since its rows answer to one version."""
    facts = {**job.metadata, **commit.to_metadata(), KEY: ",".join(job.key)}
    return CommitProperties(custom_metadata=facts, max_commit_retries=0)


def _staying(matched: Match, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows that stay of files of which others go."""
    for file, stays in matched.stays.items():
        yield from _picked(file.path, stays, schema)


def _picked(path: Path, wanted: np.ndarray, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The wanted rows of a file, in their order."""
    start = 0
    # The file is near, and the writer has the other cores: reading ahead and threads for each batch
    # would only take time from it.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(HANDED_ROWS, use_threads=False):
            mask = pa.array(wanted[start : start + batch.num_rows])
            start += batch.num_rows
            yield batch.filter(mask).select(schema.names).cast(schema)


def _removed(job: Job, files: Iterable[DataFile]) -> Iterator[RemoveAction]:
    """Files that leave the table, at this moment by the clock of the disk."""
    moment = job.place.staging.stat().st_mtime_ns // 1_000_000
    for file in files:
        name = file.path.relative_to(job.place.path).as_posix()
        yield RemoveAction(name, True, moment, file.path.stat().st_size, {})


def _moved(made: Path, table: Path) -> Iterator[AddAction]:
    """The files of a table in scratch space, moved into another one that does not know them yet."""
    log = made / "_delta_log" / f"{0:020d}.json"
    for line in log.read_text("utf-8").splitlines():
        added = json.loads(line).get("add")
        if added is not None:
            (made / added["path"]).replace(table / added["path"])
            yield AddAction(
                added["path"],
                added["size"],
                added["partitionValues"],
                added["modificationTime"],
                data_change=True,
                stats=added["stats"],
            )
