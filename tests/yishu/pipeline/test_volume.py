"""The volume guard: a source that shrank or grew too much waits for a person's word."""

import importlib.util
import sqlite3
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from catalog.model import Quality
from yishu.ledger import DecisionKind, RunState
from yishu.library import commits, unified_table
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate
from yishu.pipeline.errors import NothingToAccept, VolumeSuspect
from yishu.pipeline.rows import Batch
from yishu.pipeline.volume import Bounds, accept_volume, bounds
from yishu.settings import Settings

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

ORGANISATION = "civil_affairs.social_organisation"


def run_all(run_id, ctx):
    run_pull(ORGANISATION, run_id, ctx)
    run_validate(ORGANISATION, run_id, ctx)
    return run_publish(ORGANISATION, run_id, ctx)


@pytest.mark.parametrize(
    ("before", "quality", "expected"),
    [
        (1000, {"max_shrunk_share": 0.5, "max_grown_share": 1}, Bounds(500, 2000)),
        (1000, {"max_shrunk_share": 0, "max_grown_share": 0}, Bounds(900, 1100)),
        (1000, {"max_shrunk_share": 1, "max_grown_share": 0}, Bounds(0, 1100)),
        (10, {"max_shrunk_share": 0.5, "max_grown_share": 1}, Bounds(-90, 110)),
    ],
)
def test_bounds_are_shares_but_never_tighter_than_the_slack(before, quality, expected):
    assert bounds(before, Quality(**quality)) == expected


@pytest.fixture
def world_of_half(city, make_world, tmp_path):
    """Worlds over the social organisations with strict bounds: whole, and one in ten of them."""
    original = city.urls["civil_affairs_db"].removeprefix("sqlite:///")
    copy = tmp_path / "shrunk.db"
    with sqlite3.connect(original) as before, sqlite3.connect(copy) as after:
        before.backup(after)
        after.execute("delete from shzz_djxx where rowid % 10 <> 0")
        after.commit()

    def strict(ctx):
        entry = ctx.release.entry(ORGANISATION)
        quality = entry.quality.model_copy(update={"volume_slack_rows": 0})
        entries = {**ctx.release.entries, ORGANISATION: entry.model_copy(
            update={"quality": quality}
        )}  # fmt: skip
        return replace(ctx, release=replace(ctx.release, entries=entries))

    whole = strict(make_world())
    return whole, strict(make_world(urls={"civil_affairs_db": f"sqlite:///{copy}"}))


@pytest.fixture
def stopped(world_of_half):
    """A published run, then one that the guard stopped; the world, and its rows."""
    whole, shrunk = world_of_half
    rows = run_all("good", whole)["read"]
    with pytest.raises(VolumeSuspect) as caught:
        run_pull(ORGANISATION, "shrunk", shrunk)
    return shrunk, rows, caught.value


def test_a_source_that_shrank_stops_and_asks_a_person(stopped):
    ctx, rows, error = stopped

    assert f"had {rows:,}" in error.found
    assert "--accept-volume" in error.remedy
    assert not error.retryable
    assert ctx.ledger.run("shrunk", ORGANISATION).state is RunState.BLOCKED
    published = commits(ctx.settings.library_dir, unified_table(ORGANISATION))
    assert [commit.run_id for commit in published] == ["good"]


def test_a_persons_word_lets_exactly_that_run_through(stopped):
    ctx, rows, _ = stopped

    run_id = accept_volume(ctx.release.entry(ORGANISATION), None, "迁出九成", "wang", ctx)
    published = run_all(run_id, ctx)

    assert run_id == "shrunk"
    assert published["read"] < rows / 2
    decided = ctx.ledger.decision("shrunk", ORGANISATION, DecisionKind.VOLUME)
    assert (decided.reason, decided.decided_by) == ("迁出九成", "wang")
    assert decided.facts == {"rows": published["read"], "before": rows}


def test_another_run_is_stopped_again(stopped):
    ctx, _, _ = stopped
    accept_volume(ctx.release.entry(ORGANISATION), "shrunk", "迁出九成", "wang", ctx)

    with pytest.raises(VolumeSuspect):
        run_pull(ORGANISATION, "next", ctx)


def test_what_is_published_is_the_new_measure(stopped, world_of_half):
    """After the accepted run the small source passes, and the old size is what surprises."""
    ctx, _, _ = stopped
    run_all(accept_volume(ctx.release.entry(ORGANISATION), None, "迁出九成", "w", ctx), ctx)

    assert run_all("next", ctx)["already_published"] is False
    entry = ctx.release.entry(ORGANISATION)
    assert entry.quality.max_grown_share == 9.0


def test_a_source_that_grew_beyond_its_bound_stops_too(world_of_half):
    whole, shrunk = world_of_half
    run_all("small", shrunk)
    entry = whole.release.entry(ORGANISATION)
    quality = entry.quality.model_copy(update={"max_grown_share": 1.0})
    entries = {ORGANISATION: entry.model_copy(update={"quality": quality})}
    ctx = replace(whole, release=replace(whole.release, entries=entries))

    with pytest.raises(VolumeSuspect):
        run_pull(ORGANISATION, "grown", ctx)


