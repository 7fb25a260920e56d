"""Runs that end in another order than they began: the newest pull wins, whatever is killed."""

from datetime import UTC, datetime

import pytest

from yishu.library import commits, maintain
from yishu.library.errors import LibrarySuperseded
from yishu.library.publish import Step
from yishu.library.read import read

EIGHT, NINE, TEN = (datetime(2026, 1, 1, hour, tzinfo=UTC).isoformat() for hour in (8, 9, 10))


@pytest.fixture
def publish_pulled(publish):
    """Publish enterprises that were pulled at a moment."""

    def run(run_id, pulled_at, names, **more):
        return publish(run_id, names, metadata={"pulled_at": pulled_at}, **more)

    return run


def names(root, table):
    return read(root, table, columns=["name"])["name"].to_pylist()


@pytest.mark.requirement("SUB-21")
def test_rows_older_than_what_is_published_are_refused(publish_pulled, root, table):
    """Run r1 pulls first and publishes last."""
    publish_pulled("r2", NINE, {"A": "新名"})

    with pytest.raises(LibrarySuperseded) as refused:
        publish_pulled("r1", EIGHT, {"A": "旧名"})

    assert not refused.value.retryable
    assert EIGHT in refused.value.found
    assert NINE in refused.value.expected
    assert "start a new run" in refused.value.remedy
    assert names(root, table) == ["新名"]
    assert publish_pulled("r3", TEN, {"A": "更新"}).version == 1


@pytest.mark.requirement("SUB-21")
def test_a_newer_pull_that_changed_nothing_counts_too(publish_pulled, root, table):
    """The name was changed at eight and changed back at nine; nine is the truth."""
    publish_pulled("r1", "2026-01-01T07:00:00+00:00", {"A": "原名"})
    assert publish_pulled("r3", NINE, {"A": "原名"}).version == 0

    with pytest.raises(LibrarySuperseded, match=r"2026-01-01T09:00:00\+00:00 or later"):
        publish_pulled("r2", EIGHT, {"A": "误改"})

    assert names(root, table) == ["原名"]
    assert len(commits(root, table)) == 1


def test_moments_are_compared_and_not_their_spelling(publish_pulled):
    """Nine in Wuxi is one o'clock UTC."""
    publish_pulled("r1", EIGHT, {"A": "甲"})

    with pytest.raises(LibrarySuperseded):
        publish_pulled("r2", "2026-01-01T09:00:00+08:00", {"A": "乙"})


def test_a_run_that_was_committed_is_still_returned_when_newer_data_came(publish_pulled):
    first = publish_pulled("r1", EIGHT, {"A": "甲"})
    publish_pulled("r2", NINE, {"A": "乙"})

    again = publish_pulled("r1", EIGHT, {"A": "甲"})

    assert (again.already_published, again.version) == (True, first.version)


def test_a_publication_of_unknown_moment_is_neither_refused_nor_refuses(publish, publish_pulled):
    publish("r1", {"A": "甲"})

    assert publish_pulled("r2", EIGHT, {"A": "乙"}).version == 1
    assert publish("r3", {"A": "丙"}).version == 2


def test_a_run_killed_before_it_ended_does_not_stand_in_the_way(publish_pulled, root, table):
    """Killed while comparing, r3 has published nothing, so r2 may; r3 again has the last word."""

    def killed(step):
        if step is Step.COMPARED:
            raise KeyboardInterrupt

    publish_pulled("r1", EIGHT, {"A": "原名"})
    with pytest.raises(KeyboardInterrupt):
        publish_pulled("r3", TEN, {"A": "原名"}, on_step=killed)

    assert publish_pulled("r2", NINE, {"A": "误改"}).version == 1
    assert publish_pulled("r3", TEN, {"A": "原名"}).version == 2
    assert names(root, table) == ["原名"]


def test_maintenance_forgets_no_moment(publish_pulled, root, table):
    publish_pulled("r1", EIGHT, {"A": "甲"})
    publish_pulled("r3", TEN, {"A": "甲"})

    maintain(root, table, history_days=0)

    with pytest.raises(LibrarySuperseded):
        publish_pulled("r2", NINE, {"A": "乙"})
