"""The volume guard: a source that shrank or grew too much waits for a person's word."""

import sqlite3
from dataclasses import replace

import pytest

from catalog.model import Quality
from yishu.ledger import DecisionKind, RunState
from yishu.library import commits, unified_table
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.errors import NothingToAccept, VolumeSuspect
from yishu.pipeline.volume import Bounds, accept_volume, bounds

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
