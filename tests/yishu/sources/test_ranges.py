"""A table in ranges of key or place: every row once, as it was at one moment, whoever writes."""

import threading
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, SourceChanged, SourceMisdescribed, ranges
from yishu.sources.ranges import PLACE, Range, RangedSource, RangePlan


@pytest.fixture(params=["key", "place"])
def cut_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Tables of any size are cut by this."""
    monkeypatch.setattr(ranges, "BIG_PAGES", 1 if request.param == "place" else 1 << 40)
    return str(request.param)


def ranged(url: str, table: str = "t") -> RangedSource:
    spec = SourceSpec(connection="market", kind=SystemKind.POSTGRESQL, table=table, ranges=4)
    return RangedSource(spec, Connection("market", SystemKind.POSTGRESQL, url))


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


def reader_of_keys(url: str) -> str:
    """The same database for an account that may read column ``k`` of ``t`` alone."""
    run(
        url,
        "do $$ begin if not exists (select from pg_roles where rolname = 'range_reader') then "
        "create role range_reader login password 'of-the-test'; end if; end $$",
        f"grant connect on database {url.rpartition('/')[2]} to range_reader",
        "grant select (k) on t to range_reader",
    )
    return f"postgresql://range_reader:of-the-test@{url.rpartition('@')[2]}"


def parts(source: RangedSource, plan: RangePlan, *columns: str) -> list[list[Any]]:
    """The values of the first column, range by range."""
    return [
        pa.Table.from_batches(list(source.read(columns, plan, piece)))[0].to_pylist()
        for piece in plan.ranges
    ]


def keys_of(url: str, kind: str, values: str, ranges: int = 4) -> list[list[Any]]:
    run(url, f"create table t (id serial, k {kind})", f"insert into t (k) {values}")
    with ranged(url) as source:
        return parts(source, source.begin("k", ranges), "id")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", "select g * 1000003::bigint % 4001 from generate_series(1, 4000) g"),
        ("text", "select md5(g::text) || '''\\' from generate_series(1, 4000) g"),
        ("char(20)", "select 'k' || g from generate_series(1, 4000) g"),
        ("numeric", "select g / 7.0 from generate_series(1, 4000) g"),
        ("double precision", "select sqrt(g) from generate_series(1, 4000) g"),
        ("date", "select date '0044-03-15 BC' + g from generate_series(1, 4000) g"),
        ("timestamptz", "select now() - g * interval '1 hour' from generate_series(1, 4000) g"),
        ("uuid", "select md5(g::text)::uuid from generate_series(1, 4000) g"),
    ],
)
def test_ranges_of_any_type_of_key_hold_every_row_once(
    fresh_database: str, kind: str, values: str
) -> None:
    found = keys_of(fresh_database, kind, values)

    assert sorted(row for part in found for row in part) == list(range(1, 4001))
    assert all(len(part) >= 900 for part in found)


def test_rows_without_a_key_belong_to_the_first_range(fresh_database: str) -> None:
    values = "select nullif(g % 5, 0) from generate_series(1, 100) g"

    found = keys_of(fresh_database, "int", values, ranges=2)

    assert sorted(row for part in found for row in part) == list(range(1, 101))
    assert {5, 10, 100} <= set(found[0])


@pytest.mark.parametrize("values", ["select 7 from generate_series(1, 50)", "select 1 limit 0"])
def test_few_keys_make_few_ranges(fresh_database: str, values: str) -> None:
    found = keys_of(fresh_database, "int", values)

    assert len(found) <= 2
    assert sum(map(len, found)) in (0, 50)


def test_a_big_table_is_cut_alike_each_time(fresh_database: str, cut_by: str) -> None:
    run(
        fresh_database,
        "create table t as select g as k, repeat('x', 40) as v from generate_series(1, 200000) g",
        "analyze t",
    )
    with ranged(fresh_database) as source:
        first = source.begin("k", 4).ranges
        found = parts(source, source.begin("k", 4), "k")
    with ranged(fresh_database) as source:
        again = source.begin("k", 4)
        assert again.ranges == first
        assert (again.key == PLACE) is (cut_by == "place")

    assert sorted(row for part in found for row in part) == list(range(1, 200_001))
    assert all(40_000 < len(part) < 60_000 for part in found)


def test_by_default_a_big_table_is_cut_by_place_and_each_page_read_once(
    fresh_database: str,
) -> None:
    run(
        fresh_database,
        "create table t as select nullif(g % 7, 0) as k, g as id, repeat('x', 90) as v "
        "from generate_series(1, 100000) g",
        "analyze t",
    )
    with ranged(fresh_database) as source:
        plan = source.begin("k", 3)
        found = parts(source, plan, "id")
    with psycopg.connect(fresh_database) as server:
        how = [
            "".join(line for (line,) in server.execute(f"explain select id from t where {where}"))
            for where in (piece.condition(plan.key) for piece in plan.ranges)
        ]

    assert [row for part in found for row in part] == list(range(1, 100_001))
    assert all(32_000 < len(part) < 35_000 for part in found)
    assert all("Tid Range Scan" in one for one in how)


def test_a_reader_of_some_columns_alone_reads_by_key(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table t as select g as k, repeat('x', 90) as hidden "
        "from generate_series(1, 100000) g",
        "analyze t",
    )
    with ranged(reader_of_keys(fresh_database)) as source:
        plan = source.begin("k", 2)
        found = parts(source, plan, "k")

    assert plan.key == "k"
    assert sorted(row for part in found for row in part) == list(range(1, 100_001))


def test_a_reader_of_a_view_needs_no_more_than_select_on_its_columns(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table base (k int, hidden text)",
        "insert into base select g, 'x' from generate_series(1, 100) g",
        "create view t as select k, hidden from base",
    )
    with ranged(reader_of_keys(fresh_database)) as source:
        found = parts(source, source.begin("k", 2), "k")

    assert sorted(row for part in found for row in part) == list(range(1, 101))


@pytest.mark.usefixtures("cut_by")
def test_rows_that_move_between_ranges_meanwhile_stay_where_they_were(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table t (id int, k int)",
        "insert into t select g, g from generate_series(1, 1000) g",
    )

    with ranged(fresh_database) as source:
        plan = source.begin("k", 2)
        low = pa.Table.from_batches(list(source.read(["id"], plan, plan.ranges[0])))
        # Every row changes sides, some go, some come: two reads would miss rows and double others.
        run(
            fresh_database,
            "update t set k = 1001 - k",
            "delete from t where id % 10 = 0",
            "insert into t select g, 900 from generate_series(2000, 2100) g",
        )
        high = pa.Table.from_batches(list(source.read(["id"], plan, plan.ranges[1])))
        source.confirm()

    assert low["id"].to_pylist() + high["id"].to_pylist() == list(range(1, 1001))


@pytest.mark.usefixtures("cut_by")
def test_a_busy_writer_changes_nothing_in_what_is_read(fresh_database: str) -> None:
    """Money moves all the time and its sum does not: any mixture of moments would show."""
    run(
        fresh_database,
        "create table t (k int primary key, cents bigint)",
        "insert into t select g, 100 from generate_series(1, 500) g",
    )
    done = threading.Event()

    def move() -> None:
        with psycopg.connect(fresh_database, autocommit=True) as server:
            step = 0
            while not done.is_set():
                step += 1
                server.execute(
                    "update t set cents = cents + case when k <= 250 then -1 else 1 end "
                    "where k in (%s, %s)",
                    (step % 250 + 1, 251 + step * 7 % 250),
                )

    writer = threading.Thread(target=move)
    writer.start()
    try:
        with ranged(fresh_database) as source:
            for _ in range(10):
                plan = source.begin("k", 4)
                found = parts(source, plan, "cents")
                assert sum(cents for part in found for cents in part) == 50_000
    finally:
        done.set()
        writer.join()


def test_no_change_of_the_table_comes_between_two_ranges(fresh_database: str) -> None:
    """A rewritten or emptied table would look empty to the older snapshot, without an error."""
    run(fresh_database, "create table t as select g as k from generate_series(1, 100) g")

    with ranged(fresh_database) as source:
        plan = source.begin("k", 2)
        for change in ("alter table t alter k type bigint", "truncate t"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                run(fresh_database, "set lock_timeout = '100ms'", change)
        found = parts(source, plan, "k")

    assert sorted(row for part in found for row in part) == list(range(1, 101))
    run(fresh_database, "truncate t")


def test_a_snapshot_that_ended_is_neither_resumed_nor_confirmed(fresh_database: str) -> None:
    run(fresh_database, "create table t as select g as k from generate_series(1, 100) g")

    with ranged(fresh_database) as source:
        plan = source.begin("k", 2)
        with ranged(fresh_database) as other:
            assert other.resume(plan) is not None
        run(
            fresh_database,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        with pytest.raises(SourceChanged) as caught:
            source.confirm()
        assert caught.value.retryable
        with pytest.raises(SourceChanged, match="snapshot has ended"):
            parts(source, plan, "k")
    with ranged(fresh_database) as source:
        assert source.resume(plan) is None


def test_another_snapshot_of_the_same_name_is_not_taken_for_it(fresh_database: str) -> None:
    """Names come again after a restart of the server."""
    run(fresh_database, "create table t as select g as k from generate_series(1, 100) g")

    with ranged(fresh_database) as source:
        plan = source.begin("k", 2)
        with ranged(fresh_database) as other:
            stale = RangePlan(plan.snapshot, "1:1:", plan.server, plan.key, plan.ranges)
            assert other.resume(stale) is None
            stale = RangePlan(plan.snapshot, plan.moment, "yesterday", plan.key, plan.ranges)
            assert other.resume(stale) is None


def test_a_key_without_an_order_is_named(fresh_database: str) -> None:
    run(fresh_database, "create table t (k point)", "insert into t values ('(1,2)')")

    with ranged(fresh_database) as source, pytest.raises(SourceMisdescribed, match="order"):
        source.begin("k", 2)


def test_the_conditions_leave_no_gap() -> None:
    assert Range(None, None).condition("k") == ""
    assert Range(None, "m").condition('a"b') == '("a""b" < \'m\' OR "a""b" IS NULL)'
    assert Range("a'", "m").condition("k") == "\"k\" >= 'a''' AND \"k\" < 'm'"
    assert Range("m", None).condition("k") == "\"k\" >= 'm'"
    assert Range(None, "(7,0)").condition(PLACE) == "\"ctid\" < '(7,0)'"
