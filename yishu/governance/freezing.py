"""Figures of a period become final: answered by departments first, then frozen, never moved.

A department may answer a figure of its own in the working days before the period is frozen; the
answer is printed beside the figure and changes nothing of it. How many days these are, the profile
in force says.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from catalog.roles import Action
from catalog.vocabulary import QualityDimension
from yishu.clocks import beijing_day
from yishu.governance import months
from yishu.governance.clock_rules import ClockRules
from yishu.governance.errors import AnswerRefused, PeriodFaulty, PeriodFrozen
from yishu.governance.period import Period
from yishu.governance.permission import require
from yishu.governance.rates import Case, Rate
from yishu.governance.scores import Scores
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import FigureAnswer, FrozenPeriod
from yishu.ledger.pins import Holder, pin_in_force
from yishu.redact import redact

FREEZE, ANSWER = "figure_freeze", "figure_answer"
"""Promises of the profile in force: when a period is frozen, and the last days before it."""

FIGURES = frozenset({"total", *QualityDimension, *Rate})
"""What can be answered: a department's total, a dimension of it, a rate."""


@dataclass(frozen=True)
class Frozen:
    """The figures of a period as they stand for good; ``digest`` is their SHA-256."""

    period: str
    frozen_at: datetime
    frozen_by: str
    scores: Scores
    cases: tuple[Case, ...]
    digest: str


@dataclass(frozen=True)
class Seal:
    """When and by whom the figures of a period were frozen, and their SHA-256."""

    frozen_at: datetime
    frozen_by: str
    digest: str


@dataclass(frozen=True)
class Answer:
    """What a department said to a figure of its own."""

    period: str
    department_id: str
    figure: str
    answer: str
    at: datetime
    account: str


def freeze_day(period: Period, rules: ClockRules) -> date:
    """The first day on which the figures of a period may become final."""
    days = rules.promise(rules.profile, FREEZE).working_days
    return rules.calendar.add(_last(period), days)


def answer_days(period: Period, rules: ClockRules) -> tuple[date, date]:
    """The first and the last day for answers to the figures of a period."""
    freezes, answers_ = (
        rules.promise(rules.profile, name).working_days for name in (FREEZE, ANSWER)
    )
    first = rules.calendar.add(_last(period), max(1, freezes - answers_ + 1))
    return first, freeze_day(period, rules)


def answer_figure(connection: Connection, given: Answer, actor: Actor, rules: ClockRules) -> None:
    """Keep a department's answer to a figure.

    Raises:
        Forbidden: not an officer of that department.
        PeriodFrozen: the figures are final.
        AnswerRefused: not in the days for answers, no figure of that name, or no word.
    """
    period = Period.parse(given.period)
    object_id = f"{period.name}:{given.department_id}:{given.figure}"
    require(actor, Action.ANSWER_FIGURE, object_id, given.department_id)
    _require_not_frozen(connection, period)
    first, last = answer_days(period, rules)
    day = beijing_day(given.at)
    text = redact(given.answer.strip())
    if not first <= day <= last or given.figure not in FIGURES or not text:
        raise AnswerRefused(
            object_id,
            found=f"an answer of {len(text)} characters on {day}",
            expected=f"the answer in words, from {first} to {last}, to one of "
            + ", ".join(sorted(FIGURES)),
            remedy="answer in those days; afterwards raise an objection to the data instead",
        )
    connection.execute(insert(FigureAnswer).values({**asdict(given), "answer": text}))
    append(connection, Act(actor, Action.ANSWER_FIGURE, "figure", object_id, given.at, text))


def answers(connection: Connection, period: Period) -> list[Answer]:
    """All answers to figures of a period, by department, oldest first."""
    table = FigureAnswer
    columns = [table.period, table.department_id, table.figure, table.answer, table.at,
               table.account]  # fmt: skip
    asked = select(*columns).where(table.period == period.name)
    rows = connection.execute(asked.order_by(table.department_id, table.number))
    return [Answer(**row._mapping) for row in rows]


def freeze(
    connection: Connection,
    found: Scores,
    cases: Sequence[Case],
    actor: Actor,
    *,
    at: datetime,
    rules: ClockRules,
) -> str:
    """Make the figures of a period final; their SHA-256.

    The versions that were in force at its end stay readable for good.

    Raises:
        Forbidden: only a quality monitor freezes.
        PeriodFaulty: the departments still have days to answer, or the figures end before the
            period does.
        PeriodFrozen: they are final already.
    """
    period = Period.parse(found.period)
    require(actor, Action.FREEZE_PERIOD, period.name)
    _require_not_frozen(connection, period)
    first = freeze_day(period, rules)
    if beijing_day(at) < first or found.until != period.end:
        raise PeriodFaulty(
            period.name,
            found=f"figures up to {found.until:%Y-%m-%d %H:%M} UTC, on {beijing_day(at)}",
            expected=f"figures up to {period.end:%Y-%m-%d %H:%M} UTC, from {first} on",
            remedy="freeze it when it is over and the departments have answered",
        )
    figures = {"scores": found.to_json(), "cases": [asdict(one) for one in cases]}
    digest = figures_digest(figures)
    values = {
        "period": period.name,
        "frozen_at": at,
        "frozen_by": actor.account,
        "figures": figures,
        "digest": digest,
    }
    connection.execute(insert(FrozenPeriod).values(values))
    months.keep(connection, found)
    pin_in_force(connection, Holder.REPORT, period.name, period.end, at)
    after = {"digest": digest}
    append(connection, Act(actor, Action.FREEZE_PERIOD, "period", period.name, at, after=after))
    return digest


def frozen(connection: Connection, period: Period) -> Frozen | None:
    """The final figures of a period, or None."""
    asked = select(FrozenPeriod.__table__).where(FrozenPeriod.period == period.name)
    row = connection.execute(asked).one_or_none()
    if row is None:
        return None
    cases = tuple(Case(**{**one, "rate": Rate(one["rate"])}) for one in row.figures["cases"])
    scores = Scores.from_json(row.figures["scores"])
    return Frozen(row.period, row.frozen_at, row.frozen_by, scores, cases, row.digest)


def sealed(connection: Connection, period: Period) -> Seal | None:
    """How a period was frozen, without its figures; None: it was not."""
    table = FrozenPeriod
    asked = select(table.frozen_at, table.frozen_by, table.digest)
    row = connection.execute(asked.where(table.period == period.name)).one_or_none()
    return None if row is None else Seal(*row)


def figures_digest(figures: dict[str, Any]) -> str:
    """SHA-256 of figures in one canonical form."""
    plain = json.dumps(figures, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _last(period: Period) -> date:
    return period.after - timedelta(days=1)


def _require_not_frozen(connection: Connection, period: Period) -> None:
    done = sealed(connection, period)
    if done is not None:
        raise PeriodFrozen(
            period.name,
            found=f"figures frozen at {done.frozen_at:%Y-%m-%d %H:%M} UTC by {done.frozen_by}",
            expected="a period whose figures still move",
            remedy="what is found later belongs to the next period",
        )
