"""Tables of working days, clocks, cards, supervision orders and notices.

What happened is only ever added; where a clock stands is never stored. `ClockDue` keeps which last
day was told when, by which calendar (SUP-05). All days are days in Beijing.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


def _of_clock() -> ForeignKey:
    return ForeignKey(f"{SCHEMA}.clock.clock_id")


class CalendarLoad(Base):
    """A notice or local order as it was loaded; the newest version of a year is in force."""

    __tablename__ = "calendar_load"
    __table_args__ = (CheckConstraint("layer in ('notice', 'local')", name="layer"),)

    layer: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    file: Mapped[str]
    content: Mapped[str]
    calendar_version: Mapped[str]
    loaded_at: Mapped[datetime]
    loaded_by: Mapped[str]


class Clock(Base):
    """A time limit that runs for an object; one open clock for a promise, object and cause."""

    __tablename__ = "clock"
    __table_args__ = (
        Index(
            "ux_clock_open",
            "promise", "object_kind", "object_id", "cause",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index(None, "object_kind", "object_id"),
        Index(None, "closed_at"),
    )  # fmt: skip

    clock_id: Mapped[str] = mapped_column(primary_key=True)
    promise: Mapped[str]
    profile: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    holder_org: Mapped[str]
    cause: Mapped[str]
    received_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ClockEventRow(Base):
    """Something that happened to a clock; `yishu.clocks.ClockEvent`. Rows are only ever added."""

    __tablename__ = "clock_event"
    __table_args__ = (Index(None, "at"),)

    clock_id: Mapped[str] = mapped_column(_of_clock(), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[str | None]
    working_days: Mapped[int] = mapped_column(Integer, server_default="0")
    consent_by: Mapped[str | None]
    due_on: Mapped[date | None]
    org: Mapped[str | None]
    note: Mapped[str | None]
    actor: Mapped[str]


class ClockDue(Base):
    """A last day as it was told, with the calendar that gave it. Rows are only ever added."""

    __tablename__ = "clock_due"

    clock_id: Mapped[str] = mapped_column(_of_clock(), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(primary_key=True)
    due_on: Mapped[date]
    is_provisional: Mapped[bool]
    calendar_version: Mapped[str]


class Card(Base):
    """A yellow or red card: for one clock, colour and last day, once."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("colour in ('yellow', 'red')", name="colour"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_why is null)", name="withdrawn"),
        Index(None, "issued_on"),
    )

    clock_id: Mapped[str] = mapped_column(_of_clock(), primary_key=True)
    colour: Mapped[str] = mapped_column(primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    is_provisional: Mapped[bool]
    holder_org: Mapped[str]
    party: Mapped[str]
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str | None]


class SupervisionOrder(Base):
    """An order of supervision on a red card, with the fields of GB/T 39046-2020 table 11."""

    __tablename__ = "supervision_order"
    __table_args__ = (
        CheckConstraint("(feedback is null) = (feedback_at is null)", name="feedback"),
        Index(None, "clock_id"),
    )

    order_no: Mapped[str] = mapped_column(primary_key=True)
    clock_id: Mapped[str] = mapped_column(_of_clock())
    case_no: Mapped[str]
    content: Mapped[str]
    org_name: Mapped[str]
    item_type: Mapped[str | None]
    sent_at: Mapped[datetime]
    rule_no: Mapped[str]
    warning_type: Mapped[str]
    state_at: Mapped[datetime]
    result: Mapped[str]
    responsible_org: Mapped[str]
    feedback_clock_id: Mapped[str]
    feedback: Mapped[str | None]
    feedback_by: Mapped[str | None]
    feedback_at: Mapped[datetime | None]


class ClockReminder(Base):
    """A threshold of a clock that somebody was reminded of: each once. Rows are only ever added."""

    __tablename__ = "clock_reminder"

    clock_id: Mapped[str] = mapped_column(_of_clock(), primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    threshold: Mapped[str] = mapped_column(primary_key=True)
    told_on: Mapped[date]


class Sweep(Base):
    """A day that was swept to its end, or so far."""

    __tablename__ = "sweep"

    day: Mapped[date] = mapped_column(primary_key=True)
    swept_at: Mapped[datetime]
    clocks: Mapped[int]
    cards: Mapped[int]
    reminders: Mapped[int]
    digest: Mapped[str]


class NoticeRow(Base):
    """A notice to a role of a body; ``key`` makes it once-only. It is shown in the portal."""

    __tablename__ = "notice"
    __table_args__ = (Index(None, "org", "role", "at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str]
    role: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    at: Mapped[datetime]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    read_at: Mapped[datetime | None]
    read_by: Mapped[str | None]


class NoticeAddress(Base):
    """Where notices to a role of a body go besides the portal."""

    __tablename__ = "notice_address"
    __table_args__ = (CheckConstraint("channel in ('mail', 'webhook')", name="channel"),)

    org: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)


class NoticeDelivery(Base):
    """One notice on its way to one address; tried until it is there."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        Index(
            None,
            "next_try_at",
            postgresql_where=text("sent_at is null"),
        ),
    )

    key: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.notice.key"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


class TaskState(Base):
    """What a person recorded of a task of a reform plan (S002). Rows are only ever added."""

    __tablename__ = "task_state"

    task_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str]
    note: Mapped[str]
    by: Mapped[str]
    facts: Mapped[dict[str, Any]]
