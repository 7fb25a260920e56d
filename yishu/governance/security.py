"""The security register: protection levels, filings and assessments that fall due, incidents."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from catalog.roles import Action, Role
from catalog.vocabulary import IncidentPhase
from yishu.clocks import beijing_day
from yishu.governance.errors import NotFound, ReasonMissing, StateRefused
from yishu.governance.notices import Notice, enqueue_all
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import IncidentStep, SecurityIncident
from yishu.ledger.models import ProtectedSystem as Row

KIND = "protected_system"

ASSESSMENT_DAYS: Mapping[int, int | None] = {1: None, 2: 730, 3: 365, 4: 183, 5: 183}
"""Days after which a system of a level is assessed again; level 1 is not assessed.

Level 3 yearly and level 4 half-yearly follow the practice of classified protection; two years for
level 2 is a local choice.
"""

_MANY_LEVELS = 1


@dataclass(frozen=True)
class System:
    """A platform or system; ``mlps_assessed_on`` None: it was never assessed."""

    system_id: str
    name: str
    responsible_org: str
    mlps_level: int
    mlps_filing_no: str | None = None
    mlps_assessed_on: date | None = None


@dataclass(frozen=True)
class Alert:
    """What is wrong with a system's protection; ``due_on`` None: at once."""

    system_id: str
    responsible_org: str
    text_zh: str
    due_on: date | None


@dataclass(frozen=True)
class Incident:
    """An incident: what was done in each phase so far, and which phase comes next."""

    incident: int
    system_id: str
    title: str
    found_at: datetime
    steps: Mapping[IncidentPhase, str]

    @property
    def next_phase(self) -> IncidentPhase | None:
        """The first phase of which nothing is on record; None: all five are."""
        return next((phase for phase in IncidentPhase if phase not in self.steps), None)


def keep(connection: Connection, system: System, actor: Actor, at: datetime) -> None:
    """Put a system on the register, or what is new of it.

    Raises:
        Forbidden: the role may not keep the register.
        ReasonMissing: a level from 2 on without its filing number.
        StateRefused: a level outside 1 to 5.
    """
    require(actor, Action.KEEP_SECURITY, system.system_id)
    if system.mlps_level not in ASSESSMENT_DAYS:
        raise StateRefused(
            system.system_id,
            found=f"level {system.mlps_level}",
            expected="a protection level from 1 to 5",
            remedy="correct the level",
        )
    if system.mlps_level > _MANY_LEVELS and not (system.mlps_filing_no or "").strip():
        raise ReasonMissing(
            system.system_id,
            found=f"level {system.mlps_level} without a filing number",
            expected="the number under which it is filed (定级备案)",
            remedy="file the system, then enter the number",
        )
    values = asdict(system)
    kept = {**values, "kept_account": actor.account, "kept_at": at}
    statement = insert(Row).values(kept)
    connection.execute(statement.on_conflict_do_update(index_elements=["system_id"], set_=kept))
    told = {key: str(value) for key, value in values.items()}
    act = Action.KEEP_SECURITY
    append(connection, Act(actor, act, KIND, system.system_id, at, None, None, told))


def systems(connection: Connection) -> list[System]:
    """The register, in order of ids."""
    rows = connection.execute(select(Row).order_by(Row.system_id)).mappings()
    return [System(**{name: row[name] for name in System.__dataclass_fields__}) for row in rows]


def alerts(connection: Connection, on: date, lead_days: int = 30) -> list[Alert]:
    """Systems whose assessment is missing, over, or due within ``lead_days`` days."""
    return [alert for system in systems(connection) for alert in _alerts(system, on, lead_days)]


def tell_alerts(connection: Connection, org: str, now: datetime, lead_days: int = 30) -> int:
    """Tell the operators of a body of each alert, once for it; how many notices are new."""
    return enqueue_all(
        connection,
        [
            Notice(
                key=f"assessment:{one.system_id}:{one.text_zh}",
                org=org,
                role=Role.CENTRE_OPERATOR,
                subject="等级测评提醒",
                text=f"{one.system_id}（责任单位 {one.responsible_org}）：{one.text_zh}",
                at=now,
                object_kind=KIND,
                object_id=one.system_id,
            )
            for one in alerts(connection, beijing_day(now), lead_days)
        ],
    )


