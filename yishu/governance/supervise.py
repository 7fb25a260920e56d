"""One round of supervision: cases, sweep, update cycles, assessments due, the calendar's gap."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine

from catalog.model import CatalogView
from catalog.roles import Role
from yishu.clocks import beijing_day
from yishu.governance.cases import Case, CasesSeen, supervise_cases
from yishu.governance.freshness import Watched, watch
from yishu.governance.notices import Notice, enqueue
from yishu.governance.security import tell_alerts
from yishu.governance.sweep import Swept, sweep
from yishu.governance.working_calendar import rules_in_force
from yishu.settings import Settings


@dataclass(frozen=True)
class Supervised:
    """What a round found; ``missing_year``: the year whose notice should be loaded by now."""

    cases: CasesSeen
    swept: Swept
    watched: Watched
    missing_year: int | None


def supervise(
    engine: Engine,
    catalog: CatalogView,
    settings: Settings,
    now: datetime,
    *,
    cases: Callable[[], Iterable[Case]],
    reminds: bool,
) -> Supervised:
    """Follow cases, sweep clocks, watch update cycles and assessments, all in one transaction.

    ``cases`` reads the service cases of the library, which supervision itself never looks into.
    """
    with engine.begin() as connection:
        rules = rules_in_force(connection, catalog, settings)
        seen = supervise_cases(connection, cases(), rules, now)
        swept = sweep(connection, rules, now, reminds=reminds)
        watched = watch(connection, catalog.entries, now)
        tell_alerts(connection, settings.data_operator, now)
        missing = rules.calendar.missing_year(beijing_day(now))
        if missing is not None:
            _tell_missing(connection, missing, settings, now)
    return Supervised(seen, swept, watched, missing)


def tell_late(engine: Engine, sweep_name: str, settings: Settings, now: datetime) -> None:
    """Tell the administrator that a sweep is late, once for it and day."""
    day = beijing_day(now)
    with engine.begin() as connection:
        text = (
            f"{sweep_name} 未在规定时间内完成，黄牌、红牌和提醒可能延迟；请查看调度日志后重新运行。"
        )
        enqueue(
            connection,
            _to_administrator(
                f"late_sweep:{sweep_name}:{day}", "时限巡检延迟", text, settings, now
            ),
        )


def missing_text(year: int) -> str:
    """What is wrong while a year has no notice, and what to do about it."""
    return (
        f"{year} 年的放假安排尚未载入，落在 {year} 年的截止日均为暂定；"
        f"国务院办公厅通知发布后运行 `yishu calendar load {year} 通知.csv`。"
    )


def _tell_missing(connection: Connection, year: int, settings: Settings, now: datetime) -> None:
    monday = beijing_day(now)
    week = date.fromisocalendar(*monday.isocalendar()[:2], 1)
    key = f"missing_year:{year}:{week}"
    subject = f"{year} 年放假安排尚未载入"
    enqueue(connection, _to_administrator(key, subject, missing_text(year), settings, now))


def _to_administrator(
    key: str, subject: str, text: str, settings: Settings, now: datetime
) -> Notice:
    return Notice(
        key=key,
        org=settings.data_authority,
        role=Role.ADMINISTRATOR,
        subject=subject,
        text=text,
        at=now,
        object_kind="supervision",
        object_id=key.split(":")[1],
    )
