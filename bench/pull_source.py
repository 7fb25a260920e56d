"""One table of legal entities in a department system of each kind, the same rows in all of them."""

import csv
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pymysql
from source import DATABASE, TABLE
from task import COLUMNS, KEY

from yishu.embedded import EmbeddedPostgres

CHANGED = "e_changing"
STAMPED = datetime(2026, 1, 1, tzinfo=UTC)
"""The last stamp that was published before the changes that the measured pull brings."""

ONE_IN = 100
"""Of so many rows one has changed since."""

_PASSWORD = "reads-on-loopback"  # noqa: S105  a server of the benchmark alone


def border(server: EmbeddedPostgres) -> str:
    """The key that cuts the table into halves."""
    asked = f"select percentile_disc(0.5) within group (order by {KEY}) from {TABLE}"
    with psycopg.connect(server.url(DATABASE)) as session:
        return str(session.execute(asked).fetchone()[0])  # type: ignore[index]


def write_csv(server: EmbeddedPostgres, folder: Path) -> Path:
    """The table as a CSV file of UTF-8, and beside it in a drop folder one of GB18030."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, drop = folder / "rows.csv", folder / "drop"
    drop.mkdir(exist_ok=True)
    copy = f"copy (select {', '.join(COLUMNS)} from {TABLE}) to stdout (format csv, header)"
    with (
        psycopg.connect(server.url(DATABASE)) as session,
        session.cursor().copy(copy) as blocks,
        whole.open("wb") as file,
    ):
        file.writelines(blocks)
    with (
        whole.open(encoding="utf-8", newline="") as text,
        (drop / "rows_1.csv").open("w", encoding="gb18030", newline="") as national,
    ):
        shutil.copyfileobj(text, national, 1 << 20)
    return drop


def fill_sqlite(whole: Path, path: Path) -> None:
    """The table in a SQLite database, as a department's program would keep it."""
    path.unlink(missing_ok=True)
    kinds = dict.fromkeys(COLUMNS, "TEXT") | {"regcap": "REAL"}
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    with sqlite3.connect(path) as database, whole.open(encoding="utf-8", newline="") as text:
        database.execute(f"create table {TABLE} ({columns})")
        rows = csv.reader(text)
        next(rows)
        marks = ", ".join("nullif(?, '')" for _ in COLUMNS)
        database.executemany(f"insert into {TABLE} values ({marks})", rows)


@contextmanager
def mariadb(whole: Path, folder: Path) -> Iterator[str]:
    """URL of a running MariaDB server that holds the table; it ends with the block."""
    # A socket's path may be no longer than 107 characters.
    scratch = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    own = ["--no-defaults", f"--datadir={folder}", "--user=root"]
    install = ["mariadb-install-db", *own, "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    binary = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    more = ["--bind-address=127.0.0.1", f"--port={port}", "--local-infile=1", "--skip-log-bin"]
    more += [f"--socket={scratch}/s", "--innodb-buffer-pool-size=512M", "--skip-name-resolve"]
    server = subprocess.Popen(
        [binary, *own, *more, "--character-set-server=utf8mb4"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _fill_mariadb(whole, f"{scratch}/s")
        yield f"mysql://reader:{_PASSWORD}@127.0.0.1:{port}/bench"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(scratch)


def _fill_mariadb(whole: Path, socket: str) -> None:
    for _ in range(600):
        with suppress(pymysql.Error):
            pymysql.connect(unix_socket=socket, user="root").close()
            break
        time.sleep(0.05)
    kinds = dict.fromkeys(COLUMNS, "varchar(400)")
    kinds |= {"regcap": "decimal(18,2)", **dict.fromkeys(("estdate", "opto", "apprdate"), "date")}
    columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    names = ", ".join(f"@{name}" for name in COLUMNS)
    settings = ", ".join(f"{name} = nullif(@{name}, '')" for name in COLUMNS)
    with (
        pymysql.connect(unix_socket=socket, user="root", local_infile=True) as session,
        session.cursor() as cursor,
    ):
        cursor.execute("create database bench character set utf8mb4")
        cursor.execute(f"create table bench.{TABLE} ({columns})")
        cursor.execute(
            f"load data local infile '{whole}' into table bench.{TABLE} character set utf8mb4 "
            "fields terminated by ',' optionally enclosed by '\"' lines terminated by '\\n' "
            f"ignore 1 lines ({names}) set {settings}"
        )
        session.commit()
        cursor.execute(f"create user reader@'127.0.0.1' identified by '{_PASSWORD}'")
        cursor.execute("grant select on bench.* to reader@'127.0.0.1'")


def begin_changing(server: EmbeddedPostgres, reader: str) -> None:
    """A table with stamps that holds a few rows, so that a first pull of it is short."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(f"drop table if exists {CHANGED}")
        session.execute(f"create table {CHANGED} as select * from {TABLE} where false")
        session.execute(f"alter table {CHANGED} add column updated_at timestamptz")
        session.execute(
            f"insert into {CHANGED} select *, %s from {TABLE} where {KEY} is not null limit 100",
            [STAMPED],
        )
        session.execute(f'grant select on {CHANGED} to "{reader}"')


def go_on_changing(server: EmbeddedPostgres) -> None:
    """All other rows, long stamped; then one in a hundred is updated, as its department would."""
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        session.execute(f"truncate {CHANGED}")
        long_ago = STAMPED - timedelta(days=9)
        session.execute(f"insert into {CHANGED} select *, %s from {TABLE}", [long_ago])
        session.execute(
            f"update {CHANGED} set updated_at = %s where ctid in (select ctid from "
            f"(select ctid, row_number() over () from {CHANGED}) as all_rows "
            "where row_number %% %s = 0)",
            [STAMPED + timedelta(days=1), ONE_IN],
        )
        session.execute(f"create index on {CHANGED} (updated_at)")
        session.execute(f"vacuum (freeze, analyze) {CHANGED}")
