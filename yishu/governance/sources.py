"""The source register: one source for each datum, and the decision that made it so (S004 Art.15).

A claim names an element, a scope and an entry. The database refuses a claim that overlaps another
one in scope and time; `yishu.governance.disputes` is the way when a department insists. The release
takes its sources from here, so the pipeline obeys from the day that a decision names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, true
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError

from catalog.model import Catalog, CatalogView, DataElement, ElementSource, Scope
from catalog.report import Gap, uncovered
from catalog.roles import Action
from catalog.scope import describe
from yishu.governance.errors import DuplicateSource
from yishu.governance.lists import require_licences
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import SourceClaim as Row
from yishu.ledger.models import SourceElement

KIND = "source_claim"

LICENCE_TYPE = "licence_type"
"""The discriminator whose values are kept on the list of shared licences."""


@dataclass(frozen=True)
class Claim:
    """An entry is the source of an element in a scope (None: everything) from a day on.

    ``decision`` names what made it so: a text, a meeting's record, the decision of a dispute.
    """

    element_id: str
    entry_id: str
    scope: Scope | None
    valid_from: date
    decision: str


@dataclass(frozen=True)
class Registered:
    """A claim on record; ``valid_until`` is the first day on which it no longer holds."""

    element_id: str
    entry_id: str
    org: str
    scope: Scope | None
    valid_from: date
    valid_until: date | None
    decision: str
    claimed_account: str


@dataclass(frozen=True)
class Responsibility:
    """What a department answers for: an element of its own (数据责任清单, S004 Art.17)."""

    org: str
    element_id: str
    element_name: str
    entry_id: str
    scope: str
    decision: str


def claim(connection: Connection, wanted: Claim, actor: Actor, at: datetime) -> Registered:
    """Register an entry as the source of an element in a scope.

    Raises:
        Forbidden: the entry is another body's.
        NotFound: it is of a licence type that is not on the list of shared licences.
        DuplicateSource: another entry is the source of some of it; the error names the first.
    """
    org = wanted.entry_id.partition(".")[0]
    require(actor, Action.CLAIM_SOURCE, wanted.entry_id, org)
    if wanted.scope is not None and wanted.scope.by == LICENCE_TYPE:
        require_licences(connection, wanted.scope.values, wanted.valid_from)
    register(connection, wanted, actor, at)
    after = {
        "element": wanted.element_id,
        "scope": describe(wanted.scope),
        "from": wanted.valid_from.isoformat(),
    }
    act = Act(actor, Action.CLAIM_SOURCE, KIND, wanted.entry_id, at, wanted.decision, None, after)
    append(connection, act)
    return Registered(
        wanted.element_id, wanted.entry_id, org, wanted.scope, wanted.valid_from, None,
        wanted.decision, actor.account,
    )  # fmt: skip


def register(connection: Connection, wanted: Claim, actor: Actor, at: datetime) -> None:
    """Insert a claim whose right was looked at elsewhere.

    Raises:
        DuplicateSource: it overlaps another one.
    """
    discriminator = wanted.scope.by if wanted.scope else None
    kept = _keep_element(connection, wanted.element_id, discriminator)
    first = first_claim(connection, wanted)
    if first is not None or (discriminator is not None and kept != discriminator):
        raise _duplicate(wanted, first, kept)
    try:
        with connection.begin_nested():
            connection.execute(insert(Row), _rows(wanted, kept, actor, at))
    except IntegrityError as error:
        # Another transaction registered an overlapping claim since we looked.
        raise _duplicate(wanted, first_claim(connection, wanted), kept) from error


def first_claim(connection: Connection, wanted: Claim) -> Registered | None:
    """The claim of another entry, or an earlier one of its own, that a wanted one overlaps."""
    values = wanted.scope.values if wanted.scope else None
    within = or_(Row.value.is_(None), Row.value.in_(values)) if values else true()
    lasts = or_(Row.valid_until.is_(None), Row.valid_until > wanted.valid_from)
    found = _claims(connection, Row.element_id == wanted.element_id, lasts, within)
    return found[0] if found else None


def register_of(
    connection: Connection, on: date, element_id: str | None = None
) -> list[Registered]:
    """The register on a day, of one element or all."""
    conditions = [Row.valid_from <= on, or_(Row.valid_until.is_(None), Row.valid_until > on)]
    if element_id is not None:
        conditions.append(Row.element_id == element_id)
    return _claims(connection, *conditions)


def in_registers(
    registers: Catalog, register: Iterable[Registered], published: Collection[str]
) -> Catalog:
    """The registers with each element's sources as the register has them, on whatever day.

    Elements that nobody registered keep what their file says. Claims of entries that are not
    published do not count, unless an element would be left without any source.
    """
    found: dict[str, list[ElementSource]] = defaultdict(list)
    for one in register:
        found[one.element_id].append(ElementSource(entry=one.entry_id, scope=one.scope))
    elements = {
        id_: _with_sources(element, found.get(id_) or element.sources, published)
        for id_, element in registers.elements.items()
    }
    return registers.model_copy(update={"elements": elements})


def adopt(connection: Connection, catalog: CatalogView, actor: Actor, at: datetime) -> int:
    """Take the sources of the rule files over into the register; how many claims."""
    count = 0
    for element in catalog.elements.values():
        for source in element.sources:
            entry = catalog.entries[source.entry]
            wanted = Claim(
                element.id, source.entry, source.scope, entry.published_on, "从数据元文件纳入"
            )
            register(connection, wanted, actor, at)
            count += 1
    return count


def responsibilities(
    connection: Connection, registers: CatalogView, on: date, org: str | None = None
) -> list[Responsibility]:
    """The responsibility list of a department, or of all."""
    return [
        Responsibility(
            one.org,
            one.element_id,
            registers.elements[one.element_id].name if one.element_id in registers.elements else "",
            one.entry_id,
            describe(one.scope),
            one.decision,
        )
        for one in register_of(connection, on)
        if org in (None, one.org)
    ]


def gaps(registers: Catalog, register: Collection[Registered]) -> list[Gap]:
    """For which values of an element's discriminator a register has no source."""
    scoped = {id_: one for id_, one in registers.elements.items() if one.scope_list}
    asked = registers.model_copy(update={"elements": scoped})
    return uncovered(in_registers(asked, register, {one.entry_id for one in register}))


