"""What a department is told before it files: what it has already, and what comes nearest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from catalog.errors import NotCataloged
from yishu.ledger.models import ShareGrant
from yishu.sharing.desk import Desk
from yishu.sharing.objects import shared_object
from yishu.sharing.supply import Supply
from yishu.sharing.vocabulary import GrantState


@dataclass(frozen=True)
class Hints:
    """What speaks against filing, or for another object.

    Attributes:
        held: Fields of the object whose data the department holds itself, by its own entry.
        covered_by: Grants of the department, open or being opened, that cover the fields.
        nearest: Entries near to what is asked for, where the object is not in the catalog.
        names: What fields and entries are called in Chinese.
    """

    held: dict[str, str]
    covered_by: tuple[str, ...]
    nearest: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)

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
        told += [f"本部门的授权 {grant} 已包含所需数据。" for grant in self.covered_by]
        if self.nearest:
            told.append(f"目录中最接近的数据：{'、'.join(self.nearest)}。")
        return told


def hints(desk: Desk, org: str, object_id: str, fields: Sequence[str]) -> Hints:
    """What to tell a department about a request that it is about to file.

    Args:
        desk: The desk.
        org: The department.
        object_id: What it asks for: an id, or words where it does not know one.
        fields: Fields of the object.
    """
    try:
        object_ = shared_object(desk.catalog, object_id)
    except NotCataloged:
        every = Supply.of(desk.catalog.entries.values())
        return Hints({}, (), every.nearest([object_id, *fields]))
    own = {
        item.element: entry.id
        for entry in desk.catalog.entries.values()
        if entry.provider_org == org
        for item in entry.items
        if item.element is not None
    }
    elements = {one: object_.columns[one].element for one in fields if one in object_.columns}
    held = {name: own[one] for name, one in elements.items() if one is not None and one in own}
    living = [GrantState.APPROVED, GrantState.OPEN, GrantState.SUSPENDED]
    asked = select(ShareGrant.grant_id).where(
        ShareGrant.consumer_org == org,
        ShareGrant.object_id == object_id,
        ShareGrant.state.in_(living),
        ShareGrant.columns.contains(list(fields)),
        ShareGrant.valid_until > desk.at,
    )
    covering = tuple(desk.connection.scalars(asked.order_by(ShareGrant.grant_id)))
    names = {one.field: one.name for one in object_.columns.values()}
    names |= {one: desk.catalog.entries[one].name for one in held.values()}
    return Hints(held, covering, (), names)
