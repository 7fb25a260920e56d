"""Bodies: their tree of four levels, who followed whom and when, contacts, duties, roll-up."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from catalog.model import Department
from catalog.roles import Action
from catalog.vocabulary import CodeSystem, ContactDuty, DutyPart, OrgKind, OrgLevel
from yishu.governance.errors import NotFound, ReasonMissing, StateRefused
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Duty as DutyRow
from yishu.ledger.models import DutyParty, OrgContact, OrgSuccession
from yishu.ledger.models import Organisation as Row

KIND = "organisation"

_LEVELS = list(OrgLevel)


@dataclass(frozen=True)
class Organisation:
    """A body.

    Attributes:
        uscc: Unified social credit code (GB 32100-2015); None for a body without one.
        parent: The body one level above; None for the city.
        region_code: Code of the region, in ``code_system``.
    """

    org: str
    name: str
    kind: OrgKind
    level: OrgLevel
    parent: str | None
    code_system: CodeSystem
    region_code: str
    valid_from: date
    uscc: str | None = None
    valid_until: date | None = None

    @property
    def is_by_reference(self) -> bool:
        """Whether it takes part by reference only (参照执行, S004 Art.2)."""
        return self.kind is OrgKind.VERTICAL


@dataclass(frozen=True)
class Contact:
    """Who answers for a duty of a body; ``telephone`` is the office's."""

    org: str
    duty: ContactDuty
    name: str
    valid_from: date
    telephone: str | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Duty:
    """A task and its parties; there is none without a lead (S002 二, S003 二)."""

    duty: str
    title: str
    basis: str
    lead_org: str
    cooperating: tuple[str, ...] = ()
    responsible: tuple[str, ...] = ()


def add(connection: Connection, body: Organisation, actor: Actor, at: datetime) -> None:
    """Register a body; registered again it has what is given now.

    Raises:
        Forbidden: the role may not do it.
        StateRefused: its parent is not one level above.
    """
    require(actor, Action.MANAGE_ORGANISATIONS, body.org)
    _check_level(connection, body)
    values = asdict(body)
    before = connection.execute(select(Row).where(Row.org == body.org)).mappings().one_or_none()
    statement = (
        upsert(Row).values(values).on_conflict_do_update(index_elements=["org"], set_=values)
    )
    connection.execute(statement)
    was = None if before is None else _told(before)
    append(connection, _act(actor, body.org, at, _told(values), before=was))


def adopt(
    connection: Connection,
    city: Organisation,
    departments: Iterable[Department],
    actor: Actor,
    at: datetime,
) -> int:
    """Register the city and the departments of the rule files below it; how many bodies."""
    add(connection, city, actor, at)
    count = 1
    for one in departments:
        body = Organisation(
            one.id,
            one.name,
            one.org_kind,
            OrgLevel.COUNTY,
            city.org,
            CodeSystem.GB2260,
            one.region_code,
            city.valid_from,
            one.uscc,
        )
        add(connection, body, actor, at)
        count += 1
    return count


def find(connection: Connection, org: str) -> Organisation:
    """A body.

    Raises:
        NotFound: it is not registered.
    """
    row = connection.execute(select(Row).where(Row.org == org)).mappings().one_or_none()
    if row is None:
        raise NotFound(
            org,
            found="no such body",
            expected="a registered body",
            remedy="register it with `yishu org add`, or correct the name",
        )
    return _body(row)


def tree(connection: Connection, on: date) -> list[Organisation]:
    """Every body that exists on a day, upper levels first."""
    valid = (Row.valid_from <= on) & or_(Row.valid_until.is_(None), Row.valid_until >= on)
    rows = connection.execute(select(Row).where(valid).order_by(Row.org)).mappings()
    return sorted(map(_body, rows), key=lambda body: (_LEVELS.index(body.level), body.org))


@dataclass(frozen=True)
class Succession:
    """From ``succeeded_on`` the duties of a body are another's; several that merge name one."""

    org: str
    successor: str
    succeeded_on: date
    basis: str


def succeed(connection: Connection, reform: Succession, actor: Actor, at: datetime) -> None:
    """Put on record that a body is followed by another: renamed, merged or split.

    Raises:
        NotFound: one of them is not registered.
        StateRefused: the successor is, by way of others, the body itself.
        ReasonMissing: no basis.
    """
    org, successor, on = reform.org, reform.successor, reform.succeeded_on
    require(actor, Action.MANAGE_ORGANISATIONS, org)
    if not reform.basis.strip():
        raise ReasonMissing(
            org, found="no basis", expected="the decision on the reform", remedy="name it"
        )
    find(connection, org)
    find(connection, successor)
    if org in (successor, present(connection, successor, date.max)):
        raise StateRefused(
            org,
            found=f"`{successor}`, whose own successor it is",
            expected="a body that goes on",
            remedy="name the body that the decision names",
        )
    connection.execute(insert(OrgSuccession).values(asdict(reform)))
    connection.execute(update(Row).where(Row.org == org).values(valid_until=on))
    append(connection, _act(actor, org, at, _told(asdict(reform)), reason=reform.basis))


def present(connection: Connection, org: str, on: date) -> str:
    """Who holds a body's duties on a day: itself, or the last of those that followed it."""
    rows = connection.execute(select(OrgSuccession).where(OrgSuccession.succeeded_on <= on))
    followed = {row.org: row.successor for row in rows}
    seen = {org}
    while org in followed and followed[org] not in seen:
        org = followed[org]
        seen.add(org)
    return org


