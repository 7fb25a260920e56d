"""The tasks of reform plans: what was recorded of each, which are overdue, how far it escalated.

What comes after a missed day is the ladder of S002 三（四）: inspection, notice, interview, order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from catalog.plan import Plan, PlanTask
from catalog.roles import Action
from catalog.vocabulary import Labelled
from yishu.governance.errors import ReasonMissing, TaskUnknown
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import TaskState


class TaskStep(Labelled):
    """What can be recorded of a task; the last four are the ladder of escalation."""

    STARTED = "started", "已启动"
    STAGE_DONE = "stage_done", "阶段完成"
    DONE = "done", "已完成"
    INSPECTED = "inspected", "督促检查"
    NOTICED = "noticed", "通报"
    INTERVIEWED = "interviewed", "约谈"
    ORDERED = "ordered", "督办"


LADDER = (TaskStep.INSPECTED, TaskStep.NOTICED, TaskStep.INTERVIEWED, TaskStep.ORDERED)


@dataclass(frozen=True)
class TaskStanding:
    """How a task stands on a day.

    Attributes:
        next_due: The last day of its first stage that is not done; None: all are.
        days_overdue: Calendar days since that day; 0 while it has not passed.
        escalation: The highest step of the ladder that was taken; None: none was.
    """

    plan: str
    task: PlanTask
    next_due: date | None
    days_overdue: int
    escalation: TaskStep | None


def record(
    connection: Connection,
    plans: Iterable[Plan],
    task_id: str,
    step: TaskStep,
    note: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Record a step of a task, with what was found or decided.

    Raises:
        Forbidden: the actor may not.
        TaskUnknown: no plan has that task.
        ReasonMissing: nothing is said about it.
    """
    require(actor, Action.RECORD_TASK, task_id)
    if task_id not in {task.id for plan in plans for task in plan.tasks}:
        raise TaskUnknown(
            task_id,
            found="no such task",
            expected="an id as `yishu clocks tasks` shows it",
            remedy="look it up, or add the plan to catalog/plans/",
        )
    if not note.strip():
        raise ReasonMissing(
            task_id,
            found="no text",
            expected="what was found or decided",
            remedy="say it in a sentence",
        )
    values = {"task_id": task_id, "at": now, "state": step.value, "note": note.strip()}
    connection.execute(insert(TaskState).values(**values, by=actor.account, facts={}))
    after = {"step": step.value}
    append(connection, Act(actor, Action.RECORD_TASK, "task", task_id, now, note, after=after))


def steps(connection: Connection) -> dict[str, list[TaskStep]]:
    """What was recorded of each task, in order."""
    found: dict[str, list[TaskStep]] = {}
    asked = select(TaskState.task_id, TaskState.state).order_by(TaskState.at)
    for row in connection.execute(asked):
        found.setdefault(row.task_id, []).append(TaskStep(row.state))
    return found


def standings(
    plans: Iterable[Plan], taken: Mapping[str, list[TaskStep]], on: date
) -> list[TaskStanding]:
    """Every task on a day, the longest overdue first."""
    found = [
        _standing(plan, task, taken.get(task.id, []), on) for plan in plans for task in plan.tasks
    ]
    return sorted(found, key=lambda one: (-one.days_overdue, one.task.id))


def _standing(plan: Plan, task: PlanTask, taken: list[TaskStep], on: date) -> TaskStanding:
    done = taken.count(TaskStep.STAGE_DONE)
    left = [] if TaskStep.DONE in taken else task.stages[done:]
    next_due = left[0].due_on if left else None
    overdue = max(0, (on - next_due).days) if next_due else 0
    ladder = [step for step in LADDER if step in taken]
    return TaskStanding(plan.id, task, next_due, overdue, ladder[-1] if ladder else None)
