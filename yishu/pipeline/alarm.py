"""Who is told that data do not come: the bureau's engineer and the department, once, with a remedy.

A pull that failed for good, data that are older than their update cycle allows, and changes that
took longer than that to become visible. What was told stands until something was published since:
a source that fails every night for the same reason is told of once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.model import CatalogEntry
from catalog.roles import Role
from yishu.governance.notices import Notice, enqueue_all
from yishu.ledger import DeliveryRow, RunState
from yishu.ledger.rows import RunRow
from yishu.pipeline.context import PipelineContext

GRACE = 0.1
"""Part of the update cycle that data may be late: a pull may begin later than the one before."""


@dataclass(frozen=True)
class Alarm:
    """Something about an entry's data that somebody has to mend.

    Attributes:
        cause: What it is, in one word; with ``since`` it makes the alarm once-only.
        since: What was published last, or ``never``.
        subject: In Chinese, a line.
        text: In Chinese, with what was found and what to do.
    """

    entry: CatalogEntry
    cause: str
    since: str
    subject: str
    text: str


def tell_failed(entry_id: str, run_id: str, ctx: PipelineContext) -> int:
    """Tell of a run that failed or was stopped, once nobody will try it again; notices made."""
    run = ctx.ledger.run(run_id, entry_id)
    if run is None or run.state not in (RunState.FAILED, RunState.BLOCKED):
        return 0
    entry = ctx.release.entries.get(entry_id)
    return _tell([_failed(entry, run, ctx.ledger.deliveries())], ctx) if entry else 0


def tell_overdue(ctx: PipelineContext) -> list[str]:
    """Tell of every entry whose data are older than its cycle allows; those entries."""
    deliveries, now = ctx.ledger.deliveries(), ctx.clock()
    late = [
        entry
        for entry in ctx.release.entries.values()
        if is_overdue(entry, deliveries.get(entry.id), now)
    ]
    _tell([_overdue(entry, deliveries, now) for entry in late], ctx)
    return [entry.id for entry in late]


def tell_delayed(entry_id: str, run_id: str, delay: timedelta, ctx: PipelineContext) -> int:
    """Tell of changes that took longer to become visible than the cycle allows; notices made."""
    entry = ctx.release.entry(entry_id)
    limit = entry.update_cycle.freshness
    if limit is None or delay <= limit * (1 + GRACE):
        return 0
    subject = f"数据更新延迟：{entry.name}"
    text = (
        f"目录 {entry.id} 本次发布（{run_id}）中，部门系统的变更经 {_span(delay)} 才可见，"
        f"更新周期（{entry.update_cycle.label_zh}）允许 {_span(limit)}。"
        "请检查拉取时间窗口与系统时钟。"
    )
    return _tell([Alarm(entry, "delayed", run_id, subject, text)], ctx)


def is_overdue(entry: CatalogEntry, last: DeliveryRow | None, now: datetime) -> bool:
    """Whether an entry's data are older than its update cycle allows.

    An entry that never delivered is measured from the day of its publication.
    """
    limit = entry.update_cycle.freshness
    return limit is not None and now - delivered_at(entry, last, now) > limit * (1 + GRACE)


def delivered_at(entry: CatalogEntry, last: DeliveryRow | None, now: datetime) -> datetime:
    """When the source was read for what readers see; the day of publication where nothing is."""
    if last is not None:
        return last.pulled_at
    return datetime.combine(entry.published_on, datetime.min.time(), now.tzinfo)


def _failed(entry: CatalogEntry, run: RunRow, deliveries: dict[str, DeliveryRow]) -> Alarm:
    last = deliveries.get(entry.id)
    word = "被拦截" if run.state is RunState.BLOCKED else "失败"
    text = (
        f"目录 {entry.id} 的汇聚任务 {run.run_id} 在 {run.stage or ''} 环节{word}。"
        f"已发布的数据不变。原因与处理办法：{run.error_message or run.error_code}"
    )
    since = last.run_id if last else "never"
    return Alarm(entry, f"failed:{run.error_code}", since, f"数据汇聚{word}：{entry.name}", text)


def _overdue(entry: CatalogEntry, deliveries: dict[str, DeliveryRow], now: datetime) -> Alarm:
    last = deliveries.get(entry.id)
    age = _span(now - delivered_at(entry, last, now))
    known = f"上次读取部门系统距今 {age}" if last else f"目录发布 {age} 以来从未交付"
    text = (
        f"目录 {entry.id} 更新周期为{entry.update_cycle.label_zh}，{known}，已超过时限。"
        f"请来源部门确认系统 {entry.source.connection} 可用并按周期提供数据；"
        f"工程师可用 yishu source probe {entry.source.connection} 检查，再用 yishu pull "
        f"{entry.id} 补拉。"
    )
    return Alarm(
        entry, "overdue", last.run_id if last else "never", f"数据超期未更新：{entry.name}", text
    )


def _tell(alarms: list[Alarm], ctx: PipelineContext) -> int:
    at = ctx.clock()
    notices = [notice for alarm in alarms for notice in _notices(alarm, at, ctx)]
    with ctx.engine.begin() as connection:
        return enqueue_all(connection, notices)


def _notices(alarm: Alarm, at: datetime, ctx: PipelineContext) -> Iterator[Notice]:
    entry = alarm.entry
    told = [
        (ctx.settings.data_authority, Role.ADMINISTRATOR),
        (entry.provider_org, Role.DEPARTMENT_OFFICER),
    ]
    for org, role in told:
        yield Notice(
            key=f"data:{alarm.cause}:{entry.id}:{alarm.since}:{org}:{role}",
            org=org,
            role=role,
            subject=alarm.subject,
            text=alarm.text,
            at=at,
            object_kind="entry",
            object_id=entry.id,
        )


def _span(length: timedelta) -> str:
    """A length of time in Chinese, in the two greatest units."""
    minutes = int(length.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} 天" if days else "", f"{hours} 小时" if hours else "", f"{minutes} 分钟"]
    return " ".join([part for part in parts if part][:2])
