"""The generic kind: SQLite files and any dialect that enforces its types."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    MAX_BATCH_ROWS,
    Connection,
    SourceFileMissing,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
    open_source,
)


def read(url: str, table: str, *columns: str) -> pa.Table:
    spec = SourceSpec(connection="civil", kind=SystemKind.SQL, table=table)
    with open_source(spec, Connection("civil", SystemKind.SQL, url)) as source:
        return pa.Table.from_batches(list(source.read(columns)))


def made(path: Path, *statements: str) -> str:
    """URL of a SQLite file that these statements made."""
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return f"sqlite:///{path}"


def test_sqlite_values_of_any_type_in_any_column_are_exact_text(tmp_path: Path) -> None:
    url = made(
        tmp_path / "a.db",
        "create table t (n integer, d date, x)",
        "insert into t values ('unknown', '9999-9-9', 12345678901234.56)",
        "insert into t values (9223372036854775807, 20200102, 1e20)",
        "insert into t values (null, '', 0.1)",
    )

    assert read(url, "t", "n", "d", "x").to_pydict() == {
        "n": ["unknown", "9223372036854775807", None],
        "d": ["9999-9-9", "20200102", ""],
        "x": ["12345678901234.56", "100000000000000000000", "0.1"],
    }


def test_empty_sqlite_table_yields_its_schema(tmp_path: Path) -> None:
    table = read(made(tmp_path / "a.db", "create table t (a int, b text)"), "t", "b", "a")

    assert table.num_rows == 0
    assert table.schema == pa.schema([("b", pa.string()), ("a", pa.string())])


def test_sqlite_rows_come_in_bounded_batches_in_order(tmp_path: Path) -> None:
    url = made(
        tmp_path / "a.db",
        "create table t (a int)",
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 70000) "
        "insert into t select i from n",
    )
    spec = SourceSpec(connection="civil", kind=SystemKind.SQL, table="t")
    with open_source(spec, Connection("civil", SystemKind.SQL, url)) as source:
        batches = list(source.read(["a"]))

    assert all(0 < batch.num_rows <= MAX_BATCH_ROWS for batch in batches)
    assert pa.Table.from_batches(batches)["a"].to_pylist() == [str(n) for n in range(1, 70_001)]


def test_a_missing_sqlite_file_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing):
        read(f"sqlite:///{tmp_path}/gone.db", "t", "a")

    assert not (tmp_path / "gone.db").exists()


def test_a_missing_folder_may_be_a_share_that_comes_back(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable) as caught:
        read(f"sqlite:///{tmp_path}/share/gone.db", "t", "a")

    assert caught.value.retryable


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceTableMissing, match="gone"):
        read(made(tmp_path / "a.db", "create table t (a int)"), "gone", "a")


def test_a_file_that_is_no_database_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database" * 1000)

    with pytest.raises(SourceUnreadable):
        read(f"sqlite:///{tmp_path}/a.db", "t", "a")


def test_text_that_is_not_utf8_is_unreadable_and_not_shown(tmp_path: Path) -> None:
    url = made(
        tmp_path / "a.db",
        "create table t (a text)",
        "insert into t values (cast(x'd5c5c8fd' as text))",
    )

    with pytest.raises(SourceUnreadable) as caught:
        read(url, "t", "a")

    assert caught.value.__suppress_context__


def test_a_blob_names_its_column_and_rows(tmp_path: Path) -> None:
    url = made(tmp_path / "a.db", "create table t (a)", "insert into t values (x'00ff')")

    with pytest.raises(SourceUnreadable, match=r"column a: .*rows 0 to 0"):
        read(url, "t", "a")


def test_an_unknown_dialect_is_misdescribed() -> None:
    with pytest.raises(SourceMisdescribed) as caught:
        read("kingbase://clerk:Secret-99@host/db", "t", "a")

    assert "Secret-99" not in repr(caught.value)


def test_an_enforcing_dialect_delivers_arrow_types(fresh_database: str) -> None:
    url = fresh_database.replace("postgresql://", "postgresql+psycopg://", 1)
    with psycopg.connect(fresh_database, autocommit=True) as server:
        server.execute(
            "create table t (b boolean, f double precision, n numeric(9,3), free numeric, d date, "
            "m timestamp, z timestamptz, j jsonb)"
        )
        server.execute(
            "insert into t values (true, 0.1, 1.5, 1e-7, '2020-01-02', '2020-01-02 03:04', "
            """'2020-01-02 03:04+08', '{"a": 1}')"""
        )

    table = read(url, "t", "b", "f", "n", "free", "d", "m", "z", "j")

    assert table.to_pylist() == [
        {
            "b": True,
            "f": 0.1,
            "n": Decimal("1.500"),
            "free": "0.0000001",
            "d": date(2020, 1, 2),
            "m": datetime(2020, 1, 2, 3, 4),  # noqa: DTZ001
            "z": datetime(2020, 1, 1, 19, 4, tzinfo=UTC),
            "j": '{"a": 1}',
        }
    ]


def test_the_session_cannot_write(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as server:
        server.execute("create table touched (n int)")
        server.execute(
            "create function touch() returns int language sql volatile as "
            "'insert into touched values (1) returning 1'"
        )
        server.execute("create view sly as select touch() as n")
    url = fresh_database.replace("postgresql://", "postgresql+psycopg://", 1)

    with pytest.raises(SourceRefused, match="would write"):
        read(url, "sly", "n")
    assert read(url, "touched", "n").num_rows == 0


def test_nobody_listening_is_retryable_and_shows_no_password() -> None:
    with pytest.raises(SourceUnreachable) as caught:
        read("postgresql+psycopg://clerk:Secret-99@127.0.0.1:1/market", "t", "a")

    assert caught.value.retryable
    assert caught.value.__suppress_context__
    assert "Secret-99" not in repr(caught.value)
