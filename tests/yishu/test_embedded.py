"""The embedded PostgreSQL starts anywhere, lets in who proves a password, and stops alone."""

import multiprocessing
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import adbc_driver_postgresql.dbapi
import psycopg
import pytest
import sqlalchemy

from yishu.embedded import (
    EmbeddedError,
    EmbeddedNotRunning,
    EmbeddedNotStarted,
    EmbeddedPostgres,
    NoDiskSpace,
    PortTaken,
    ledger_url,
    reader_password,
    reader_url,
    server,
)
from yishu.embedded.account import acl_with_passage
from yishu.settings import Settings

NOBODY = 65534


@pytest.fixture
def tmp_path(server_folder):
    """An empty folder to which a server's account finds the way, see `server_folder`."""
    return Path(tempfile.mkdtemp(dir=server_folder))


@pytest.fixture
def stopped_server(tmp_path):
    made = EmbeddedPostgres(tmp_path / "postgres", "pass word/@:'")
    yield made
    made.stop()


def test_starting_and_stopping_twice_is_safe_and_keeps_data_and_port(stopped_server):
    assert stopped_server.status() is None
    assert stopped_server.start() is True
    assert stopped_server.start() is False
    with psycopg.connect(stopped_server.ensure_database("kept"), autocommit=True) as connection:
        connection.execute("create table t as select 7 as n")
    port = stopped_server.status().port

    assert stopped_server.stop() is True
    assert stopped_server.stop() is False
    assert stopped_server.status() is None
    stopped_server.start()

    assert stopped_server.status().port == port
    with psycopg.connect(stopped_server.ensure_database("kept")) as connection:
        assert connection.execute("select n from t").fetchall() == [(7,)]


def test_all_our_drivers_connect_by_its_url(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    adbc = adbc_driver_postgresql.dbapi
    with adbc.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
        assert cursor.fetchone() == (1,)
    with sqlalchemy.create_engine(postgres_url).connect() as connection:
        assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1


@pytest.mark.parametrize("password", ["", ":wrong"])
def test_nobody_gets_in_without_the_password(postgres_server, password):
    """Any user of the machine can reach a loopback port, the server's own account too."""
    port = postgres_server.status().port
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://yishu{password}@127.0.0.1:{port}/postgres")


def test_it_listens_on_loopback_only(postgres_server):
    with psycopg.connect(postgres_server.url()) as connection:
        listening = connection.execute("show listen_addresses").fetchone()
        sockets = connection.execute("show unix_socket_directories").fetchone()
    assert (listening, sockets) == (("127.0.0.1",), ("",))


def test_its_files_are_closed_to_others(postgres_server):
    folder = postgres_server.directory
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700


def test_a_reader_reads_its_database_and_writes_nothing(postgres_server):
    owner = postgres_server.ensure_database("market_test")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("create table before_grant as select 1 as n")
        postgres_server.ensure_reader("market_test", "reader_test", "first")
        connection.execute("create table after_grant as select 2 as n")
    url = postgres_server.ensure_reader("market_test", "reader_test", "second")

    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("select n from before_grant union select n from after_grant")
        assert sorted(rows) == [(1,), (2,)]
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into before_grant values (3)")
    other = postgres_server.ensure_database("police_test").rsplit("/", 1)[1]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(postgres_server.url_as("reader_test", "second", other))


def test_the_ledgers_database_is_made_on_first_use(tmp_path):
    settings = Settings(var_dir=tmp_path, database_url=None, reader_password="chosen")
    made = EmbeddedPostgres(settings.postgres_dir, "")
    try:
        url = ledger_url(settings)
        assert ledger_url(settings) == url
        with psycopg.connect(url) as connection:
            assert connection.info.dbname == "ledger"
        with psycopg.connect(reader_url(settings, "ledger")) as connection:
            assert connection.info.password == "chosen"
    finally:
        made.stop()


def test_the_readers_password_is_the_chosen_one_or_one_that_is_kept(tmp_path):
    assert reader_password(Settings(var_dir=tmp_path, reader_password="chosen")) == "chosen"
    assert list(tmp_path.iterdir()) == []
    made = reader_password(Settings(var_dir=tmp_path, reader_password=None))
    assert made == (tmp_path / "secrets" / "reader_password").read_text("utf-8")


def test_a_server_of_ones_own_is_taken_as_it_is(tmp_path):
    settings = Settings(var_dir=tmp_path, database_url="postgresql://u:p@db.city/ledger")
    assert ledger_url(settings) == "postgresql://u:p@db.city/ledger"
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match="YISHU_POSTGRES_PORT") as caught:
            EmbeddedPostgres(tmp_path / "postgres", "x", port).start()
    assert str(port) in str(caught.value)


def test_a_kept_port_that_was_taken_meanwhile_is_replaced(stopped_server):
    stopped_server.start()
    port = stopped_server.status().port
    stopped_server.stop()
    with socket.create_server(("127.0.0.1", port)):
        stopped_server.start()
        assert stopped_server.status().port != port


