"""The 21 tasks of S002's annex: overdue ones on a date, and how far it escalated."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from catalog.plan import read_plans
from catalog.roles import Role
from yishu.governance.errors import Forbidden, ReasonMissing, TaskUnknown
from yishu.governance.tasks import TaskStep, record, standings, steps
from yishu.ledger.journal import Actor

PLANS = read_plans(Path(__file__).resolve().parents[3] / "catalog" / "plans")
SUPERVISOR = Actor("person-4", "xu.an", Role.SERVICE_AUTHORITY, "administrative_approval")


@pytest.mark.requirement("SUP-12")
def test_the_plan_has_its_21_tasks_with_lead_and_due_dates():
    (plan,) = PLANS
    last = Counter(task.stages[-1].due_on.isoformat() for task in plan.tasks)

    assert [task.id for task in plan.tasks] == [f"s002_{n:02}" for n in range(1, 22)]
    assert last == {"2016-09-30": 5, "2016-11-30": 4, "2016-12-31": 12}
    assert plan.tasks[16].lead == ("县信访局",)
    assert [stage.due_on.month for stage in plan.tasks[8].stages] == [10, 12]


@pytest.mark.requirement("SUP-12")
def test_overdue_tasks_on_a_date_are_listed(connection, at):
    note = "已录入支撑平台"
    record(
        connection, PLANS, "s002_01", TaskStep.DONE, note, actor=SUPERVISOR, now=at("2026-09-01")
    )
    found = standings(PLANS, steps(connection), date(2016, 10, 31))
    overdue = {one.task.id: one.days_overdue for one in found if one.days_overdue}

    assert overdue == {"s002_02": 31, "s002_03": 31, "s002_07": 31, "s002_13": 31}
    after = standings(PLANS, {}, date(2016, 11, 1))
    assert sum(one.days_overdue > 0 for one in after) == 6


@pytest.mark.requirement("SUP-12")
def test_a_stage_done_moves_to_the_next_and_the_ladder_is_kept(connection, at):
    for n, step in enumerate((TaskStep.STAGE_DONE, TaskStep.INSPECTED, TaskStep.INTERVIEWED)):
        now = at("2026-09-01", f"10:00:0{n}")
        record(connection, PLANS, "s002_09", step, "记录", actor=SUPERVISOR, now=now)
    (nine,) = [
        one
        for one in standings(PLANS, steps(connection), date(2016, 12, 1))
        if one.task.id == "s002_09"
    ]

    assert (nine.next_due, nine.days_overdue) == (date(2016, 12, 31), 0)
    assert nine.escalation is TaskStep.INTERVIEWED


@pytest.mark.parametrize(
    ("task_id", "note", "error"), [("s002_99", "x", TaskUnknown), ("s002_01", " ", ReasonMissing)]
)
def test_what_is_no_task_or_says_nothing_is_refused(connection, at, task_id, note, error):
    with pytest.raises(error):
        record(
            connection, PLANS, task_id, TaskStep.DONE, note, actor=SUPERVISOR, now=at("2026-09-01")
        )


def test_a_department_does_not_record_its_own_success(connection, officer, at):
    with pytest.raises(Forbidden):
        record(
            connection, PLANS, "s002_01", TaskStep.DONE, "好", actor=officer, now=at("2026-09-01")
        )
