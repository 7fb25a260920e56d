"""Yellow and red cards, and the supervision order that follows a red one.

A card is issued once for a clock, colour and last day, and names whoever holds the file (S002
二（八）). An order has the fields of GB/T 39046-2020 table 11 and a clock of its own for the
feedback. A card whose day a later notice moved on is withdrawn, not deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, func, select, update

from catalog.roles import Action
from catalog.vocabulary import Labelled
from yishu.clocks import BEIJING, ClockEvent, EventKind
from yishu.governance.clock_rules import ClockRules, by_rule
from yishu.governance.errors import OrderUnknown
from yishu.governance.permission import require
from yishu.governance.promises import NewClock, Standing, open_clocks, record_event
from yishu.ledger.bulk import insert_all
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import Card, Clock, SupervisionOrder

FEEDBACK = "supervision_feedback"
"""Promise of the answer to an order; a late answer gets a card and no further order."""

ORDER = "supervision_order"
_OVERDUE_RULE = "SUP-04"
_OVERDUE_WARNING = "overdue"


class Colour(Labelled):
    """Colours of cards."""

    YELLOW = "yellow", "黄牌"
    RED = "red", "红牌"


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to issue: for a clock as it stood on a day."""

    standing: Standing
    colour: Colour
    issued_on: date

    @property
    def key(self) -> tuple[str, str, date]:
        """What a card is there once for."""
        return self.standing.row.clock_id, self.colour.value, self.standing.status.due_on


@dataclass(frozen=True)
class CardRow:
    """A card with what it is about; ``withdrawn_at`` None: it stands."""

    clock_id: str
    colour: str
    due_on: date
    is_provisional: bool
    holder_org: str
    party: str
    issued_on: date
    issued_at: datetime
    withdrawn_at: datetime | None
    withdrawn_why: str | None
    promise: str
    object_kind: str
    object_id: str


@dataclass(frozen=True)
class OrderRow:
    """A supervision order, field by field of GB/T 39046-2020 table 11, with its answer.

    Attributes:
        case_no: 办件编号: the object of the clock.
        content: 督办内容.
        org_name: 机构名称.
        item_type: 事项类型代码: the kind of object, since its values are not fixed for data.
        sent_at: 督办发出时间.
        order_no: 监察编号.
        rule_no: 监察规则编号.
        warning_type: 监察预警类型代码, whose values the standard leaves open.
        state_at: 状态产生时间: the beginning of the day after the last one.
        result: 监察结果描述, as on the day of the card.
        responsible_org: 责任部门.
        feedback_clock_id: The clock of the answer.
    """

    order_no: str
    clock_id: str
    case_no: str
    content: str
    org_name: str
    item_type: str | None
    sent_at: datetime
    rule_no: str
    warning_type: str
    state_at: datetime
    result: str
    responsible_org: str
    feedback_clock_id: str
    feedback: str | None
    feedback_by: str | None
    feedback_at: datetime | None


def issue(
    connection: Connection, cards: Sequence[NewCard], rules: ClockRules, now: datetime
) -> list[NewCard]:
    """Issue those cards that are not there yet; which these are."""
    by_key = {card.key: card for card in reversed(cards)}
    rows = [_card_values(card, rules, now) for card in by_key.values()]
    made = insert_all(connection, Card, rows)
    return [by_key[row.clock_id, row.colour, row.due_on] for row in made]


def order_supervision(
    connection: Connection, cards: Sequence[NewCard], rules: ClockRules, now: datetime
) -> int:
    """Order supervision on the red ones of new cards; how many orders are new."""
    red = [card for card in cards if _asks_for_order(card)]
    actor = by_rule("sweep")
    news = [_feedback_clock(card, rules, now) for card in red]
    orders = [
        _order_values(card, clock_id, rules, now)
        for card, clock_id in zip(red, open_clocks(connection, news, actor), strict=True)
    ]
    return len(insert_all(connection, SupervisionOrder, orders))


def withdraw(
    connection: Connection, standings: Sequence[Standing], now: datetime, *, why: str
) -> int:
    """Take back the red cards of clocks that are not late any more; how many."""
    ids = [one.row.clock_id for one in standings]
    done = connection.execute(
        update(Card)
        .where(Card.clock_id.in_(ids), Card.colour == Colour.RED.value)
        .where(Card.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_why=why)
        .returning(Card.clock_id, Card.due_on)
    ).all()
    for row in done:
        asked = select(SupervisionOrder.feedback_clock_id).where(
            SupervisionOrder.order_no == _order_no(row.clock_id, row.due_on),
            SupervisionOrder.feedback.is_(None),
        )
        for clock_id in connection.execute(asked).scalars():
            event = ClockEvent(EventKind.WITHDRAWN, now, note=why)
            record_event(connection, clock_id, event, by_rule("sweep"))
    return len(done)


def standing_red(connection: Connection) -> set[str]:
    """Clocks that have a red card which was not withdrawn."""
    asked = select(Card.clock_id).where(
        Card.colour == Colour.RED.value, Card.withdrawn_at.is_(None)
    )
    return set(connection.execute(asked).scalars())


