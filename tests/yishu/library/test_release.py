"""Tables that must move together become visible together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from yishu.library.errors import ReleaseMissing, TableMissing, VersionMissing
from yishu.library.maintenance import maintain
from yishu.library.read import read
from yishu.library.release import named_versions, publish_release, release_at, releases
from yishu.library.sql import run_sql

DAY = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def three_versions(publish):
    for number in (1, 2, 3):
        publish(f"r{number}", {"A": f"{number}公司"})


@pytest.mark.usefixtures("three_versions")
def test_readers_by_release_see_its_versions_whatever_is_published_since(root, table, publish):
    publish_release(root, {table: 1}, run_id="first", released_at=DAY)
    publish("r4", {"A": "新公司"})

    seen = read(root, table, version=release_at(root).version(table))

    assert seen["name"].to_pylist() == ["2公司"]


@pytest.mark.usefixtures("three_versions")
def test_a_release_carries_what_it_does_not_name_and_its_moment_finds_it(root, table):
    publish_release(root, {table: 0}, run_id="first", released_at=DAY)
    second = publish_release(root, {table: 2}, run_id="second", released_at=DAY + timedelta(days=9))

    assert (second.number, second.versions, second.moved) == (2, {table: 2}, [table])
    assert release_at(root, DAY + timedelta(days=8)).versions == {table: 0}
    with pytest.raises(ReleaseMissing, match="or before"):
        release_at(root, DAY - timedelta(days=1))


@pytest.mark.usefixtures("three_versions")
def test_the_same_run_again_makes_no_second_release(root, table):
    first = publish_release(root, {table: 0}, run_id="first", released_at=DAY)
    publish_release(root, {table: 1}, run_id="second", released_at=DAY)

    assert publish_release(root, {table: 2}, run_id="first", released_at=DAY) == first
    assert [one.number for one in releases(root)] == [2, 1]


@pytest.mark.usefixtures("three_versions")
@pytest.mark.parametrize(
    ("table_name", "version", "error"),
    [(None, 9, VersionMissing), ("subject/nobody", 0, TableMissing)],
)
def test_a_release_that_names_what_is_not_there_is_refused_whole(
    root, table, table_name, version, error
):
    with pytest.raises(error):
        publish_release(root, {table: 0, table_name or table: version}, run_id="x", released_at=DAY)

    assert list(releases(root)) == []


@pytest.mark.usefixtures("three_versions")
def test_a_release_that_names_a_version_whose_files_vanished_is_refused(root, table):
    maintain(root, table, history_days=0)

    with pytest.raises(VersionMissing, match="still kept"):
        publish_release(root, {table: 0}, run_id="x", released_at=DAY)


@pytest.mark.usefixtures("three_versions")
def test_vacuum_leaves_released_versions_and_removes_others(root, table):
    publish_release(root, {table: 1}, run_id="first", released_at=DAY)
    publish_release(root, {table: 2}, run_id="second", released_at=DAY + timedelta(days=5))
    kept = named_versions(releases(root), table, DAY + timedelta(days=2))

    assert kept == {1, 2}, "the first was the newest one until the second came"
    assert named_versions(releases(root), table, DAY + timedelta(days=6)) == {2}
    maintain(root, table, history_days=0, protected=sorted(kept))

    assert read(root, table, version=1)["name"].to_pylist() == ["2公司"]
    with pytest.raises(VersionMissing):
        read(root, table, version=0)


@pytest.mark.usefixtures("three_versions")
def test_a_clock_that_was_set_back_lets_vacuum_take_no_released_version(root, table):
    for number, days in enumerate((0, -400, 1)):
        at = DAY + timedelta(days=days)
        publish_release(root, {table: number}, run_id=f"run-{number}", released_at=at)

    assert named_versions(releases(root), table, DAY - timedelta(days=10)) == {0, 1, 2}


@pytest.mark.usefixtures("three_versions")
def test_who_reads_by_a_release_whose_version_vanished_is_told_so(root, table):
    versions = publish_release(root, {table: 0}, run_id="first", released_at=DAY).versions
    maintain(root, table, history_days=0)

    with pytest.raises(VersionMissing, match="version 0"):
        read(root, table, version=versions[table])
    with pytest.raises(VersionMissing, match="version 0"):
        run_sql(root, f'select 1 from "{table}"', masks=lambda _: {}, versions=versions, limit=1)


@pytest.mark.usefixtures("three_versions")
def test_four_publishers_at_once_lose_no_release(publish, root, table):
    publish("r4", {"A": "4公司"})

    def one(number):
        publish_release(root, {table: number}, run_id=f"run-{number}", released_at=DAY)

    with ThreadPoolExecutor(4) as publishers:
        list(publishers.map(one, range(4)))

    assert [one.number for one in releases(root)] == [4, 3, 2, 1]
    assert {one.run_id for one in releases(root)} == {f"run-{number}" for number in range(4)}


@pytest.mark.usefixtures("three_versions")
def test_killed_before_its_file_is_in_place_a_release_is_not_there_and_can_be_made(
    root, table, monkeypatch
):
    def dies(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("yishu.library.release.os.fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            publish_release(root, {table: 1}, run_id="killed", released_at=DAY)

    assert list(releases(root)) == []
    assert publish_release(root, {table: 1}, run_id="killed", released_at=DAY).number == 1
