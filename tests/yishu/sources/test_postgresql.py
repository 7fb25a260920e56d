"""PostgreSQL: least privilege, reading only, exact types, and each fault by its name."""

import secrets
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    MAX_BATCH_ROWS,
    Connection,
    SourceColumn,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
    open_source,
)
from yishu.sources.postgresql import PostgresqlSource


def spec(table: str) -> SourceSpec:
    return SourceSpec(connection="market", kind=SystemKind.POSTGRESQL, table=table)


def connection(url: str) -> Connection:
    return Connection("market", SystemKind.POSTGRESQL, url)


def read(url: str, table: str, *columns: str) -> pa.Table:
    with open_source(spec(table), connection(url)) as source:
        return pa.Table.from_batches(list(source.read(columns)))


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)


@pytest.fixture
def reader(fresh_database: str) -> Iterator[tuple[str, str]]:
    """URL and name of a role that may do nothing but what a test grants it."""
    role, password = f"r{secrets.token_hex(6)}", f"{secrets.token_urlsafe(12)} /@:%密"
    account = urlsplit(fresh_database)
    run(
        fresh_database,
        f"create role {role} login password '{password}'",
        f"grant connect on database {account.path[1:]} to {role}",
    )
    host = account.netloc.rpartition("@")[2]
    escaped = quote(password, safe=" ")
    yield urlunsplit(account._replace(netloc=f"{role}:{escaped}@{host}")), role
    run(fresh_database, f"drop owned by {role}", f"drop role {role}")


@pytest.mark.requirement("COL-01")
def test_reads_without_any_privilege_on_the_columns_outside_the_catalog(
    fresh_database: str, reader: tuple[str, str]
) -> None:
    url, role = reader
    run(
        fresh_database,
        "create table person (id int, listed text, diagnosis text)",
        "insert into person values (1, 'a', 'secret')",
        f"grant select (id, listed) on person to {role}",
    )

    assert read(url, "person", "listed", "id").to_pydict() == {"listed": ["a"], "id": [1]}

    with open_source(spec("person"), connection(url)) as source:
        assert SourceColumn("diagnosis", "text") in source.columns()
        with pytest.raises(SourceRefused, match="42501"):
            list(source.read(["id", "diagnosis"]))


def test_cannot_write_even_when_the_view_it_reads_would(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table touched (at timestamp)",
        "create function touch() returns int language sql volatile as "
        "'insert into touched values (now()) returning 1'",
        "create view sly as select touch() as n",
    )

    with pytest.raises(SourceRefused, match="would write"):
        read(fresh_database, "sly", "n")

    assert read(fresh_database, "touched", "at").num_rows == 0


def test_empty_table_yields_its_schema(fresh_database: str) -> None:
    run(fresh_database, "create table nobody (n numeric(20,4), d date, t timestamptz, b boolean)")

    table = read(fresh_database, "nobody", "b", "n", "d", "t")

    assert table.num_rows == 0
    assert table.schema.types == [
        pa.bool_(),
        pa.decimal128(20, 4),
        pa.date32(),
        pa.timestamp("us", "UTC"),
    ]


def test_types_without_an_exact_arrow_type_arrive_as_text(fresh_database: str) -> None:
    run(
        fresh_database,
        "create type mood as enum ('好', '差')",
        "create domain amount as numeric(10,2)",
        "create table odd (free numeric, wide numeric(50,10), cash money, doc jsonb, "
        "tags text[], feeling mood, worth amount, place inet)",
        "insert into odd values (1e-10, 12345678901234567890123456789012345678.5, 1234.5, "
        """'{"a": 1}', '{甲,乙}', '好', 1.5, '10.0.0.1')""",
    )
    names = ["free", "wide", "cash", "doc", "tags", "feeling", "worth", "place"]

    assert read(fresh_database, "odd", *names).to_pylist() == [
        {
            "free": "0.0000000001",
            "wide": "12345678901234567890123456789012345678.5000000000",
            "cash": "1234.50",
            "doc": '{"a": 1}',
            "tags": "{甲,乙}",
            "feeling": "好",
            "worth": Decimal("1.50"),
            "place": "10.0.0.1/32",
        }
    ]


def test_infinity_is_no_end(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table term (d date, t timestamp, z timestamptz)",
        "insert into term values ('infinity', 'infinity', 'infinity'), (null, null, null), "
        "('2020-02-29', '2020-02-29 10:00', '2020-02-29 10:00+08')",
    )

    table = read(fresh_database, "term", "d", "t", "z")

    assert table["d"].to_pylist() == [date(9999, 12, 31), None, date(2020, 2, 29)]
    moments = table["t"].to_pylist()
    assert moments == [datetime(9999, 12, 31), None, datetime(2020, 2, 29, 10)]  # noqa: DTZ001
    zoned = [moment and moment.isoformat() for moment in table["z"].to_pylist()]
    assert zoned == ["9999-12-31T00:00:00+00:00", None, "2020-02-29T02:00:00+00:00"]


