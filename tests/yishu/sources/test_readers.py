"""Nothing that reads for a pull can write: not the account by itself, not the session by itself.

The account is tried with an ordinary client that asks for no restraint; the session with an account
that owns the tables.
"""

import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_manager
import psycopg
import pymysql
import pytest
import sqlalchemy as sa

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection
from yishu.sources.mysql import MysqlSource
from yishu.sources.postgresql import PostgresqlSource
from yishu.sources.sql import SqlSource
from yishu.sources.sqlite import SqliteSource

ATTEMPTS = {
    "insert": "insert into reg values (2, 'x')",
    "update": "update reg set name = 'x'",
    "delete": "delete from reg",
    "truncate": "truncate table reg",
    "create": "create table mine (a int)",
    "alter": "alter table reg add column more int",
    "drop": "drop table reg",
}
SQLITE = {name: text for name, text in ATTEMPTS.items() if name != "truncate"}
REFUSED = (
    adbc_driver_manager.Error,
    psycopg.Error,
    pymysql.Error,
    sqlite3.Error,
    sa.exc.DBAPIError,
)


@dataclass(frozen=True)
class Database:
    """A table ``reg`` of one row, as a department has it.

    Attributes:
        attempt: Executes a statement as the reader, with an ordinary client.
        in_session: Executes a statement as the owner, in a session as a pull opens it.
        rows: What the table holds, as its owner sees it.
    """

    attempt: Callable[[str], object]
    in_session: Callable[[str], object]
    rows: Callable[[], list[Any]]


@pytest.fixture
def postgresql(fresh_database: str) -> Database:
    role, word = f"r{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute("create table reg (id int, name text)")
        owner.execute("insert into reg values (1, '甲')")
        owner.execute(f"create role {role} login password '{word}'")
        owner.execute(f"grant select on reg to {role}")
    reader = sa.make_url(fresh_database).set(username=role, password=word)

    def attempt(statement: str) -> None:
        with psycopg.connect(reader.render_as_string(hide_password=False)) as client:
            client.execute(statement)

    def in_session(statement: str) -> None:
        spec = SourceSpec(connection="d", kind=SystemKind.POSTGRESQL, table="reg")
        with PostgresqlSource(spec, Connection("d", spec.kind, fresh_database)) as source:
            source._open().execute(statement)

    def rows() -> list[Any]:
        with psycopg.connect(fresh_database) as owner:
            return owner.execute("select * from reg").fetchall()

    return Database(attempt, in_session, rows)


@pytest.fixture
def generic(fresh_database: str, postgresql: Database) -> Database:
    """The same server through SQLAlchemy, as the relatives of PostgreSQL are read."""
    url = fresh_database.replace("postgresql://", "postgresql+psycopg://", 1)

    def in_session(statement: str) -> None:
        spec = SourceSpec(connection="d", kind=SystemKind.SQL, table="reg")
        with SqlSource(spec, Connection("d", spec.kind, url)) as source:
            source._open().exec_driver_sql(statement)

    return Database(postgresql.attempt, in_session, postgresql.rows)


@pytest.fixture
def mariadb_table(mariadb: Any) -> Database:
    name = f"w{secrets.token_hex(5)}"
    reader = sa.make_url(mariadb.fresh(name))
    mariadb.run(
        "create table reg (id int, name text)", "insert into reg values (1, '甲')", database=name
    )
    owner, word = f"o{secrets.token_hex(4)}", secrets.token_hex(8)
    mariadb.run(
        f"create user `{owner}`@`127.0.0.1` identified by '{word}'",
        f"grant all on `{name}`.* to `{owner}`@`127.0.0.1`",
    )

    def attempt(statement: str) -> None:
        with (
            pymysql.connect(
                host="127.0.0.1", port=reader.port or 0, user=reader.username,
                password=reader.password or "", database=name, autocommit=True,
            ) as client,
            client.cursor() as cursor,
        ):  # fmt: skip
            cursor.execute(statement)

    def in_session(statement: str) -> None:
        spec = SourceSpec(connection="d", kind=SystemKind.SQL, table="reg")
        url = f"mysql://{owner}:{word}@127.0.0.1:{reader.port}/{name}"
        source = MysqlSource(spec, Connection("d", spec.kind, url))
        with source, source._open().cursor() as cursor:
            cursor.execute(statement)

    return Database(
        attempt, in_session, lambda: list(mariadb.run("select * from reg", database=name))
    )


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """A file has no accounts: there the session alone stands between a pull and the rows."""
    path = tmp_path / "d.db"
    with sqlite3.connect(path) as owner:
        owner.execute("create table reg (id int, name text)")
        owner.execute("insert into reg values (1, '甲')")

    def in_session(statement: str) -> None:
        spec = SourceSpec(connection="d", kind=SystemKind.SQL, table="reg")
        with SqliteSource(spec, Connection("d", spec.kind, f"sqlite:///{path}")) as source:
            with pytest.raises(adbc_driver_manager.Error):
                list(source._fetched(statement))
            source._leave()
            source._open().exec_driver_sql(statement)

    def rows() -> list[Any]:
        with sqlite3.connect(path) as owner:
            return owner.execute("select * from reg").fetchall()

    return Database(in_session, in_session, rows)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb_table"])
def test_a_readers_account_cannot_write_whatever_its_client_asks(
    request: pytest.FixtureRequest, kind: str
) -> None:
    database: Database = request.getfixturevalue(kind)

    for name, statement in ATTEMPTS.items():
        with pytest.raises(REFUSED):
            database.attempt(statement)
        assert database.rows() == [(1, "甲")], name


@pytest.mark.parametrize("kind", ["postgresql", "generic", "mariadb_table", "sqlite"])
def test_a_pulls_session_cannot_write_whatever_its_account_may(
    request: pytest.FixtureRequest, kind: str
) -> None:
    database: Database = request.getfixturevalue(kind)

    for name, statement in (SQLITE if kind == "sqlite" else ATTEMPTS).items():
        with pytest.raises(REFUSED):
            database.in_session(statement)
        assert database.rows() == [(1, "甲")], name


def test_the_role_that_reads_the_example_city_can_write_nowhere(city: Any) -> None:
    """With an ordinary client, on every database of the city that this role reads."""
    urls = [url for url in city.urls.values() if url.startswith("postgresql")]
    for url in urls:
        with psycopg.connect(url, autocommit=True) as reader:
            tables = reader.execute(
                "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            statements = [f"delete from {table}" for (table,) in tables]
            for statement in [*statements, "create table mine (a int)", "create schema mine"]:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(statement)
        assert tables
    assert urls
