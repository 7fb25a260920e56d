"""Where data come from: the source of an entry, and the docked system behind it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from catalog.base import ClockTime, EntryId, Identifier, Model, Name
from catalog.vocabulary import (
    Arrival,
    DataType,
    Direction,
    Pagination,
    PullMode,
    RestAuth,
    SystemKind,
    Weekday,
)


class RestSpec(Model):
    """How a query service pages, names its fields and lets a pull in.

    ``auth``: left out, the form of the connection's URL decides (a password alone is a bearer
    token). ``token_path``: where OAuth2 tokens are given out, below the connection's URL; another
    host is named in the connection (``token_url``), never here. ``rows_field``, ``next_field`` and
    ``total_field`` may be dotted paths into the answer; a bare list is the rows themselves.
    ``stable_cursor``: the service promises that a cursor of its own stays valid for hours and goes
    on where it stood, so that a pull that failed continues instead of starting over.
    """

    pagination: Pagination = Pagination.PAGE
    auth: RestAuth | None = None
    api_key_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")] = "X-API-Key"
    token_path: Name | None = None
    token_scope: Name | None = None
    page_parameter: Name = "page"
    size_parameter: Name = "page_size"
    cursor_parameter: Name = "cursor"
    rows_field: Name = "rows"
    next_field: Name | None = None
    total_field: Name = "total"
    stable_cursor: bool = False
    requests_per_second: float | None = Field(default=None, gt=0, le=1000)


class Watermark(Model):
    """The column in which the department stamps a row whenever it writes it.

    ``overlap`` is how late a stamp may be: a pull reads again from that much before the last stamp
    that was published. It is counted in seconds for ``timestamp``, in days for ``date`` and in
    units for ``integer``, and has to cover the longest transaction and the wrong clock of the
    department's system. ``parameter`` is the query parameter of a service that takes the lower
    bound; the service has to give rows without a stamp as well.
    """

    column: Name
    type: Literal[DataType.TIMESTAMP, DataType.DATE, DataType.INTEGER] = DataType.TIMESTAMP
    overlap: int = Field(ge=0)
    parameter: Name | None = None


class ChangeLog(Model):
    """The columns of a table of changes, by default as the national exchange tables call them.

    A row is one change of the row of its key: ``batch`` is a whole number that never falls,
    ``operation`` one of the lists below, ``time`` when it happened. ``sequence`` is a whole number
    that orders changes of equal batch and time; without it, unequal changes of one key at one time
    are set aside, since nobody can say which was the last. ``overlap`` is how many batches before
    the last published one are read again, for batches that appear late.
    """

    batch: Name = "cd_batch"
    operation: Name = "cd_operation"
    time: Name = "cd_time"
    sequence: Name | None = None
    overlap: int = Field(default=0, ge=0)
    writes: tuple[Name, ...] = Field(default=("I", "U"), min_length=1)
    deletes: tuple[Name, ...] = Field(default=("D",), min_length=1)


class Tombstone(Model):
    """The column that marks a row as deleted without removing it, and the values that say so."""

    column: Name
    values: tuple[Name, ...] = Field(min_length=1)


class SourceSpec(Model):
    """Where the data come from: the department system's connection and the place inside it.

    Exactly one of ``table`` (databases, ``schema.table``), ``path`` (file name pattern inside the
    drop folder) or ``endpoint`` (REST path) fits the kind; the check says so.
    ``delimiter`` and ``encoding`` are for CSV, ``sheet`` for XLSX, ``page_size`` for REST.
    ``ranges`` pulls a table of PostgreSQL in that many ranges at the same time.
    For files: ``arrival`` says when a new delivery counts as there in full, and makes the pull wait
    for one; without it the newest file is read as it lies there. ``settle_seconds`` is how long a
    file stays the same before it counts as stable, ``wait_hours`` how long a pull waits.
    ``manifest_required`` refuses a delivery without a manifest; one that is there is always
    checked.
    ``watermark`` is for mode ``incremental`` and ``change_log`` for mode ``change_log``. Deleted
    rows are known by the change log itself, by a ``tombstone``, or by ``reconcile_hours``: every so
    many hours a pull also reads all keys, and rows whose key is gone are deleted (0: each pull).
    """

    connection: Identifier
    kind: SystemKind
    table: Name | None = None
    path: Name | None = None
    endpoint: Name | None = None
    mode: PullMode = PullMode.FULL
    ranges: int = Field(default=1, ge=1, le=64)
    encoding: Name | None = None
    delimiter: str = ","
    sheet: Name | None = None
    page_size: int = Field(default=500, ge=1, le=10_000)
    rest: RestSpec | None = None
    arrival: Arrival | None = None
    settle_seconds: int = Field(default=30, ge=1, le=3_600)
    wait_hours: int = Field(default=12, ge=1, le=720)
    manifest_required: bool = False
    watermark: Watermark | None = None
    change_log: ChangeLog | None = None
    tombstone: Tombstone | None = None
    reconcile_hours: int | None = Field(default=None, ge=0, le=8_784)

    @property
    def technical_columns(self) -> tuple[tuple[str, str, DataType], ...]:
        """Columns that say how rows change: what for, name in the source, type."""
        found: list[tuple[str, str, DataType]] = []
        if self.watermark:
            found.append(("watermark", self.watermark.column, self.watermark.type))
        if log := self.change_log:
            found.append(("batch", log.batch, DataType.INTEGER))
            found.append(("operation", log.operation, DataType.STRING))
            found.append(("time", log.time, DataType.TIMESTAMP))
            if log.sequence:
                found.append(("sequence", log.sequence, DataType.INTEGER))
        if self.tombstone:
            found.append(("tombstone", self.tombstone.column, DataType.STRING))
        return tuple(found)


class ClosedHours(Model):
    """Hours of Asia/Shanghai in which a system is not read, e.g. office hours; ends on that day."""

    begins: ClockTime
    ends: ClockTime
    days: tuple[Weekday, ...] = (
        Weekday.MON,
        Weekday.TUE,
        Weekday.WED,
        Weekday.THU,
        Weekday.FRI,
    )


class Breaker(Model):
    """When a system that does not answer is left alone, and for how long before one more try."""

    opens_after: int = Field(default=3, ge=1)
    pause_minutes: int = Field(default=15, ge=1)


class DeliveryContract(Model):
    """Data sets that a system's department promised to the city database, due first on a day.

    ``number`` names the document; ``data_sets`` are ids of entries, of which some may not be
    compiled yet; ``first_delivery`` is a day in Beijing.
    """

    number: Name
    first_delivery: date
    data_sets: tuple[EntryId, ...] = Field(min_length=1)


class System(Model):
    """A docked department system; ``id`` is the connection that entries name in their source.

    ``contact``: left out, the department's. ``slots`` is how many pulls may read it at a time; left
    out, two, or what an engineer has set in Airflow. A connection without a system of its own has
    no closed hours and the default breaker.
    """

    id: Identifier
    name: Name
    department: Identifier
    direction: Direction = Direction.INBOUND
    contact: Name | None = None
    slots: int | None = Field(default=None, ge=1, le=64)
    closed: tuple[ClosedHours, ...] = ()
    breaker: Breaker = Breaker()
    contract: DeliveryContract | None = None
