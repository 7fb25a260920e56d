"""Who is told that data do not come: the bureau's engineer and the department, once, with a remedy.

A pull that failed for good, and data that are older than their update cycle allows. What was told
stands until something was published since: a source that fails every night for the same reason is
told of once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from catalog.model import CatalogEntry
from catalog.roles import Role
from yishu.clocks.freshness import Freshness, FreshnessStatus
from yishu.governance.freshness import fresh_states
from yishu.governance.notices import Notice, enqueue_all
from yishu.ledger import DeliveryRow, RunState
from yishu.ledger.rows import RunRow
from yishu.pipeline.context import PipelineContext


@dataclass(frozen=True)
class Alarm:
    """Something about an entry's data that somebody has to mend.

    Attributes:
        cause: What it is, in one word; with ``since`` it makes the alarm once-only.
        since: What was published last, or ``never``.
        subject: In Chinese, a line.
        text: In Chinese, with what was found and what to do.
        is_internal: The bureau alone is told.
    """

    entry: CatalogEntry
    cause: str
    since: str
    subject: str
    text: str
    is_internal: bool = False


def tell_failed(entry_id: str, run_id: str, ctx: PipelineContext) -> int:
    """Tell of a run that failed or was stopped, once nobody will try it again; notices made."""
    run = ctx.ledger.run(run_id, entry_id)
    if run is None or run.state not in (RunState.FAILED, RunState.BLOCKED):
        return 0
    entry = ctx.release.entries.get(entry_id)
    return _tell([_failed(entry, run, ctx.ledger.deliveries())], ctx) if entry else 0


def tell_overdue(ctx: PipelineContext) -> list[FreshnessStatus]:
    """Tell the bureau's engineer of data that are older than their cycle allows; which they are.

    The department is told by the supervision of update cycles.
    """
    with ctx.engine.connect() as connection:
        states = fresh_states(connection, ctx.release.entries, ctx.clock())
    late = [one for one in states if one.state is Freshness.STALE]
    _tell([_overdue(ctx.release.entries[one.entry_id], one) for one in late], ctx)
    return late


def _failed(entry: CatalogEntry, run: RunRow, deliveries: dict[str, DeliveryRow]) -> Alarm:
    last = deliveries.get(entry.id)
    word = "被拦截" if run.state is RunState.BLOCKED else "失败"
    text = (
        f"目录 {entry.id} 的汇聚任务 {run.run_id} 在 {run.stage or ''} 环节{word}。"
        f"已发布的数据不变。原因与处理办法：{run.error_message or run.error_code}"
    )
    since = last.run_id if last else "never"
    return Alarm(entry, f"failed:{run.error_code}", since, f"数据汇聚{word}：{entry.name}", text)


def _overdue(entry: CatalogEntry, status: FreshnessStatus) -> Alarm:
    known = f"{status.pulled_at:%Y-%m-%d %H:%M}（UTC）" if status.pulled_at else "从未"
    text = (
        f"目录 {entry.id} 更新周期为{entry.update_cycle.label_zh}，上次读取部门系统：{known}，"
        f"已超过时限。请用 yishu source probe {entry.source.connection} 检查系统，"
        f"再用 yishu pull {entry.id} 补拉；系统不可用时请联系来源部门。"
    )
    since = "never" if status.pulled_at is None else status.pulled_at.isoformat()
    return Alarm(entry, "overdue", since, f"数据超期未汇聚：{entry.name}", text, is_internal=True)


def _tell(alarms: list[Alarm], ctx: PipelineContext) -> int:
    at = ctx.clock()
    notices = [notice for alarm in alarms for notice in _notices(alarm, at, ctx)]
    with ctx.engine.begin() as connection:
        return enqueue_all(connection, notices)


def _notices(alarm: Alarm, at: datetime, ctx: PipelineContext) -> Iterator[Notice]:
    entry = alarm.entry
    told = [(ctx.settings.data_authority, Role.ADMINISTRATOR)]
    if not alarm.is_internal:
        told.append((entry.provider_org, Role.DEPARTMENT_OFFICER))
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