def test_a_full_disk_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "MINIMUM_FREE_BYTES", 2**62)
    with pytest.raises(NoDiskSpace, match="YISHU_VAR_DIR"):
        EmbeddedPostgres(tmp_path / "postgres", "x").start()
    assert list(tmp_path.iterdir()) == []


def test_a_path_too_long_for_a_unix_socket_is_no_obstacle(tmp_path):
    made = EmbeddedPostgres(tmp_path / ("深" * 30) / ("long" * 30) / "postgres", "x")
    try:
        assert made.start() is True
    finally:
        made.stop()


def test_a_damaged_cluster_shows_what_the_server_said(stopped_server):
    stopped_server.start()
    stopped_server.stop()
    (stopped_server.directory / "data" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedNotStarted, match="pg_control"):
        stopped_server.start()


def test_a_cluster_that_was_only_half_made_is_made_again(stopped_server):
    half = stopped_server.directory / "data.making"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    assert stopped_server.start() is True


def test_a_process_id_that_now_belongs_to_another_is_left_alone(stopped_server):
    """As after a crash of the machine: the file names a process that is not our server."""
    stopped_server.start()
    stopped_server.stop()
    stale = f"{os.getpid()}\n{stopped_server.directory}/data\n0\n5432\n\n127.0.0.1\n 1 1\nready\n"
    (stopped_server.directory / "data" / "postmaster.pid").write_text(stale)

    assert stopped_server.status() is None
    assert stopped_server.stop() is False


def test_the_server_outlives_the_process_that_started_it(tmp_path):
    folder = tmp_path / "postgres"
    code = "import sys; from pathlib import Path; from yishu.embedded import EmbeddedPostgres; "
    code += "print(EmbeddedPostgres(Path(sys.argv[1]), 'x').start())"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    made = EmbeddedPostgres(folder, "x")
    assert done.stdout.strip() == "True"
    assert made.status() is not None
    assert made.stop() is True


def test_without_a_server_there_is_no_url(tmp_path):
    with pytest.raises(EmbeddedNotRunning, match="start it"):
        EmbeddedPostgres(tmp_path / "postgres", "x").url()


@pytest.mark.parametrize("name", ["", "Market", "a b", 'x"; drop database postgres; --', "a" * 64])
def test_a_name_that_would_need_quoting_is_refused(postgres_server, name):
    with pytest.raises(EmbeddedError, match="lower-case letter"):
        postgres_server.ensure_database(name)


def _whole_life_as_nobody(folder, answer):
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    made = EmbeddedPostgres(folder / "postgres", "x")
    answer.put([made.start(), made.start(), bool(made.ensure_database("d")), made.stop()])


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user")
def test_an_ordinary_user_runs_it_too(postgres_server):
    """As `nobody`, in a fork, since nobody may not even be able to run our interpreter."""
    assert postgres_server.ensure_database("loads_the_drivers")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, NOBODY, NOBODY)
    fork = multiprocessing.get_context("fork")
    answer = fork.SimpleQueue()
    try:
        child = fork.Process(target=_whole_life_as_nobody, args=(folder, answer))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert answer.get() == [True, False, True, True]
        assert (folder / "postgres" / "data").stat().st_uid == NOBODY
    finally:
        shutil.rmtree(folder)


def test_a_closed_folder_lets_the_servers_account_pass_and_nobody_else():
    """The literal list that the kernel keeps for: user::rwx user:999:--x group::--- other::---."""
    expected = struct.pack(
        "<I" + "HHI" * 5, 2,
        1, 7, 0xFFFFFFFF, 2, 1, 999, 4, 0, 0xFFFFFFFF, 16, 1, 0xFFFFFFFF, 32, 0, 0xFFFFFFFF,
    )  # fmt: skip
    assert acl_with_passage(None, 0o40700, 999) == expected
    assert acl_with_passage(expected, 0o40710, 999) == expected


def test_a_users_other_rights_on_a_folder_are_kept():
    held = struct.pack(
        "<I" + "HHI" * 5, 2,
        1, 7, 0xFFFFFFFF, 2, 4, 999, 4, 5, 0xFFFFFFFF, 16, 5, 0xFFFFFFFF, 32, 0, 0xFFFFFFFF,
    )  # fmt: skip
    expected = struct.pack(
        "<I" + "HHI" * 5, 2,
        1, 7, 0xFFFFFFFF, 2, 5, 999, 4, 5, 0xFFFFFFFF, 16, 5, 0xFFFFFFFF, 32, 0, 0xFFFFFFFF,
    )  # fmt: skip
    assert acl_with_passage(held, 0o40750, 999) == expected


def test_a_server_is_recognised_by_every_way_to_its_folder(stopped_server, tmp_path):
    stopped_server.start()
    (tmp_path / "link").symlink_to(tmp_path)
    other_way = EmbeddedPostgres(tmp_path / "link" / ".." / tmp_path.name / "postgres", "x")
    assert other_way.status() == stopped_server.status()
    assert other_way.start() is False
