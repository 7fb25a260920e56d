"""Disputes over sources (Decree 809 Art.28): consult, then the authority, then the superior.

The two bodies consult until a deadline; the authority decides, or passes on to the common superior.
Who decides is no party. The decision moves the source from a day; what was before stays on record.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from catalog.model import Scope
from catalog.roles import Action
from yishu.governance import sources
from yishu.governance.errors import Forbidden, NotFound, NotSeparate, ReasonMissing, StateRefused
from yishu.governance.permission import require
from yishu.governance.sources import Claim
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import SourceClaim
from yishu.ledger.models import SourceDispute as Row

KIND = "source_dispute"


class Stage(StrEnum):
    """Where a dispute is."""

    CONSULTING = "consulting"
    AUTHORITY = "authority"
    SUPERIOR = "superior"
    DECIDED = "decided"


_NEXT = {Stage.CONSULTING: Stage.AUTHORITY, Stage.AUTHORITY: Stage.SUPERIOR}


@dataclass(frozen=True)
class Dispute:
    """A dispute; ``due_on`` is the deadline of its present stage."""

    dispute: int
    element_id: str
    scope_by: str | None
    scope_values: tuple[str, ...]
    claimant_entry: str
    claimant_org: str
    first_entry: str
    first_org: str
    grounds: str
    stage: Stage
    due_on: date
    winner: str | None
    effective_on: date | None
    reason: str | None


def open_dispute(
    connection: Connection, wanted: Claim, due_on: date, actor: Actor, at: datetime
) -> Dispute:
    """Dispute the first claim that a wanted one overlaps; ``wanted.decision`` are the grounds.

    Raises:
        Forbidden: the role may not do it.
        NotFound: nothing stands against the claim; register it.
    """
    require(actor, Action.OPEN_DISPUTE, wanted.entry_id, wanted.entry_id.partition(".")[0])
    first = sources.first_claim(connection, wanted)
    if first is None:
        raise NotFound(
            wanted.element_id,
            found="no claim that overlaps this one",
            expected="a first claim to dispute",
            remedy="register the claim",
        )
    values = {
        "element_id": wanted.element_id,
        "scope_by": wanted.scope.by if wanted.scope else None,
        "scope_values": list(wanted.scope.values if wanted.scope else ()),
        "claimant_entry": wanted.entry_id,
        "claimant_org": actor.org,
        "first_entry": first.entry_id,
        "first_org": first.org,
        "grounds": wanted.decision,
        "stage": Stage.CONSULTING.value,
        "due_on": due_on,
        "opened_account": actor.account,
        "opened_at": at,
    }
    number = connection.execute(insert(Row).values(values).returning(Row.dispute)).scalar_one()
    after = {"element": wanted.element_id, "against": first.entry_id, "due_on": due_on.isoformat()}
    append(
        connection,
        Act(actor, Action.OPEN_DISPUTE, KIND, str(number), at, wanted.decision, None, after),
    )
    return find(connection, number)


def escalate(
    connection: Connection, number: int, due_on: date, actor: Actor, at: datetime
) -> Dispute:
    """Pass a dispute on: from the two bodies to the authority, from it to the common superior.

    Raises:
        Forbidden: not a party or the authority.
        StateRefused: there is nowhere to pass it on to.
    """
    one = find(connection, number, lock=True)
    consulting = one.stage is Stage.CONSULTING
    require(actor, Action.CONSULT_DISPUTE if consulting else Action.DECIDE_DISPUTE, str(number))
    if consulting and actor.org not in (one.claimant_org, one.first_org):
        raise Forbidden(
            f"dispute {number}",
            found=f"{actor.org}, which is no party",
            expected=f"{one.claimant_org} or {one.first_org}",
            remedy="let one of the two bodies pass the dispute on",
        )
    if one.stage not in _NEXT:
        raise _refused(one, "consulting or authority")
    stage = _NEXT[one.stage]
    connection.execute(
        update(Row).where(Row.dispute == number).values(stage=stage.value, due_on=due_on)
    )
    action = Action.CONSULT_DISPUTE if consulting else Action.DECIDE_DISPUTE
    moved = {"stage": stage.value, "due_on": due_on.isoformat()}
    append(
        connection,
        Act(actor, action, KIND, str(number), at, None, {"stage": one.stage.value}, moved),
    )
    return find(connection, number)


@dataclass(frozen=True)
class Ruling:
    """The outcome of a dispute: which entry is the source, from which day, and why.

    ``all_values`` is the scope list of the element: when the first claim is on everything, it keeps
    what of the list was not disputed.
    """

    winner: str
    effective_on: date
    reason: str
    all_values: tuple[str, ...] = ()


def concede(
    connection: Connection, number: int, ruling: Ruling, actor: Actor, at: datetime
) -> Dispute:  # fmt: skip
    """A party gives way while the bodies consult; ``ruling.winner`` is the other one's entry.

    Raises:
        NotSeparate: the actor is not of the body that gives way.
        StateRefused: consulting is over.
    """
    one = find(connection, number, lock=True)
    require(actor, Action.CONSULT_DISPUTE, str(number))
    if one.stage is not Stage.CONSULTING:
        raise _refused(one, Stage.CONSULTING.value)
    gives_way = one.first_org if ruling.winner == one.claimant_entry else one.claimant_org
    if actor.org != gives_way:
        raise NotSeparate(
            f"dispute {number}",
            found=f"{actor.org} in favour of {ruling.winner}",
            expected=f"{gives_way}, which would give way",
            remedy="let the other body agree, or pass the dispute on to the authority",
        )
    return _decide(connection, one, ruling, Action.CONSULT_DISPUTE, by=(actor, at))


def decide(
    connection: Connection, number: int, ruling: Ruling, actor: Actor, at: datetime
) -> Dispute:  # fmt: skip
    """The authority decides, for itself or with what the superior said.

    Raises:
        NotSeparate: the actor's body is a party.
        StateRefused: the bodies still consult, or it is decided.
    """
    one = find(connection, number, lock=True)
    require(actor, Action.DECIDE_DISPUTE, str(number))
    if one.stage not in (Stage.AUTHORITY, Stage.SUPERIOR):
        raise _refused(one, "authority or superior")
    if actor.org in (one.claimant_org, one.first_org):
        raise NotSeparate(
            f"dispute {number}",
            found=f"a decision by {actor.org}, a party",
            expected="a body that is no party",
            remedy="pass the dispute on to the common superior",
        )
    return _decide(connection, one, ruling, Action.DECIDE_DISPUTE, by=(actor, at))


def find(connection: Connection, number: int, *, lock: bool = False) -> Dispute:
    """A dispute.

    Raises:
        NotFound: none of that number.
    """
    asked = select(Row).where(Row.dispute == number)
    row = connection.execute(asked.with_for_update() if lock else asked).mappings().one_or_none()
    if row is None:
        raise NotFound(
            f"dispute {number}",
            found="no such dispute",
            expected="a number that `yishu register disputes` lists",
            remedy="list the disputes",
        )
    return _dispute(row)


def listed(connection: Connection, *, undecided: bool = True) -> list[Dispute]:
    """Disputes, those with the nearest deadline first."""
    asked = select(Row).order_by(Row.due_on, Row.dispute)
    if undecided:
        asked = asked.where(Row.stage != Stage.DECIDED.value)
    return [_dispute(row) for row in connection.execute(asked).mappings()]


def overdue(connection: Connection, on: date) -> list[Dispute]:
    """Undecided disputes whose stage should be over."""
    return [one for one in listed(connection) if one.due_on < on]


def _decide(
    connection: Connection,
    one: Dispute,
    ruling: Ruling,
    action: Action,
    *,
    by: tuple[Actor, datetime],
) -> Dispute:
    actor, at = by
    if not ruling.reason.strip() or ruling.winner not in (one.claimant_entry, one.first_entry):
        raise ReasonMissing(
            f"dispute {one.dispute}",
            found=f"`{ruling.winner}` with the reason `{ruling.reason}`",
            expected=f"{one.claimant_entry} or {one.first_entry}, and the reason",
            remedy="name the winner and the reason",
        )
    values = {
        "stage": Stage.DECIDED.value,
        "decided_stage": one.stage.value,
        "winner": ruling.winner,
        "effective_on": ruling.effective_on,
        "reason": ruling.reason,
        "decided_person": actor.person,
        "decided_account": actor.account,
        "decided_org": actor.org,
        "decided_at": at,
    }
    connection.execute(update(Row).where(Row.dispute == one.dispute).values(values))
    if ruling.winner == one.claimant_entry:
        _move_source(connection, one, ruling, actor, at)
    after = {"winner": ruling.winner, "effective_on": ruling.effective_on.isoformat()}
    append(connection, Act(actor, action, KIND, str(one.dispute), at, ruling.reason, None, after))
    return find(connection, one.dispute)


def _move_source(
    connection: Connection, one: Dispute, ruling: Ruling, actor: Actor, at: datetime
) -> None:
    """End what the first entry holds of the scope, and register the winner from that day."""
    on = ruling.effective_on
    decision = f"争议 {one.dispute}：{ruling.reason}"
    held = (
        SourceClaim.element_id == one.element_id,
        SourceClaim.entry_id == one.first_entry,
        SourceClaim.valid_until.is_(None),
    )
    asked = select(SourceClaim.claim).where(*held, SourceClaim.value.is_(None))
    everything = connection.execute(asked).first() is not None
    ending = held if everything or not one.scope_values else (
        *held, SourceClaim.value.in_(one.scope_values)
    )  # fmt: skip
    _require_later(connection, one, ending, on)
    connection.execute(update(SourceClaim).where(*ending).values(valid_until=on))
    rest = [value for value in ruling.all_values if value not in one.scope_values]
    if everything and one.scope_by and rest:
        left = Claim(
            one.element_id,
            one.first_entry,
            Scope(by=one.scope_by, values=tuple(rest)),
            on,
            decision,
        )
        sources.register(connection, left, actor, at)
    scope = Scope(by=one.scope_by, values=one.scope_values) if one.scope_by else None
    won = Claim(one.element_id, one.claimant_entry, scope, on, decision)
    sources.register(connection, won, actor, at)


def _require_later(
    connection: Connection, one: Dispute, held: tuple[ColumnElement[bool], ...], on: date
) -> None:
    """A source that was, stays on record: nothing moves before the first claim began."""
    began = connection.execute(select(func.max(SourceClaim.valid_from)).where(*held)).scalar()
    if began is not None and on < began:
        raise StateRefused(
            f"dispute {one.dispute}",
            found=f"a decision from {on}, before the first claim of {began}",
            expected=f"a day from {began} on",
            remedy="let the decision take effect later",
        )


def _dispute(row: Any) -> Dispute:
    values = {name: row[name] for name in Dispute.__dataclass_fields__}
    scope, stage = tuple(row["scope_values"]), Stage(row["stage"])
    return Dispute(**{**values, "scope_values": scope, "stage": stage})


def _refused(one: Dispute, expected: str) -> StateRefused:
    return StateRefused(
        f"dispute {one.dispute}",
        found=f"stage {one.stage.value}",
        expected=f"stage {expected}",
        remedy="look at the dispute again",
    )
