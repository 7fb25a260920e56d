"""What a department is told before it files: what it has already, and what comes nearest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from catalog.errors import NotCataloged
from catalog.model import CatalogEntry
from yishu.ledger.models import ShareGrant
from yishu.sharing.desk import Desk
from yishu.sharing.form import RowScope
from yishu.sharing.objects import shared_object
from yishu.sharing.regions import covers_region, level_of_region
from yishu.sharing.supply import Supply
from yishu.sharing.vocabulary import GrantState


@dataclass(frozen=True)
class Hints:
    """What speaks against filing, or for another object.

    Attributes:
        held: Fields of the object whose data the department holds itself, by its own entry.
        covered_by: Grants of the department, open or being opened, that cover fields and rows;
            any of the object where nothing is chosen yet.
        nearest: Entries near to what is asked for, where the object is not in the catalog.
        names: What fields and entries are called in Chinese.
        is_chosen: Whether fields are chosen already.
    """

    held: dict[str, str]
    covered_by: tuple[str, ...]
    nearest: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    is_chosen: bool = True

    @property
    def texts_zh(self) -> list[str]:
        """The hints as a clerk reads them."""
        by_entry: dict[str, list[str]] = {}
        for name, entry in self.held.items():
            by_entry.setdefault(entry, []).append(f"“{self.names.get(name, name)}”")
        told = [
            f"本部门的“{self.names.get(entry, entry)}”已有{'、'.join(held)}，无需申请。"
            for entry, held in by_entry.items()
        ]
        covered = "已包含所需数据" if self.is_chosen else "已包含该数据的部分内容，请先核对是否够用"
        told += [f"本部门的授权 {grant} {covered}。" for grant in self.covered_by]
        if self.nearest:
            told.append(f"目录中最接近的数据：{'、'.join(self.nearest)}。")
        return told


def hints(
    desk: Desk,
    org: str,
    object_id: str,
    fields: Sequence[str],
    rows: RowScope | None = None,
    *,
    own_entries: Sequence[CatalogEntry] | None = None,
) -> Hints:
    """What to tell a department about a request that it is about to file.

    Args:
        desk: The desk.
        org: The department.
        object_id: What it asks for: an id, or words where it does not know one.
        fields: Fields of the object; none: nothing is chosen yet.
        rows: Which rows; None: nothing is chosen yet.
        own_entries: The entries of the department, where they are at hand; None: looked for.
    """
    try:
        object_ = shared_object(desk.catalog, object_id)
    except NotCataloged:
        supply = Supply.of(desk.catalog.entries.values())
        return Hints({}, (), supply.nearest([object_id, *fields]))
    if own_entries is None:
        every = desk.catalog.entries.values()
        own_entries = [one for one in every if one.provider_org == org]
    own = {
        item.element: entry.id
        for entry in own_entries
        for item in entry.items
        if item.element is not None
    }
    wanted = fields or list(object_.columns)
    elements = {one: object_.columns[one].element for one in wanted if one in object_.columns}
    held = {name: own[one] for name, one in elements.items() if one is not None and one in own}
    covering = _covering(desk, org, object_id, fields, rows)
    names = {one.field: one.name for one in object_.columns.values()}
    names |= {one: desk.catalog.entries[one].name for one in held.values()}
    return Hints(held, covering, (), names, is_chosen=bool(fields))


def _covering(
    desk: Desk, org: str, object_id: str, fields: Sequence[str], rows: RowScope | None
) -> tuple[str, ...]:
    living = [GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED]
    asked = select(ShareGrant.grant_id, ShareGrant.row_scope).where(
        ShareGrant.consumer_org == org,
        ShareGrant.object_id == object_id,
        ShareGrant.state.in_(living),
        ShareGrant.columns.contains(list(fields)),
        ShareGrant.valid_until > desk.at,
    )
    return tuple(
        grant.grant_id
        for grant in desk.connection.execute(asked.order_by(ShareGrant.grant_id))
        if rows is None
        or _covers(RowScope.model_validate(grant.row_scope), rows, _own_rows(desk, org))
    )


def _own_rows(desk: Desk, org: str) -> tuple[str, ...]:
    """The region that a district's body is granted where it names none; of others none."""
    body = desk.catalog.departments.get(org)
    is_district = body is not None and level_of_region(body.region_code) == "district"
    return (body.region_code,) if body is not None and is_district else ()


def _covers(granted: RowScope, wanted: RowScope, own: tuple[str, ...]) -> bool:
    """Whether all wanted rows are among those of a grant."""
    regions = wanted.regions or own
    is_there = not granted.regions or (
        bool(regions)
        and all(any(covers_region(one, inner) for one in granted.regions) for inner in regions)
    )
    if granted.period_column is None:
        return is_there
    begins = granted.since is None or (wanted.since is not None and wanted.since >= granted.since)
    ends = granted.until is None or (wanted.until is not None and wanted.until <= granted.until)
    return is_there and wanted.period_column == granted.period_column and begins and ends
