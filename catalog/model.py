"""The catalog as typed, frozen data: entries, data elements, departments, code lists, subjects.

One definition, many renderings: schedule, schema, checks, masking, lineage names and portal pages
all come from here. Unknown keys are refused; what a bureau adds of its own goes to ``extensions``.
The mandatory elements are the union of the regulation's six (S004 Art.14), the decree's nine
(Decree 809 Art.13) and the national guide's thirteen; ``catalog.origins`` says which is whose.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, StringConstraints

from catalog.base import ClockTime, ElementId, EntryId, Identifier, Model, Name
from catalog.promise import Promise, RuleProfile
from catalog.source import (
    Breaker,
    ChangeLog,
    ClosedHours,
    RestSpec,
    SourceSpec,
    System,
    Tombstone,
    Watermark,
)
from catalog.vocabulary import (
    DataGrade,
    DataKind,
    DataType,
    ItemFormat,
    LateDepartment,
    Mask,
    OpenType,
    OrgKind,
    Secrecy,
    Sensitivity,
    ShareMode,
    ShareType,
    UpdateCycle,
)

__all__ = [
    "Breaker",
    "Catalog",
    "CatalogEntry",
    "CatalogView",
    "ChangeLog",
    "ClockTime",
    "ClosedHours",
    "CodeList",
    "ConfidentialityReview",
    "DataElement",
    "DataFormat",
    "DataItem",
    "Department",
    "ElementId",
    "ElementSource",
    "EntryId",
    "Identifier",
    "Model",
    "Name",
    "Opening",
    "Order",
    "Period",
    "Promise",
    "Quality",
    "RestSpec",
    "Retention",
    "RuleProfile",
    "Scope",
    "Sharing",
    "SourceSpec",
    "Subject",
    "SubjectColumn",
    "SubjectLink",
    "System",
    "Tombstone",
    "Watermark",
]


class Department(Model):
    """A body that provides or governs data; ``uscc`` is its unified social credit code."""

    id: Identifier
    name: Name
    uscc: str
    org_kind: OrgKind
    region_code: str
    contact: Name


class Period(Model):
    """From the first to the last day on which something holds; None leaves a side open."""

    since: date | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the day is in the period."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


class CodeList(Model):
    """A closed list of codes and their names, e.g. GB/T 2260 region codes.

    ``periods`` says when codes were in force that are not always, e.g. those of merged districts.
    Values are held against the codes of the day of the pull, or of a day beside them in the row
    (``quality.in_force`` of the entry).
    """

    id: Identifier
    name: Name
    standard: Name
    codes: Mapping[str, Name]
    periods: Mapping[str, Period] = Field(default_factory=dict)


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


class Order(Model):
    """``earlier`` is not after ``later`` wherever both are known, e.g. issue and expiry date."""

    earlier: Identifier
    later: Identifier


class InForce(Model):
    """The code in ``code`` was in force on the day in ``day``, by the periods of its code list."""

    code: Identifier
    day: Identifier


class Quality(Model):
    """Rules beyond the items' own, and what the gates tolerate (shares of rows).

    A full pull that brings fewer than ``1 - max_shrunk_share`` or more than ``1 + max_grown_share``
    times the rows of the last published one stops until a person accepts it; a difference of up to
    ``volume_slack_rows`` rows never does.
    """

    ordered: tuple[Order, ...] = ()
    unique: tuple[tuple[Identifier, ...], ...] = ()
    in_force: tuple[InForce, ...] = ()
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


class SubjectLink(Model):
    """Rows of a subject that point to rows of another, e.g. a case to the item applied for.

    ``to`` are the columns pointed to, default the other subject's key; a row without a value points
    nowhere. ``when`` limits the link to rows of some kind, e.g. applicants that are legal entities.
    More than ``max_dangling_share`` of rows that point to nothing stop a release.
    """

    name: Identifier
    columns: tuple[Identifier, ...] = Field(min_length=1)
    subject: Identifier
    to: tuple[Identifier, ...] = ()
    when: Scope | None = None
    max_dangling_share: float = Field(default=1, ge=0, le=1)


class Subject(Model):
    """A table of the subject library (S004 Art.13): union over scopes, join over elements.

    An entry of whose rows more than ``max_not_linked_share`` give nothing stops the publication.
    """

    id: Identifier
    name: Name
    family: DataKind
    meaning: Name
    key: tuple[Identifier, ...] = Field(min_length=1)
    late_department: LateDepartment = LateDepartment.PUBLISH_WITHOUT
    columns: tuple[SubjectColumn, ...] = Field(min_length=1)
    links: tuple[SubjectLink, ...] = ()
    max_not_linked_share: float = Field(default=1, ge=0, le=1)


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


def code_list_of(item: DataItem, catalog: CatalogView) -> str | None:
    """The id of the code list of an item: its own, or its element's."""
    element = catalog.elements.get(item.element) if item.element else None
    return item.code_list or (element.code_list if element else None)
