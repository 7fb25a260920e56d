"""Upkeep of a table: fewer files, and versions removed once their retention is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from yishu.library.commit import MAINTENANCE, recorded
from yishu.library.errors import LibraryConflict, unwritable
from yishu.library.key_index import drop_orphans, index_files, key_at
from yishu.library.layout import FILE_BYTES, SAMPLE_ROWS, writer
from yishu.library.place import Place
from yishu.library.writing import LOG_RETENTION

_HOURS = 24
_LOG, _FILES = "delta.logRetentionDuration", "delta.deletedFileRetentionDuration"


@dataclass(frozen=True)
class Upkeep:
    """What maintenance did.

    Attributes:
        merged_files: Files that compaction read and replaced.
        removed_files: Files of versions past their retention, and leftovers of killed runs.
        version: Version of the table afterwards; its content is the same.
    """

    table: str
    merged_files: int
    removed_files: int
    version: int


def maintain(
    root: Path,
    table: str,
    *,
    history_days: int,
    protected: Sequence[int] = (),
    wait: float = 600,
) -> Upkeep:
    """Compact a table and remove files that only versions past their retention need.

    Args:
        root: Folder of the library.
        table: Name of the table.
        history_days: How long a version stays readable after it was replaced.
        protected: Versions that stay readable beyond that, e.g. those that grants name.
        wait: Seconds to wait for another writer.

    Raises:
        TableMissing: nothing was published under that name.
        LibraryConflict, LibraryUnwritable: another writer of the table, no space; retryable.
    """
    place = Place(root, table)
    place.open()
    with place.locked(wait):
        place.clean()
        try:
            return _maintain(place, history_days, sorted(set(protected)))
        except CommitFailedError as error:
            raise LibraryConflict(
                table,
                found="a commit by somebody else during maintenance",
                expected="no other writer",
                remedy="run maintenance again",
            ) from error
        except (DeltaError, OSError) as error:
            raise unwritable(table, error) from error


def _maintain(place: Place, history_days: int, protected: list[int]) -> Upkeep:
    opened = place.open()
    wanted = {_LOG: LOG_RETENTION, _FILES: f"interval {history_days} days"}
    told = CommitProperties(custom_metadata={"kind": MAINTENANCE})
    have = opened.metadata().configuration
    if any(have.get(name) != days for name, days in wanted.items()):
        opened.alter.set_table_properties(wanted, commit_properties=told)
    key = key_at(recorded(opened), opened.version())
    merged = opened.optimize.compact(
        target_size=FILE_BYTES,
        writer_properties=writer(_sample(place, opened)),
        commit_properties=told,
    )
    removed = opened.vacuum(
        retention_hours=history_days * _HOURS,
        dry_run=False,
        enforce_retention_duration=False,
        commit_properties=told,
        full=True,
        keep_versions=protected or None,
    )
    newest = place.open()
    index_files(place, newest, key)
    drop_orphans(place)
    return Upkeep(place.table, int(merged["numFilesRemoved"]), len(removed), newest.version())


def _sample(place: Place, opened: DeltaTable) -> pa.Table:
    """Some rows of a table, to see what its columns are like."""
    schema = pa.schema(opened.schema())
    for path in place.files(opened):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(SAMPLE_ROWS):
                return pa.Table.from_batches([batch])
    return schema.empty_table()