def answer_order(
    connection: Connection, order_no: str, feedback: str, *, actor: Actor, now: datetime
) -> None:
    """Answer a supervision order; its own clock ends.

    Raises:
        OrderUnknown: no such order, or it is answered already.
        Forbidden: the actor is not of the body that was ordered.
    """
    table = SupervisionOrder.__table__
    asked = select(table).where(table.c.order_no == order_no).with_for_update()
    row = connection.execute(asked).one_or_none()
    if row is None or row.feedback is not None or not feedback.strip():
        raise _unanswerable(order_no, is_known=row is not None, is_empty=not feedback.strip())
    require(actor, Action.ANSWER_SUPERVISION, order_no, row.responsible_org)
    values = {"feedback": feedback.strip(), "feedback_by": actor.account, "feedback_at": now}
    this = SupervisionOrder.order_no == order_no
    connection.execute(update(SupervisionOrder).where(this).values(values))
    event = ClockEvent(EventKind.FULFILLED, now, note=feedback.strip())
    record_event(connection, row.feedback_clock_id, event, actor)
    act = Act(actor, Action.ANSWER_SUPERVISION, ORDER, order_no, now, reason=feedback.strip())
    append(connection, act)


def cards(
    connection: Connection,
    *,
    org: str | None = None,
    colour: Colour | None = None,
    clock_id: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[CardRow]:
    """Cards, the newest first."""
    asked = (
        select(Card.__table__, Clock.promise, Clock.object_kind, Clock.object_id)
        .join(Clock, Clock.clock_id == Card.clock_id)
        .order_by(Card.issued_on.desc(), Card.clock_id, Card.colour)
        .offset(offset)
        .limit(limit)
    )
    if org is not None:
        asked = asked.where(Card.holder_org == org)
    if colour is not None:
        asked = asked.where(Card.colour == colour.value)
    if clock_id is not None:
        asked = asked.where(Card.clock_id == clock_id)
    return [CardRow(**row._mapping) for row in connection.execute(asked)]


def orders(
    connection: Connection,
    *,
    org: str | None = None,
    clock_id: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[OrderRow]:
    """Supervision orders, the newest first."""
    table = SupervisionOrder.__table__
    newest = select(table).order_by(table.c.sent_at.desc(), table.c.order_no)
    asked = newest.offset(offset).limit(limit)
    if org is not None:
        asked = asked.where(table.c.responsible_org == org)
    if clock_id is not None:
        asked = asked.where(table.c.clock_id == clock_id)
    return [OrderRow(**row._mapping) for row in connection.execute(asked)]


def counted(connection: Connection, *, org: str | None = None) -> tuple[int, int]:
    """How many cards and how many orders there are, of one body or of all."""
    issued, sent = (
        connection.execute(asked if org is None else asked.where(whose == org)).scalar_one()
        for asked, whose in (
            (select(func.count()).select_from(Card), Card.holder_org),
            (select(func.count()).select_from(SupervisionOrder), SupervisionOrder.responsible_org),
        )
    )
    return issued, sent


def _card_values(card: NewCard, rules: ClockRules, now: datetime) -> dict[str, object]:
    row, status = card.standing.row, card.standing.status
    return {
        "clock_id": row.clock_id,
        "colour": card.colour.value,
        "due_on": status.due_on,
        "is_provisional": status.is_provisional,
        "holder_org": rules.org_of(status.holder, row.holder_org),
        "party": status.holder.value,
        "issued_on": card.issued_on,
        "issued_at": now,
    }


def _asks_for_order(card: NewCard) -> bool:
    return card.colour is Colour.RED and card.standing.row.promise != FEEDBACK


def _feedback_clock(card: NewCard, rules: ClockRules, now: datetime) -> NewClock:
    row, status = card.standing.row, card.standing.status
    return NewClock(
        promise=FEEDBACK,
        profile=rules.profile,
        object_kind=ORDER,
        object_id=_order_no(row.clock_id, status.due_on),
        holder_org=rules.org_of(status.holder, row.holder_org),
        cause=_OVERDUE_WARNING,
        received_at=now,
    )


def _order_values(
    card: NewCard, feedback_clock_id: str, rules: ClockRules, now: datetime
) -> dict[str, object]:
    row, status = card.standing.row, card.standing.status
    org = rules.org_of(status.holder, row.holder_org)
    promise = card.standing.promise
    return {
        "order_no": _order_no(row.clock_id, status.due_on),
        "clock_id": row.clock_id,
        "case_no": row.object_id,
        "content": f"{promise.name}应于 {status.due_on} 前办结，至今未办结，请说明原因并限期办结。",
        "org_name": rules.departments.get(org, org),
        "item_type": row.object_kind,
        "sent_at": now,
        "rule_no": _OVERDUE_RULE,
        "warning_type": _OVERDUE_WARNING,
        "state_at": datetime.combine(status.due_on + timedelta(days=1), time(), BEIJING),
        "result": f"逾期 {-status.remaining} 个工作日（{promise.basis}）",
        "responsible_org": org,
        "feedback_clock_id": feedback_clock_id,
    }


def _order_no(clock_id: str, due_on: date) -> str:
    return f"DB-{due_on.isoformat().replace('-', '')}-{clock_id.removeprefix('clk-')}"


def _unanswerable(order_no: str, *, is_known: bool, is_empty: bool) -> OrderUnknown:
    found = "an order that is answered already" if is_known else "no such order"
    return OrderUnknown(
        order_no,
        found="an empty answer" if is_empty else found,
        expected="an order that waits for its answer, and what was done about it",
        remedy="see `yishu cards --orders`",
    )
