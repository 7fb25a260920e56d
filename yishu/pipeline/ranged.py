"""A pull in ranges: each range a part of its own in landing, several at the same time.

    <run>/parts/plan.json         how the table is cut, at which moment it is read
    <run>/parts/part-000.parquet  the rows of the first range, and so on

A range that breaks is read again in the same snapshot, and the others are not. When the pull itself
dies, the next attempt goes on with the missing parts if the snapshot still stands; mostly it does
not, as it ends with the session that took it, and then all ranges are pulled anew.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import SourceSpec
from yishu.pipeline.landing import write_parquet
from yishu.pipeline.store import RunFolder, clear_partial, remove_folder, whole_file
from yishu.sources.errors import SourceChanged, SourceError
from yishu.sources.protocol import Connection
from yishu.sources.ranges import Range, RangedSource, RangePlan

logger = logging.getLogger(__name__)

PLAN = "plan.json"
ATTEMPTS = 3
"""How often a range is read before the pull gives up."""


@dataclass(frozen=True)
class _Job:
    """What all ranges of a pull share."""

    source: RangedSource
    plan: RangePlan
    columns: Mapping[str, str]
    folder: RunFolder
    given_up: Event
    dictionaries: Sequence[str]


def land_ranges(
    spec: SourceSpec,
    connection: Connection,
    columns: Mapping[str, str],
    key: str,
    folder: RunFolder,
    *,
    dictionaries: Sequence[str] = (),
) -> int:
    """Land the rows of a table of PostgreSQL in ``spec.ranges`` parts; how many rows there are.

    Args:
        spec: The table and the number of ranges.
        connection: The database.
        columns: Name in landing -> column of the table; a column may be landed twice.
        key: The column by which the table is cut.
        folder: Where the run keeps its files.
        dictionaries: Names in landing that are written with a dictionary.

    Raises:
        SourceError: the table could not be read, or changed its columns meanwhile.
    """
    folder.parts.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear_partial(folder.parts)
    folder.data.unlink(missing_ok=True)
    with RangedSource(spec, connection) as source:
        plan = _resumed(source, columns, folder, str(spec.table))
        if plan is None:
            remove_folder(folder.parts)
            plan = source.begin(key, spec.ranges)
        _write_plan(plan, columns, folder)
        rows = _land_all(_Job(source, plan, columns, folder, Event(), dictionaries))
        source.confirm()
    _require_one_schema(folder, f"{connection.id}: {spec.table}")
    return rows


def part_file(folder: RunFolder, number: int) -> Path:
    """The file of a range; the names sort as the ranges do."""
    return folder.parts / f"part-{number:03d}.parquet"


def _resumed(
    source: RangedSource, columns: Mapping[str, str], folder: RunFolder, table: str
) -> RangePlan | None:
    """The plan of a pull that died, if its snapshot still stands and its parts fit."""
    path = folder.parts / PLAN
    if not path.exists():
        return None
    stored = json.loads(path.read_text("utf-8"))
    ranges = tuple(Range(**piece) for piece in stored["plan"].pop("ranges"))
    plan = source.resume(RangePlan(**stored["plan"], ranges=ranges))
    done = len(folder.landed_parts())
    if plan is None or stored["columns"] != dict(columns):
        logger.warning(
            "%s: the snapshot of the interrupted pull has ended, so its %d landed ranges are "
            "dropped and all %d are pulled anew",
            table,
            done,
            len(ranges),
        )
        return None
    logger.info("%s: %d of %d ranges are kept, the rest is pulled", table, done, len(ranges))
    return plan


def _write_plan(plan: RangePlan, columns: Mapping[str, str], folder: RunFolder) -> None:
    record = {"plan": asdict(plan), "columns": dict(columns)}
    with whole_file(folder.parts / PLAN) as path:
        path.write_text(json.dumps(record, ensure_ascii=False), "utf-8")


def _land_all(job: _Job) -> int:
    with ThreadPoolExecutor(len(job.plan.ranges)) as pool:
        landing = [pool.submit(_land, job, number) for number in range(len(job.plan.ranges))]
        try:
            wait(landing)
        except BaseException:
            job.given_up.set()
            raise
    errors = [error for each in landing if (error := each.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, _Stopped)):
        raise error
    return sum(each.result() for each in landing)


def _land(job: _Job, number: int) -> int:
    """Land one range unless it is there; how many rows it has."""
    path = part_file(job.folder, number)
    if path.exists():
        return int(pq.read_metadata(path).num_rows)
    try:
        return _land_patiently(job, number, path)
    except BaseException:
        job.given_up.set()
        raise


def _land_patiently(job: _Job, number: int, path: Path) -> int:
    attempt = 1
    while True:
        try:
            return write_parquet(path, _read(job, number), list(job.columns), job.dictionaries)
        except SourceError as error:
            if not error.retryable or attempt == ATTEMPTS or job.given_up.is_set():
                raise
            logger.warning("range %d broke and is read again: %s", number, error)
            attempt += 1


def _read(job: _Job, number: int) -> Iterator[pa.RecordBatch]:
    """A range in landed columns, ended early when another range failed for good."""
    wanted = list(dict.fromkeys(job.columns.values()))
    for batch in job.source.read(wanted, job.plan, job.plan.ranges[number]):
        if job.given_up.is_set():
            raise _Stopped
        arrays = [batch.column(wanted.index(column)) for column in job.columns.values()]
        yield pa.RecordBatch.from_arrays(arrays, list(job.columns))


class _Stopped(Exception):
    """Another range failed, and its error is the one to see."""


def _require_one_schema(folder: RunFolder, obj: str) -> None:
    files = folder.landed_parts()
    schemas = [pq.read_schema(path) for path in files]
    if any(not schema.equals(schemas[0]) for schema in schemas):
        remove_folder(folder.parts)
        raise SourceChanged(
            obj,
            found="columns whose types differ from one range to the next",
            expected="one schema for all ranges",
            remedy="the pull can be tried again; all ranges are pulled anew",
        )
