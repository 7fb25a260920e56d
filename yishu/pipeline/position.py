"""How far an entry's changes have been read and published; kept beside the commit that did it.

A position moves with the rows that it speaks of, in one commit, so that it can never be ahead of
the table: what happens to the one happens to the other.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import CatalogEntry, DataItem, SourceSpec
from catalog.vocabulary import DataType, PullMode, Sensitivity
from transforms.parsing import LOCAL_ZONE
from transforms.standard import read_column
from yishu.library import POSITION, unified_table
from yishu.library.commit import recorded
from yishu.library.place import Place

Stamp = datetime | date | int
"""A moment with its zone, a day, or a whole number: what a watermark or a batch is."""


@dataclass(frozen=True)
class Position:
    """How far the changes of an entry are in the library.

    Attributes:
        entry_version: Version of the entry; with another one everything is read again.
        reached: The last stamp or batch that was published, as text; None: none was readable.
        reconciled_at: When all keys were last compared, ISO 8601.
        unknown: Digest of keys that the source had then and that no pull could publish.
    """

    entry_version: int
    reached: str | None
    reconciled_at: str
    unknown: str = ""

    def to_json(self) -> str:
        """As it is kept beside a commit."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Published:
    """What is in the library before a pull.

    Attributes:
        run_id: The run of the newest version; None: there is no version.
        rows: Rows of that version.
        position: How far it is; None: all has to be read.
    """

    run_id: str | None = None
    rows: int = 0
    position: Position | None = None


def published(library: Path, entry: CatalogEntry) -> Published:
    """What is in the library of an entry that is pulled by changes."""
    place = Place(library, unified_table(entry.id))
    publications = recorded(place.open()) if place.exists() else []
    if not publications:
        return Published()
    newest = publications[0]
    kept = newest.metadata.get(POSITION)
    position = Position(**json.loads(kept)) if kept else None
    if position is not None and position.entry_version != entry.version:
        position = None
    return Published(newest.commit.run_id, newest.commit.rows, position)


def order_column(spec: SourceSpec) -> str:
    """The landed column that says when a row was changed, by which pulls are bounded."""
    return "_batch" if spec.mode is PullMode.CHANGE_LOG else "_watermark"


def technical_item(use: str, type_: DataType) -> DataItem:
    """A column that tells changes, as an item, so that it is read as items are."""
    return DataItem(name=use, field=use, type=type_, sensitivity=Sensitivity.INTERNAL)


def order_type(spec: SourceSpec) -> DataType:
    """The type of the column that pulls are bounded by."""
    return spec.watermark.type if spec.watermark else DataType.INTEGER


def lower_bound(spec: SourceSpec, reached: str | None) -> Stamp | None:
    """Where the next pull begins: the overlap before what was reached; None: at the beginning."""
    if reached is None:
        return None
    stamp = stamp_of(spec, reached)
    log, mark = spec.change_log, spec.watermark
    overlap = log.overlap if log else mark.overlap if mark else 0
    try:
        if isinstance(stamp, datetime):
            return stamp - timedelta(seconds=overlap)
        return stamp - timedelta(days=overlap) if isinstance(stamp, date) else stamp - overlap
    except OverflowError:
        return None


def stamp_of(spec: SourceSpec, text: str) -> Stamp:
    """A stamp from its text, e.g. ``2026-01-31T16:00:00+00:00``, ``2026-01-31`` or ``42``.

    Raises:
        ValueError: the text is no stamp of the entry's type.
    """
    match order_type(spec):
        case DataType.TIMESTAMP:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)
        case DataType.DATE:
            return date.fromisoformat(text)
        case _:
            return int(text)


def text_of(stamp: Stamp) -> str:
    """A stamp as text that reads back as the same."""
    if isinstance(stamp, datetime):
        return stamp.astimezone(UTC).isoformat()
    return stamp.isoformat() if isinstance(stamp, date) else str(stamp)


@dataclass
class Window:
    """The rows that a pull takes, and the last stamp among them.

    Attributes:
        since: First stamp; None: from the beginning.
        until: First stamp that is too late; None: to the end.
        reached: The last stamp seen so far that is not in the future.
    """

    spec: SourceSpec
    since: Stamp | None
    until: Stamp | None
    now: datetime
    reached: Stamp | None

    def take(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows inside, and all rows whose stamp is missing or cannot be read."""
        name = order_column(self.spec)
        item = technical_item(name.removeprefix("_"), order_type(self.spec))
        for batch in batches:
            column = pa.chunked_array([batch.column(name)])
            stamps = read_column(column, item).values.combine_chunks()
            stamps = stamps.chunk(0) if isinstance(stamps, pa.ChunkedArray) else stamps
            inside = self._inside(stamps)
            kept = batch if inside is None else batch.filter(inside)
            self._note(stamps if inside is None else stamps.filter(inside))
            yield kept

    def _inside(self, stamps: pa.Array) -> pa.Array | None:
        tests = []
        if self.since is not None:
            tests.append(pc.greater_equal(stamps, pa.scalar(self.since, stamps.type)))
        if self.until is not None:
            tests.append(pc.less(stamps, pa.scalar(self.until, stamps.type)))
        if not tests:
            return None
        return pc.fill_null(tests[0] if len(tests) == 1 else pc.and_(*tests), True)

    def _note(self, stamps: pa.Array) -> None:
        latest = latest_possible(stamps.type, self.now)
        if latest is not None:
            # A stamp in the future would hide what is written until then.
            stamps = stamps.filter(pc.less_equal(stamps, latest))
        found = pc.max(stamps).as_py()
        if found is not None and (self.reached is None or found > self.reached):
            self.reached = found


def latest_possible(kind: pa.DataType, now: datetime) -> pa.Scalar | None:
    """The last stamp that is not in the future; None for numbers, which have no clock."""
    if pa.types.is_timestamp(kind):
        return pa.scalar(now, kind)
    return pa.scalar(now.astimezone(LOCAL_ZONE).date(), kind) if pa.types.is_date(kind) else None