@pytest.mark.parametrize(("kind", "value"), [("numeric(9,2)", "NaN"), ("date", "-infinity")])
def test_a_value_without_an_exact_form_names_its_column(
    fresh_database: str, kind: str, value: str
) -> None:
    run(fresh_database, f"create table t (v {kind})", f"insert into t values ('{value}')")

    with pytest.raises(SourceUnreadable, match="column v"):
        read(fresh_database, "t", "v")


def test_batches_are_bounded_and_none_is_lost(fresh_database: str) -> None:
    run(fresh_database, "create table many as select g::bigint from generate_series(1, 150000) g")

    with open_source(spec("many"), connection(fresh_database)) as source:
        batches = list(source.read(["g"]))

    assert max(batch.num_rows for batch in batches) <= MAX_BATCH_ROWS
    assert pa.Table.from_batches(batches)["g"].to_pylist() == list(range(1, 150_001))


def test_names_with_quotes_and_other_encodings_of_the_server_are_read(fresh_database: str) -> None:
    run(
        fresh_database,
        'create schema "区 县"',
        'create table "区 县"."表""名" ("列;--" text)',
        """insert into "区 县"."表""名" values ('值')""",
    )

    assert read(fresh_database, '区 县.表"名', "列;--").to_pydict() == {"列;--": ["值"]}


def test_a_server_in_a_national_encoding_arrives_as_utf8(fresh_database: str) -> None:
    run(fresh_database, "create database euc encoding 'EUC_CN' locale 'C' template template0")
    info = psycopg.conninfo.conninfo_to_dict(fresh_database)
    url = fresh_database.replace(f"/{info['dbname']}", "/euc", 1)
    try:
        run(url, "set client_encoding to 'UTF8'", "create table t (v text)")
        with psycopg.connect(url, autocommit=True, client_encoding="utf8") as server:
            server.execute("insert into t values ('无锡')")

        assert read(url, "t", "v").to_pydict() == {"v": ["无锡"]}
    finally:
        run(fresh_database, "drop database euc")


@pytest.mark.parametrize("table", ["gone", "public.gone", "nowhere.gone"])
def test_a_missing_table_is_named(fresh_database: str, table: str) -> None:
    with pytest.raises(SourceTableMissing, match=table) as caught:
        read(fresh_database, table, "a")

    assert not caught.value.retryable


def test_nobody_listening_is_retryable_and_shows_no_password() -> None:
    with pytest.raises(SourceUnreachable) as caught:
        read("postgresql://clerk:Secret-99@127.0.0.1:1/market", "t", "a")

    assert caught.value.retryable
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "Secret-99" not in repr(caught.value)
    assert "clerk" not in str(caught.value)


def test_a_url_that_libpq_cannot_read_is_not_retried() -> None:
    with pytest.raises(SourceMisdescribed) as caught:
        read("postgresql://clerk:Secret-99@127.0.0.1:5432/market?bogus=1", "t", "a")

    assert "Secret-99" not in repr(caught.value)


def test_a_missing_database_is_not_retried(fresh_database: str) -> None:
    info = psycopg.conninfo.conninfo_to_dict(fresh_database)

    with pytest.raises(SourceRefused, match="no such database"):
        read(fresh_database.replace(f"/{info['dbname']}", "/gone", 1), "t", "a")


def test_a_slow_table_runs_into_the_time_limit(fresh_database: str) -> None:
    run(fresh_database, "create view slow as select pg_sleep(30)::text as a")
    source = PostgresqlSource(
        spec("slow"), connection(fresh_database), statement_timeout=timedelta(milliseconds=300)
    )

    with source, pytest.raises(SourceUnreachable, match="statement timeout") as caught:
        list(source.read(["a"]))

    assert caught.value.retryable


def test_a_connection_that_breaks_midway_is_retryable(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table big as select repeat('x', 500) as t from generate_series(1, 200000)",
    )

    with open_source(spec("big"), connection(fresh_database)) as source:
        batches = source.read(["t"])
        next(batches)
        run(
            fresh_database,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        with pytest.raises(SourceUnreachable):
            list(batches)


def test_leaving_midway_frees_the_connection(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table big as select repeat('x', 500) as t from generate_series(1, 200000)",
    )

    with open_source(spec("big"), connection(fresh_database)) as source:
        next(source.read(["t"]))

    deadline = time.monotonic() + 10
    with psycopg.connect(fresh_database, autocommit=True) as server:
        # A busy server needs a moment to see that nobody listens any more.
        while _active(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _active(server) == 0


def _active(server: psycopg.Connection[Any]) -> int:
    found = server.execute(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid() and state = 'active'"
    ).fetchone()
    assert found is not None
    return int(found[0])
