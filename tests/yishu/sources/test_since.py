"""A filtered read leaves out only what is surely too old, in each kind of database."""

import contextlib
import sqlite3
from datetime import UTC, date, datetime

import psycopg
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, FilteringSource, Since, SourceColumnMissing, open_source

NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)
"""Noon in Beijing."""

STAMPS = {
    "before": "2026-05-01 11:59:59",
    "before, with a fraction": "2026-05-01 11:59:59.999999",
    "at": "2026-05-01 12:00:00",
    "after": "2026-05-01 12:00:01.5",
    "none": None,
}
WANTED = {"at", "after", "none"}


def names(source, since):
    with source:
        assert isinstance(source, FilteringSource)
        batches = list(source.read_since(["name"], since))
        return {row["name"] for batch in batches for row in batch.to_pylist()}


def sqlite_source(path, rows, kind="TEXT"):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"create table rows (name TEXT, stamp {kind})")
        database.executemany("insert into rows values (?, ?)", rows.items())
        database.commit()
    spec = SourceSpec(connection="civil", kind=SystemKind.SQL, table="rows")
    return open_source(spec, Connection("civil", spec.kind, f"sqlite:///{path}"))


def postgresql_source(url, rows, kind, system):
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"create table rows (name text, stamp {kind})")
        for row in rows.items():
            server.execute("insert into rows values (%s, %s)", row)
    spec = SourceSpec(connection="market", kind=system, table="rows")
    if system is SystemKind.SQL:
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return open_source(spec, Connection("market", spec.kind, url))


@pytest.mark.parametrize("system", [SystemKind.POSTGRESQL, SystemKind.SQL])
@pytest.mark.parametrize("kind", ["timestamp", "timestamp(3)", "timestamptz"])
def test_moments_of_postgresql_are_compared_in_beijing_time(fresh_database, system, kind):
    rows = STAMPS if kind == "timestamp" else {k: v for k, v in STAMPS.items() if "frac" not in k}
    if kind == "timestamptz":
        rows = {name: stamp and f"{stamp}+08" for name, stamp in rows.items()}
    source = postgresql_source(fresh_database, rows, kind, system)
    assert names(source, Since("stamp", NOON)) == WANTED


@pytest.mark.parametrize("system", [SystemKind.POSTGRESQL, SystemKind.SQL])
def test_days_and_numbers_of_postgresql(fresh_database, system):
    days = {"before": "2026-04-30", "at": "2026-05-01", "none": None}
    source = postgresql_source(fresh_database, days, "date", system)
    assert names(source, Since("stamp", date(2026, 5, 1))) == {"at", "none"}
    with psycopg.connect(fresh_database, autocommit=True) as server:
        server.execute("drop table rows")
    numbers = {"before": 6, "at": 7, "none": None}
    source = postgresql_source(fresh_database, numbers, "bigint", system)
    assert names(source, Since("stamp", 7)) == {"at", "none"}


@pytest.mark.parametrize("system", [SystemKind.POSTGRESQL, SystemKind.SQL])
def test_text_is_not_compared_so_all_rows_come(fresh_database, system):
    source = postgresql_source(fresh_database, STAMPS, "text", system)
    assert names(source, Since("stamp", NOON)) == STAMPS.keys()


def test_sqlite_leaves_out_only_standard_spellings(tmp_path):
    odd = {
        "another spelling": "2026/4/1 08:00",
        "with a zone": "2026-05-01 03:00:00+00:00",
        "ISO with T": "2026-01-01T00:00:00",
        "a number": 20260101,
        "no time": "去年",
    }
    days = {"day before": "2026-04-30", "same day": "2026-05-01"}
    source = sqlite_source(tmp_path / "a.db", STAMPS | odd | days)
    found = names(source, Since("stamp", NOON))
    # A day is its midnight, which lies before noon.
    assert found - {"same day"} == WANTED | odd.keys()


def test_sqlite_numbers(tmp_path):
    rows = {"before": 6, "at": 7, "text": "6", "none": None}
    source = sqlite_source(tmp_path / "a.db", rows, "")
    assert names(source, Since("stamp", 7)) == {"at", "text", "none"}


def test_a_stamp_that_is_not_there_is_told(tmp_path):
    with sqlite_source(tmp_path / "a.db", STAMPS) as source, pytest.raises(SourceColumnMissing):
        source.read_since(["name"], Since("updated_at", NOON))
