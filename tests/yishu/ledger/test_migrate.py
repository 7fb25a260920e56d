"""Migrations build exactly the tables of the models, and running them again is safe."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from yishu.ledger import migrate
from yishu.ledger.models import SCHEMA, Base
from yishu.ledger.statements import SQL_FOLDER, views

CONSTRAINTS = text("""
    select conname, contype, pg_get_constraintdef(oid)
    from pg_constraint
    where
        connamespace = 'ledger'::regnamespace
        and conrelid <> coalesce(to_regclass('ledger.alembic_version'), 0)
    order by 1, 3
""")


def _only_ours(name, kind, parents):
    return name == SCHEMA if kind == "schema" else True


def _differences(engine):
    options = {
        "include_schemas": True,
        "include_name": _only_ours,
        "version_table_schema": SCHEMA,
        "compare_server_default": True,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, Base.metadata)


def test_models_and_migrations_agree(engine):
    assert _differences(engine) == []


def test_the_comparison_would_see_a_difference(engine):
    with engine.begin() as connection:
        connection.execute(text("alter table ledger.verdict add column note text"))
    assert "note" in str(_differences(engine))


def test_constraints_of_models_and_migrations_agree(engine, postgres_server):
    """Alembic does not compare checks and names, so the database is asked for both."""
    made = create_engine(postgres_server.ensure_database("made_from_models"))
    with made.begin() as connection:
        connection.execute(text("drop schema if exists ledger cascade"))
        connection.execute(text("create schema ledger"))
        Base.metadata.create_all(connection)
    with made.connect() as by_models, engine.connect() as by_migrations:
        expected = by_models.execute(CONSTRAINTS).all()
        assert by_migrations.execute(CONSTRAINTS).all() == expected
        assert len(expected) > len(Base.metadata.tables)
    made.dispose()


def test_upgrading_twice_keeps_the_facts(engine, fresh_ledger):
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into ledger.run (run_id, object_id, kind, state, release_id, started_at) "
                "values ('r1', 'taxation.taxpayer', 'entry', 'running', 'x', now())"
            )
        )
    migrate.upgrade(fresh_ledger)
    with engine.connect() as connection:
        assert connection.execute(text("select run_id from ledger.entry_latest")).all() == [("r1",)]


def test_processes_that_upgrade_together_take_turns(fresh_database):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate.upgrade, [fresh_database] * 3))
    engine = create_engine(fresh_database)
    assert _differences(engine) == []
    engine.dispose()


def test_an_upgrade_that_fails_leaves_everything_as_it_was(fresh_ledger, engine, monkeypatch):
    broken = [*views(), ("zz_broken", "create view ledger.zz_broken as select nowhere")]
    monkeypatch.setattr(migrate, "views", lambda: broken)
    with pytest.raises(Exception, match="nowhere"):
        migrate.upgrade(fresh_ledger)
    assert set(inspect(engine).get_view_names(SCHEMA)) == {name for name, _ in views()}


def test_the_tables_can_be_taken_back(engine):
    config = Config()
    config.set_main_option("script_location", str(SQL_FOLDER / "migrations"))
    with engine.begin() as connection:
        for name, _ in views():
            connection.execute(text(f"drop view ledger.{name}"))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(engine).get_table_names(SCHEMA) == ["alembic_version"]


def test_our_tables_stay_out_of_the_way_of_other_tables(engine):
    """Airflow keeps its own `alembic_version`; the same database may hold both."""
    assert inspect(engine).get_table_names("public") == []