def open_incident(
    connection: Connection, system_id: str, title: str, actor: Actor, at: datetime
) -> Incident:
    """Put an incident on record; its five phases follow.

    Raises:
        Forbidden: the role may not keep the register.
        NotFound: no such system.
    """
    require(actor, Action.KEEP_SECURITY, system_id)
    statement = (
        insert(SecurityIncident)
        .values(system_id=system_id, title=title, found_at=at)
        .returning(SecurityIncident.incident)
    )
    try:
        with connection.begin_nested():
            number = connection.execute(statement).scalar_one()
    except IntegrityError as error:
        raise NotFound(
            system_id,
            found="no such system",
            expected="a system on the register",
            remedy="register the system first",
        ) from error
    act = Act(actor, Action.KEEP_SECURITY, "security_incident", str(number), at, title)
    append(connection, act)
    return incident(connection, number)


def record_phase(
    connection: Connection, number: int, phase: IncidentPhase, text: str, *, by: Actor, at: datetime
) -> Incident:
    """Put on record what was done in the next phase of an incident.

    Raises:
        Forbidden: the role may not keep the register.
        StateRefused: another phase comes first, or this one is on record.
        ReasonMissing: nothing says what was done.
    """
    require(by, Action.KEEP_SECURITY, str(number))
    one = incident(connection, number)
    if phase is not one.next_phase:
        raise StateRefused(
            f"incident {number}",
            found=f"{phase.value} ({phase.label_zh})",
            expected=one.next_phase.value if one.next_phase else "nothing: all five are on record",
            remedy="record the phases in their order",
        )
    if not text.strip():
        raise ReasonMissing(
            f"incident {number}",
            found=f"{phase.label_zh} without what was done",
            expected="a sentence",
            remedy="say what was done",
        )
    values = {"incident": number, "phase": phase.value, "done_at": at, "text": text}
    connection.execute(insert(IncidentStep).values(**values, person=by.person, account=by.account))
    after = {"phase": phase.value}
    act = Action.KEEP_SECURITY
    append(connection, Act(by, act, "security_incident", str(number), at, text, None, after))
    return incident(connection, number)


def incident(connection: Connection, number: int) -> Incident:
    """An incident with what was done about it.

    Raises:
        NotFound: none of that number.
    """
    asked = select(SecurityIncident).where(SecurityIncident.incident == number)
    row = connection.execute(asked).one_or_none()
    if row is None:
        raise NotFound(
            f"incident {number}", found="no such incident", expected="one on record",
            remedy="list the incidents",
        )  # fmt: skip
    done = select(IncidentStep).where(IncidentStep.incident == number)
    steps = {IncidentPhase(one.phase): one.text for one in connection.execute(done)}
    return Incident(row.incident, row.system_id, row.title, row.found_at, steps)


def incidents(connection: Connection) -> list[Incident]:
    """Every incident, newest first."""
    asked = select(SecurityIncident.incident).order_by(SecurityIncident.incident.desc())
    return [incident(connection, number) for number in connection.execute(asked).scalars().all()]


def _alerts(system: System, on: date, lead_days: int) -> Iterator[Alert]:
    days = ASSESSMENT_DAYS[system.mlps_level]
    if days is None:
        return
    if system.mlps_assessed_on is None:
        yield _alert(system, "从未开展等级测评", None)
        return
    due = system.mlps_assessed_on + timedelta(days=days)
    if due < on:
        yield _alert(system, f"等级测评已过期（应于 {due} 前完成）", due)
    elif due <= on + timedelta(days=lead_days):
        yield _alert(system, f"等级测评将于 {due} 到期", due)


def _alert(system: System, text: str, due: Any) -> Alert:
    return Alert(system.system_id, system.responsible_org, text, due)
