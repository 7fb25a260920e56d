"""Probes of real systems: what answers, what may be read, what is behind."""

import os
import secrets
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import uvicorn
from fastapi import FastAPI

from catalog.model import CatalogEntry, SourceSpec
from catalog.vocabulary import SystemKind
from yishu.inventory.probe import probe
from yishu.sources.protocol import Connection

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
SECRET = "p4ssw0rd-not-to-be-seen"


class Entries:
    """A catalog whose entries name these places."""

    def __init__(self, *specs):
        self.entries = {str(i): _entry(spec) for i, spec in enumerate(specs)}


def _entry(spec):
    return CatalogEntry.model_construct(source=spec)


NOTHING = Entries()


@pytest.fixture
def database(fresh_database):
    """A database with a table and a view; connections of its owner and of a reader."""
    name = f"reader_{secrets.token_hex(4)}"
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute("create schema registry")
        owner.execute("create table registry.firms as select generate_series(1, 7) as id")
        owner.execute("analyze registry.firms")
        owner.execute("create table registry.hidden (id int)")
        owner.execute("create view registry.names as select id from registry.firms")
        owner.execute(f"create role {name} login password '{SECRET}'")
        owner.execute("revoke create on schema public from public")
        base = fresh_database.rpartition("/")[2]
        owner.execute(f"grant connect on database {base} to {name}")
        owner.execute(f"grant usage on schema registry to {name}")
        owner.execute(f"grant select on registry.firms, registry.names to {name}")
    reader = fresh_database.replace("//yishu:", f"//{name}:", 1)
    head, _, tail = reader.partition(f"//{name}:")
    reader = f"{head}//{name}:{SECRET}@{tail.partition('@')[2]}"
    yield fresh_database, reader
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute(f"drop owned by {name}")
        owner.execute(f"drop role {name}")


def postgresql(url):
    return Connection("market", SystemKind.POSTGRESQL, url)


class TestPostgresql:
    def test_a_reader_sees_what_it_may_read_and_can_only_read(self, database):
        spec = SourceSpec(connection="market", kind="postgresql", table="registry.firms")

        found = probe(postgresql(database[1]), Entries(spec), NOW)

        assert found.is_reachable
        assert found.version.startswith("PostgreSQL 1")
        assert found.is_read_only is True
        rows = {place.name: place.rows for place in found.places}
        assert rows["registry.firms"] == 7
        assert set(rows) == {"registry.firms", "registry.names"}
        assert found.lag is None

    def test_an_account_that_could_write_is_told_apart(self, database):
        """The probe itself sets its session read-only; what counts is what the account may do."""
        owner, reader = database
        with psycopg.connect(owner, autocommit=True) as session:
            session.execute(
                "grant insert on registry.firms to " + reader.split("//")[1].partition(":")[0]
            )

        assert probe(postgresql(reader), NOTHING, NOW).is_read_only is False
        assert probe(postgresql(owner), NOTHING, NOW).is_read_only is False

    def test_a_place_that_an_entry_names_and_is_gone_says_so(self, database):
        spec = SourceSpec(connection="market", kind="postgresql", table="registry.gone")

        found = probe(postgresql(database[1]), Entries(spec), NOW)

        troubles = {place.name: place.trouble for place in found.places}
        assert "SRC_TABLE_MISSING" in troubles["registry.gone"]
        assert troubles["registry.firms"] is None

    def test_a_wrong_password_is_no_secret_told(self, database):
        found = probe(postgresql(database[1].replace(SECRET, "wrong-one")), NOTHING, NOW)

        assert not found.is_reachable
        assert "wrong-one" not in repr(found)
        assert SECRET not in repr(found)

    def test_nobody_listening_is_an_answer_too(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            url = f"postgresql://u:{SECRET}@127.0.0.1:{port}/x"
            found = probe(postgresql(url), NOTHING, NOW)

        assert (found.is_reachable, found.is_read_only, found.places) == (False, None, ())
        assert found.trouble


class TestOtherKinds:
    def test_sqlite_lists_tables_and_makes_no_file(self, tmp_path):
        path = tmp_path / "民政.db"
        missing = Connection("civil", SystemKind.SQL, f"sqlite:///{path}")
        assert not probe(missing, NOTHING, NOW).is_reachable
        assert not path.exists()
        with sqlite3.connect(path) as made:
            made.execute("create table shzz (id int)")

        found = probe(missing, NOTHING, NOW)

        assert [place.name for place in found.places] == ["shzz"]
        assert found.version.startswith("sqlite 3")
        assert found.is_read_only is True

    def test_a_drop_folder_is_as_old_as_its_newest_file(self, tmp_path):
        for name, hours in (("a_1.csv", 50), ("a_2.csv", 5)):
            path = tmp_path / name
            path.write_text("甲\n1\n", "utf-8")
            at = (NOW - timedelta(hours=hours)).timestamp()
            os.utime(path, (at, at))
        spec = SourceSpec(connection="drop", kind="csv", path="a_*.csv", encoding="utf-8")

        found = probe(Connection("drop", SystemKind.CSV, str(tmp_path)), Entries(spec), NOW)

        assert found.is_reachable
        assert found.lag == timedelta(hours=5)
        names = {place.name: place.trouble for place in found.places}
        assert names == {"a_1.csv": None, "a_2.csv": None, "a_*.csv": None}

    def test_a_folder_that_is_not_there_is_not_reachable(self, tmp_path):
        found = probe(Connection("drop", SystemKind.CSV, str(tmp_path / "gone")), NOTHING, NOW)

        assert not found.is_reachable

    def test_a_service_is_tried_at_the_endpoints_of_its_entries(self):
        app = FastAPI()

        @app.get("/rows")
        def rows() -> dict:
            return {"total": 1, "page": 1, "rows": [{"a": 1}]}

        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        specs = [
            SourceSpec(connection="hall", kind="rest", endpoint=path) for path in ("/rows", "/gone")
        ]
        connection = Connection("hall", SystemKind.REST, f"http://:{SECRET}@127.0.0.1:{port}")

        found = probe(connection, Entries(*specs), NOW)
        server.should_exit = True
        thread.join()

        assert found.is_reachable
        troubles = {place.name: place.trouble for place in found.places}
        assert troubles["/rows"] is None
        assert "SRC_TABLE_MISSING" in troubles["/gone"]
        assert SECRET not in repr(found)
