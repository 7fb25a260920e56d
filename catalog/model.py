"""The catalog as typed, frozen data: entries, data elements, departments, code lists, subjects.

One definition, many renderings: schedule, schema, checks, masking, lineage names and portal pages
all come from here. Unknown keys are refused; what a bureau adds of its own goes to ``extensions``.
The mandatory elements are the union of the regulation's six (S004 Art.14), the decree's nine
(Decree 809 Art.13) and the national guide's thirteen; ``catalog.origins`` says which is whose.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalog.vocabulary import (
    Arrival,
    DataGrade,
    DataKind,
    DataType,
    Direction,
    ItemFormat,
    LateDepartment,
    Mask,
    OpenType,
    OrgKind,
    Pagination,
    PullMode,
    RestAuth,
    Secrecy,
    Sensitivity,
    ShareMode,
    ShareType,
    SystemKind,
    UpdateCycle,
    Weekday,
)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
EntryId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
ElementId = EntryId
ClockTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day such as ``"08:30"``; in quotes, since YAML reads 17:30 as a number."""


class Model(BaseModel):
    """Frozen, and strict about keys: a misspelt key is a fault, never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Department(Model):
    """A body that provides or governs data; ``uscc`` is its unified social credit code."""

    id: Identifier
    name: Name
    uscc: str
    org_kind: OrgKind
    region_code: str
    contact: Name


class CodeList(Model):
    """A closed list of codes and their names, e.g. GB/T 2260 region codes."""

    id: Identifier
    name: Name
    standard: Name
    codes: Mapping[str, Name]


class Scope(Model):
    """A predicate on one discriminator: the data of this element whose ``by`` is in ``values``."""

    by: Identifier
    values: tuple[str, ...] = Field(min_length=1)


class ElementSource(Model):
    """The claim of one entry to be the source of an element, in a scope (None: everything)."""

    entry: EntryId
    scope: Scope | None = None


class DataElement(Model):
    """What a name means, once: type, unit, meaning, and its one source per scope (S004 Art.15).

    ``scope_list`` names the code list of the discriminator, so that uncovered scopes can be listed.
    """

    id: ElementId
    name: Name
    type: DataType
    unit: Name | None = None
    meaning: Name
    format: ItemFormat | None = None
    code_list: Identifier | None = None
    sensitivity: Sensitivity
    mask: Mask = Mask.NONE
    scope_list: Identifier | None = None
    sources: tuple[ElementSource, ...] = Field(min_length=1)


class DataItem(Model):
    """One data item (信息项) of an entry.

    ``column`` is the name in the source (default: ``field``); ``element`` says which data element
    it carries; ``responsible_org`` overrides the entry's provider for this item (OWN-02).
    ``open_ended``: ``9999-12-31`` and ``9999-9-9`` mean "no end" and are not faults.
    """

    name: Name
    field: Identifier
    column: Name | None = None
    type: DataType
    length: int | None = Field(default=None, ge=1)
    scale: int | None = Field(default=None, ge=0, le=18)
    unit: Name | None = None
    nullable: bool = True
    format: ItemFormat | None = None
    code_list: Identifier | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    open_ended: bool = False
    sensitivity: Sensitivity
    mask: Mask = Mask.NONE
    element: ElementId | None = None
    responsible_org: Identifier | None = None
    share_type: ShareType | None = None

    @property
    def source_column(self) -> str:
        """The column's name in the department system."""
        return self.column or self.field


class Sharing(Model):
    """Sharing attribute: type, condition or legal basis, and modes (Decree 809 Art.14, 15, 22)."""

    type: ShareType
    condition: Name | None = None
    basis: Name | None = None
    modes: tuple[ShareMode, ...] = ()


class Opening(Model):
    """Open attribute, independent of sharing (S004 Art.14)."""

    type: OpenType
    condition: Name | None = None


class DataFormat(Model):
    """Format class and type of the national guide, e.g. 数据库 / postgresql."""

    format_class: Name
    format_type: Name


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
    ``ranges`` pulls a table of PostgreSQL in that many ranges of its key at the same time.
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


class Order(Model):
    """``earlier`` is not after ``later`` wherever both are known, e.g. issue and expiry date."""

    earlier: Identifier
    later: Identifier


class Quality(Model):
    """Rules beyond the items' own, and what the gates tolerate (shares of rows).

    A full pull that brings fewer than ``1 - max_shrunk_share`` or more than ``1 + max_grown_share``
    times the rows of the last published one stops until a person accepts it; a difference of up to
    ``volume_slack_rows`` rows never does.
    """

    ordered: tuple[Order, ...] = ()
    unique: tuple[tuple[Identifier, ...], ...] = ()
    max_quarantined_share: float = Field(default=0.2, ge=0, le=1)
    allow_empty: bool = False
    max_shrunk_share: float = Field(default=0.5, ge=0, le=1)
    max_grown_share: float = Field(default=9.0, ge=0)
    volume_slack_rows: int = Field(default=100, ge=0)


