"""Who is told that data do not come: each once, with the remedy, until something was published."""

import importlib.util
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.roles import Role
from yishu.governance.notices import inbox
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate
from yishu.pipeline.alarm import tell_failed, tell_overdue
from yishu.pipeline.errors import EmptySource
from yishu.settings import Settings

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

ENTRY = changing.ENTRY
TOLD = {("big_data_bureau", Role.ADMINISTRATOR), ("market_regulation", Role.DEPARTMENT_OFFICER)}
"""The bureau's engineer and the source department."""


@pytest.fixture
def department(tmp_path):
    department = changing.Department(tmp_path / "department")
    department.write("A", "甲", changing.NOON)
    return department


@pytest.fixture
def ctx(tmp_path, fresh_ledger, department):
    entry = changing.entry_of(changing.INCREMENTAL, quality={"allow_empty": False})
    release = changing.release_of(entry)
    return PipelineContext(
        Settings(var_dir=tmp_path / "var"),
        release,
        fresh_ledger,
        {"db": department.connection},
        lambda: changing.NOON + timedelta(minutes=10),
    )


def after(ctx, **more):
    at = ctx.clock() + timedelta(**more)
    return replace(ctx, clock=lambda: at)


def run_all(run_id, ctx):
    run_pull(ENTRY, run_id, ctx)
    run_validate(ENTRY, run_id, ctx)
    return run_publish(ENTRY, run_id, ctx)


def notices(ctx):
    with ctx.engine.connect() as connection:
        return inbox(connection)


def fail(run_id, ctx):
    with pytest.raises(EmptySource):
        run_pull(ENTRY, run_id, ctx)
    return tell_failed(ENTRY, run_id, ctx)


def test_a_failed_pull_tells_engineer_and_department_once_with_the_remedy(ctx, department):
    run_all("good", ctx)
    department.delete("A")

    made = [fail(f"bad-{number}", after(ctx, days=number)) for number in (1, 2, 3)]

    assert made == [2, 0, 0], "night after night for one reason"
    told = notices(ctx)
    assert {(one.org, one.role) for one in told} == TOLD
    for one in told:
        assert "RUN_EMPTY_SOURCE" in one.text or "0 keys" in one.text
        assert "ask the department whether its system was emptied" in one.text
        assert ENTRY in one.text


def test_what_fails_again_after_it_was_mended_is_told_again(ctx, department):
    run_all("good", ctx)
    department.delete("A")
    fail("bad", after(ctx, days=1))
    department.write("A", "乙", ctx.clock() + timedelta(days=2))
    run_all("mended", after(ctx, days=2, hours=1))
    department.delete("A")

    assert fail("bad again", after(ctx, days=3)) == 2


def test_a_run_that_succeeded_tells_nobody(ctx):
    run_all("good", ctx)

    assert tell_failed(ENTRY, "good", ctx) == 0
    assert notices(ctx) == []


@pytest.mark.requirement("COL-03")
def test_data_older_than_their_cycle_are_told_to_the_engineer_once_until_they_come(ctx):
    """The department is told by the supervision of update cycles."""
    run_all("good", ctx)
    limit = ctx.release.entry(ENTRY).update_cycle.freshness

    assert tell_overdue(after(ctx, seconds=limit.total_seconds() * 0.9)) == []
    late = after(ctx, seconds=limit.total_seconds() * 1.2)
    found = [tell_overdue(late), tell_overdue(after(late, hours=1))]

    assert [[one.entry_id for one in each] for each in found] == [[ENTRY]] * 2
    (told,) = notices(ctx)
    assert (told.org, told.role) == ("big_data_bureau", Role.ADMINISTRATOR)
    assert f"yishu pull {ENTRY}" in told.text
    assert "每日" in told.text


@pytest.mark.requirement("COL-03")
def test_data_that_never_came_are_overdue_once_the_installation_runs(ctx, department):
    department.delete("A")
    assert tell_overdue(after(ctx, days=300)) == [], "nobody could deliver to it yet"
    fail("first", ctx)
    limit = ctx.release.entry(ENTRY).update_cycle.freshness

    assert [
        one.entry_id for one in tell_overdue(after(ctx, seconds=limit.total_seconds() * 1.2))
    ] == [ENTRY]
    assert "从未" in next(one for one in notices(ctx) if "超期" in one.subject).text