def _with_sources(
    element: DataElement, sources: Iterable[ElementSource], published: Collection[str]
) -> DataElement:
    kept = tuple(source for source in sources if source.entry in published)
    return element.model_copy(update={"sources": kept}) if kept else element


def _keep_element(connection: Connection, element_id: str, discriminator: str | None) -> str:
    """The element's discriminator; the first claim with a scope sets it."""
    statement = upsert(SourceElement).values(
        element_id=element_id, discriminator=discriminator or ""
    )
    unset = SourceElement.discriminator == ""
    set_ = {"discriminator": statement.excluded.discriminator}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["element_id"], set_=set_, where=unset)
    )
    asked = select(SourceElement.discriminator).where(SourceElement.element_id == element_id)
    return connection.execute(asked).scalar_one()


def _rows(wanted: Claim, discriminator: str, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    values: Iterable[str | None] = wanted.scope.values if wanted.scope else (None,)
    return [
        {
            "element_id": wanted.element_id,
            "discriminator": discriminator,
            "value": value,
            "entry_id": wanted.entry_id,
            "org": wanted.entry_id.partition(".")[0],
            "valid_from": wanted.valid_from,
            "decision": wanted.decision,
            "claimed_person": actor.person,
            "claimed_account": actor.account,
            "claimed_at": at,
        }
        for value in values
    ]


def _claims(connection: Connection, *conditions: ColumnElement[bool]) -> list[Registered]:
    """Claims with the values of one scope put together, first registered first."""
    together = (
        Row.element_id, Row.entry_id, Row.org, Row.discriminator, Row.valid_from, Row.valid_until,
        Row.decision, Row.claimed_account,
    )  # fmt: skip
    asked = (
        select(*together, func.array_agg(Row.value).label("values"))
        .where(*conditions)
        .group_by(*together)
        .order_by(Row.element_id, func.min(Row.claim))
    )
    return [
        Registered(
            row.element_id,
            row.entry_id,
            row.org,
            _scope(row.discriminator, row.values),
            row.valid_from,
            row.valid_until,
            row.decision,
            row.claimed_account,
        )
        for row in connection.execute(asked)
    ]


def _scope(discriminator: str, values: list[str | None]) -> Scope | None:
    given = [value for value in values if value is not None]
    return Scope(by=discriminator, values=tuple(sorted(given))) if given else None


def _duplicate(wanted: Claim, first: Registered | None, discriminator: str) -> DuplicateSource:
    named = (
        f"{first.entry_id} ({describe(first.scope)}) since {first.valid_from}, by {first.decision}"
        if first
        else f"scopes by `{discriminator}`"
    )
    return DuplicateSource(
        wanted.element_id,
        found=f"a claim of {wanted.entry_id} ({describe(wanted.scope)})",
        expected=f"no overlap with the first claim, of {named}",
        remedy="narrow the scope, or open a dispute: `yishu register dispute`",
    )