@pytest.mark.parametrize("run_id", ["good", "never", None])
def test_only_a_stopped_run_can_be_accepted(world_of_half, run_id):
    whole, _ = world_of_half
    run_all("good", whole)

    with pytest.raises(NothingToAccept):
        accept_volume(whole.release.entry(ORGANISATION), run_id, "why", "wang", whole)


def test_pulling_a_published_run_again_is_no_surprise(world_of_half):
    whole, _ = world_of_half
    run_all("good", whole)

    assert run_all("good", whole)["already_published"] is True


STRICT = {"max_shrunk_share": 0.5, "max_grown_share": 1, "volume_slack_rows": 0}
TOMBSTONED = changing.INCREMENTAL | {
    "reconcile_hours": None,
    "tombstone": {"column": "is_deleted", "values": ["1"]},
}


class Followed:
    """A department of ten rows, published once and then pulled by changes, within strict bounds."""

    def __init__(self, folder, ledger_url):
        self.department = changing.Department(folder / "department")
        self.hours = 0
        for number in range(10):
            self.department.write(f"K{number}", "甲", changing.NOON)
        self.folder, self.url = folder, ledger_url

    def begin(self, source):
        self.ctx = PipelineContext(
            Settings(var_dir=self.folder / "var"),
            changing.release_of(changing.entry_of(source, quality=STRICT)),
            self.url,
            {"db": self.department.connection},
            lambda: changing.NOON + self.hours * timedelta(hours=1),
        )
        self.run("first")

    def run(self, run_id, **more):
        self.hours += 2
        run_pull(changing.ENTRY, run_id, self.ctx, **more)
        run_validate(changing.ENTRY, run_id, self.ctx)
        return run_publish(changing.ENTRY, run_id, self.ctx)

    def write(self, numbers, name, is_deleted="0"):
        stamp = changing.local(changing.NOON + (self.hours + 1) * timedelta(hours=1))
        for number in numbers:
            self.department.delete(f"K{number}")
            values = (f"K{number}", name, stamp, is_deleted)
            self.department.execute("insert into rows values (?, ?, ?, ?)", *values)

    def log(self, batch, operation, numbers):
        for number in numbers:
            self.department.log(batch, operation, f"K{number}", "甲", changing.NOON, number)


@pytest.fixture
def followed(tmp_path, fresh_ledger):
    return Followed(tmp_path, fresh_ledger)


def test_changes_within_bounds_raise_no_question(followed):
    followed.begin(TOMBSTONED)
    followed.write(range(4), "甲", is_deleted="1")

    assert followed.run("next")["rows"] == 6


def test_a_source_that_lost_most_keys_stops_a_pull_by_changes(followed):
    followed.begin(changing.INCREMENTAL)
    for number in range(7):
        followed.department.delete(f"K{number}")

    with pytest.raises(VolumeSuspect, match="3 keys in the source"):
        followed.run("next")

    assert followed.ctx.ledger.last_commit(changing.ENTRY).rows == 10


def test_marks_that_delete_most_rows_stop_a_pull_by_changes(followed):
    followed.begin(TOMBSTONED)
    followed.write(range(7), "甲", is_deleted="1")

    with pytest.raises(VolumeSuspect, match="remove 7 rows"):
        followed.run("next")


def test_a_log_that_deletes_most_rows_stops_and_a_person_lets_it_through(followed):
    followed.log(1, "I", range(10))
    followed.begin(changing.LOG)
    followed.log(2, "D", range(7))
    with pytest.raises(VolumeSuspect, match="remove 7 rows"):
        followed.run("next")

    entry = followed.ctx.release.entry(changing.ENTRY)
    run_id = accept_volume(entry, None, "迁出七户", "wang", followed.ctx)

    assert followed.run(run_id)["rows"] == 3


def test_changes_that_bring_far_too_many_rows_stop(followed):
    followed.begin(TOMBSTONED)
    followed.write(range(10, 31), "甲")

    with pytest.raises(VolumeSuspect, match="changes of 31 rows"):
        followed.run("next")


def test_many_changes_of_few_rows_raise_no_question(followed):
    followed.log(1, "I", range(10))
    followed.begin(changing.LOG)
    for batch in range(2, 6):
        followed.log(batch, "U", range(10))

    commit = followed.run("next")

    assert (commit["read"], commit["superseded"], commit["rows"]) == (50, 40, 10)


def test_a_batch_of_history_may_be_of_any_size(followed):
    followed.begin(TOMBSTONED)
    followed.write(range(10, 31), "甲")
    until = (changing.NOON + timedelta(hours=9)).isoformat()

    assert followed.run("history", batch=Batch(until=until))["rows"] == 31