def keep_contact(connection: Connection, contact: Contact, actor: Actor, at: datetime) -> None:
    """Put on record who answers for a duty from a day on; the one before ends with it."""
    require(actor, Action.MANAGE_ORGANISATIONS, contact.org)
    same = (OrgContact.org == contact.org, OrgContact.duty == contact.duty.value)
    ended = update(OrgContact).where(
        *same, OrgContact.valid_from < contact.valid_from, OrgContact.valid_until.is_(None)
    )
    connection.execute(ended.values(valid_until=contact.valid_from))
    statement = upsert(OrgContact).values(asdict(contact))
    kept = {"name": contact.name, "telephone": contact.telephone}
    keys = ["org", "duty", "valid_from"]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=kept))
    after = {"duty": contact.duty.value, "valid_from": contact.valid_from.isoformat()}
    append(connection, _act(actor, contact.org, at, after))


def contacts(connection: Connection, org: str, on: date) -> list[Contact]:
    """Who answers for a body on a day."""
    valid = (OrgContact.valid_from <= on) & or_(
        OrgContact.valid_until.is_(None), OrgContact.valid_until > on
    )
    asked = select(OrgContact).where(OrgContact.org == org, valid).order_by(OrgContact.duty)
    rows = connection.execute(asked).mappings()
    return [Contact(**{**row, "duty": ContactDuty(row["duty"])}) for row in rows]


def keep_duty(connection: Connection, duty: Duty, actor: Actor, at: datetime) -> None:
    """Put a task and its parties on record, replacing what was said of it before.

    Raises:
        ReasonMissing: no lead.
    """
    require(actor, Action.MANAGE_ORGANISATIONS, duty.duty)
    if not duty.lead_org.strip():
        raise ReasonMissing(
            duty.duty,
            found="a task without a lead",
            expected="the body that leads it (牵头单位)",
            remedy="name the lead",
        )
    kept = {"title": duty.title, "basis": duty.basis, "lead_org": duty.lead_org}
    statement = upsert(DutyRow).values(duty=duty.duty, **kept)
    connection.execute(statement.on_conflict_do_update(index_elements=["duty"], set_=kept))
    connection.execute(delete(DutyParty).where(DutyParty.duty == duty.duty))
    parties = [
        {"duty": duty.duty, "org": org, "part": part.value}
        for part, orgs in (
            (DutyPart.COOPERATING, duty.cooperating),
            (DutyPart.RESPONSIBLE, duty.responsible),
        )
        for org in orgs
    ]
    if parties:
        connection.execute(insert(DutyParty), parties)
    append(connection, _act(actor, duty.duty, at, _told(asdict(duty)), reason=duty.basis))


def duties(connection: Connection, org: str | None = None) -> list[Duty]:
    """Tasks, of everybody or those that a body has a part in."""
    parties: dict[tuple[str, str], list[str]] = {}
    for row in connection.execute(select(DutyParty).order_by(DutyParty.org)):
        parties.setdefault((row.duty, row.part), []).append(row.org)
    found = [
        Duty(
            row.duty,
            row.title,
            row.basis,
            row.lead_org,
            tuple(parties.get((row.duty, DutyPart.COOPERATING.value), ())),
            tuple(parties.get((row.duty, DutyPart.RESPONSIBLE.value), ())),
        )
        for row in connection.execute(select(DutyRow).order_by(DutyRow.duty))
    ]
    return [one for one in found if org in (None, one.lead_org, *one.cooperating, *one.responsible)]


def roll_up(bodies: Iterable[Organisation], own: Mapping[str, int]) -> dict[str, int]:
    """Each body's own figure and those of all below it: the top is the sum of every leaf.

    Raises:
        NotFound: a figure of a body that is not among them.
    """
    parents = {body.org: body.parent for body in bodies}
    totals = dict.fromkeys(parents, 0)
    for org, figure in own.items():
        if org not in parents:
            raise NotFound(
                org,
                found="a figure of a body outside the tree",
                expected="a registered body of that day",
                remedy="register the body, or give its successor the figure",
            )
        at: str | None = org
        while at is not None:
            totals[at] += figure
            at = parents.get(at)
    return totals


def _check_level(connection: Connection, body: Organisation) -> None:
    expected = _LEVELS.index(body.level) - 1
    if body.parent is None and expected < 0:
        return
    above = find(connection, body.parent).level if body.parent else None
    if above is None or _LEVELS.index(above) != expected:
        raise StateRefused(
            body.org,
            found=f"level {body.level.value} below {above.value if above else 'nothing'}",
            expected=f"a parent of level {_LEVELS[expected].value}"
            if expected >= 0
            else "no parent",
            remedy="correct the level or the parent",
        )


def _body(row: Mapping[Any, Any]) -> Organisation:
    return Organisation(
        **{
            **row,
            "kind": OrgKind(row["kind"]),
            "level": OrgLevel(row["level"]),
            "code_system": CodeSystem(row["code_system"]),
        }
    )


def _told(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Values as the journal keeps them."""
    return {
        str(key): value.isoformat() if isinstance(value, date) else value
        for key, value in values.items()
    }


def _act(
    actor: Actor,
    org: str,
    at: datetime,
    after: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> Act:
    return Act(actor, Action.MANAGE_ORGANISATIONS, KIND, org, at, reason, before, after)