class Retention(Model):
    """How long each layer is kept, in days; counts and digests outlive the rows."""

    landing_days: int = Field(default=30, ge=1)
    quarantine_days: int = Field(default=365, ge=1)
    history_days: int = Field(default=1095, ge=1)


class ConfidentialityReview(Model):
    """The review before publication (S003 二(九), Decree 809 Art.13): reviewer is not compiler."""

    reviewer_org: Identifier
    reviewed_on: date
    verdict: Literal["may_be_shared", "may_be_shared_with_masking"]
    basis: Name


class CatalogEntry(Model):
    """One catalog entry (信息资源): everything that is promised about one data set."""

    id: EntryId
    version: int = Field(ge=1)
    resource_code: Annotated[str, StringConstraints(pattern=r"^[123]\d{2}\d{3}\d*/\d+$")]
    name: Name
    summary: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    category_path: tuple[Name, ...] = Field(min_length=2)
    data_kind: DataKind
    provider_org: Identifier
    data_source: Name
    format: DataFormat
    items: tuple[DataItem, ...] = Field(min_length=1)
    key: tuple[Identifier, ...] = Field(min_length=1)
    share: Sharing
    open: Opening
    update_cycle: UpdateCycle
    published_on: date
    data_grade: DataGrade
    secrecy: Secrecy
    use_condition: Name
    source: SourceSpec
    confidentiality_review: ConfidentialityReview
    related_codes: tuple[str, ...] = ()
    service_items: tuple[str, ...] = ()
    quality: Quality = Quality()
    retention: Retention = Retention()
    extensions: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        """Field names of all items, in order."""
        return tuple(item.field for item in self.items)

    def item(self, field: str) -> DataItem:
        """The item of that field name.

        Raises:
            KeyError: the entry has no such item.
        """
        for item in self.items:
            if item.field == field:
                return item
        raise KeyError(field)

    def responsible_org(self, field: str) -> str:
        """Who collects, updates and answers for an item: exactly one body (S004 Art.15)."""
        return self.item(field).responsible_org or self.provider_org


class SubjectColumn(Model):
    """A column of a subject table: its name there and the data element it carries."""

    field: Identifier
    element: ElementId


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


class System(Model):
    """A docked department system; ``id`` is the connection that entries name in their source.

    ``contact``: left out, the department's. A connection without a system of its own has no closed
    hours and the default breaker.
    """

    id: Identifier
    name: Name
    department: Identifier
    direction: Direction = Direction.INBOUND
    contact: Name | None = None
    closed: tuple[ClosedHours, ...] = ()
    breaker: Breaker = Breaker()


class Subject(Model):
    """A table of the subject library (S004 Art.13): union over scopes, join over elements."""

    id: Identifier
    name: Name
    family: DataKind
    meaning: Name
    key: tuple[Identifier, ...] = Field(min_length=1)
    late_department: LateDepartment = LateDepartment.PUBLISH_WITHOUT
    columns: tuple[SubjectColumn, ...] = Field(min_length=1)


class Promise(Model):
    """A statutory or local time limit as data; days are working days."""

    name: Name
    working_days: int = Field(ge=0)
    extension_working_days: int = Field(default=0, ge=0)
    warning_lead_days: int = Field(default=1, ge=0)
    pause_causes: tuple[Identifier, ...] = ()
    basis: Name
    is_local_choice: bool = False


class RuleProfile(Model):
    """Which law's promises and roles apply, e.g. ``wuxi_2022`` or ``cn_decree_809``."""

    id: Identifier
    name: Name
    reply_by: Literal["data_authority", "provider_org"]
    onward_transfer: Literal["forbidden", "with_provider_consent"]
    promises: Mapping[Identifier, Promise]


class Catalog(Model):
    """Everything that the rule files of a city say, cross-references not yet checked."""

    entries: Mapping[EntryId, CatalogEntry]
    elements: Mapping[ElementId, DataElement]
    departments: Mapping[Identifier, Department]
    code_lists: Mapping[Identifier, CodeList]
    subjects: Mapping[Identifier, Subject]
    profiles: Mapping[Identifier, RuleProfile]
    systems: Mapping[Identifier, System] = Field(default_factory=dict)


class CatalogView(Protocol):
    """What plans and builders read: a ``Catalog`` or a release, whichever is at hand."""

    @property
    def entries(self) -> Mapping[str, CatalogEntry]:
        """Entries by id."""

    @property
    def elements(self) -> Mapping[str, DataElement]:
        """Data elements by id."""

    @property
    def departments(self) -> Mapping[str, Department]:
        """Departments by id."""

    @property
    def code_lists(self) -> Mapping[str, CodeList]:
        """Code lists by id."""

    @property
    def subjects(self) -> Mapping[str, Subject]:
        """Subject definitions by id."""

    @property
    def profiles(self) -> Mapping[str, RuleProfile]:
        """Rule profiles by id."""

    @property
    def systems(self) -> Mapping[str, System]:
        """Docked systems by connection id."""
