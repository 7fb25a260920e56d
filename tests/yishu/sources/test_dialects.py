"""Dialects of systems that no test can run here: what they are told, and what is missing."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, oracle

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, SourceMisdescribed, open_source
from yishu.sources.dialects import READ_ONLY_SESSION, READ_ONLY_TRANSACTION, only_read


@pytest.mark.parametrize(
    ("url", "packages"),
    [
        ("oracle+oracledb://clerk:Secret-99@host:1521/?service_name=x", "oracledb"),
        ("mssql+pyodbc://clerk:Secret-99@host/db?driver=x", "pyodbc"),
        ("dm+dmPython://clerk:Secret-99@host:5236/", "dmPython"),
        ("kingbase+ksycopg2://clerk:Secret-99@host:54321/db", "ksycopg2"),
        ("opengauss+psycopg2://clerk:Secret-99@host:5432/db", "opengauss-sqlalchemy"),
        ("elsewhere://clerk:Secret-99@host/db", "the dialect's Python driver"),
    ],
)
def test_a_missing_driver_is_named_with_what_to_install(url: str, packages: str) -> None:
    spec = SourceSpec(connection="works", kind=SystemKind.SQL, table="reg.rows")

    with (
        open_source(spec, Connection("works", spec.kind, url)) as source,
        pytest.raises(SourceMisdescribed) as caught,
    ):
        source.columns()

    assert packages in caught.value.remedy
    assert "Secret-99" not in repr(caught.value)


@pytest.mark.parametrize("dialect", [oracle.dialect(), mssql.dialect()])
def test_chinese_names_are_quoted_for_the_dialects_that_ship_with_sqlalchemy(dialect: Any) -> None:
    names = [sa.quoted_name(name, quote=True) for name in ("列 名", "登记", "表")]
    query = sa.select(sa.column(names[0])).select_from(sa.table(names[2], schema=names[1]))

    sql = " ".join(str(query.compile(dialect=dialect)).split())

    assert sql in ('SELECT "列 名" FROM "登记"."表"', "SELECT [列 名] FROM [登记].[表]")


def test_a_session_statement_is_said_once_and_a_transaction_statement_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Shown on SQLite, in whose words both can be said."""
    monkeypatch.setitem(READ_ONLY_SESSION, "sqlite", "create table if not exists said (n int)")
    monkeypatch.setitem(READ_ONLY_TRANSACTION, "sqlite", "insert into said values (1)")
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    only_read(engine)

    for expected in (1, 2):
        with engine.begin() as connection:
            assert connection.scalar(sa.text("select count(*) from said")) == expected
    engine.dispose()
