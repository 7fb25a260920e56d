"""PostgreSQL in trouble: a server that dies, a network that stalls, TLS, a row of 50 million."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.embedded import EmbeddedPostgres
from yishu.sources import (
    Connection,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
    open_source,
)
from yishu.sources.postgresql import PostgresqlSource

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
BIG = "create table big as select g, repeat('x', 500) as t from generate_series(1, 100000) g"


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


def test_a_network_that_stalls_midway_is_given_up_within_the_bound(
    fresh_database: str, network: Callable[[str], Any]
) -> None:
    """Nothing is forwarded and nothing closed, so only our own clock can end it."""
    run(fresh_database, BIG)
    bad = network(fresh_database)
    through = connection(bad.url(fresh_database))

    with PostgresqlSource(spec("big"), through, silence=timedelta(seconds=1)) as source:
        batches = source.read(["g", "t"])
        next(batches)
        bad.stall()
        started = time.monotonic()
        with pytest.raises(SourceUnreachable, match="silence") as caught:
            list(batches)

    assert time.monotonic() - started < 10
    assert caught.value.retryable
    assert read(fresh_database, "big", "g").num_rows == 100_000


def test_a_network_that_stalls_before_the_first_row_is_given_up_too(
    fresh_database: str, network: Callable[[str], Any]
) -> None:
    run(fresh_database, BIG)
    bad = network(fresh_database)
    through = connection(bad.url(fresh_database))

    with PostgresqlSource(spec("big"), through, silence=timedelta(seconds=1)) as source:
        source.columns()
        bad.stall()
        started = time.monotonic()
        with pytest.raises(SourceUnreachable):
            list(source.read(["g"]))

    assert time.monotonic() - started < 10


def test_a_slow_reader_is_not_taken_for_silence(fresh_database: str) -> None:
    run(fresh_database, BIG)

    with PostgresqlSource(
        spec("big"), connection(fresh_database), silence=timedelta(seconds=1)
    ) as source:
        batches = source.read(["g", "t"])
        first = next(batches)
        time.sleep(1.5)
        rest = list(batches)

    assert first.num_rows + sum(batch.num_rows for batch in rest) == 100_000


def test_a_row_of_50_million_characters_arrives_whole(fresh_database: str) -> None:
    run(
        fresh_database,
        "create table t (n int, v text)",
        "insert into t values (1, repeat('a', 50000000)), (2, 'b'), (3, null)",
    )

    table = read(fresh_database, "t", "n", "v")

    assert [len(value or "") for value in table["v"].to_pylist()] == [50_000_000, 1, 0]


@pytest.mark.slow
def test_a_server_that_dies_midway_is_retryable(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder / "mortal", secrets.token_urlsafe(16))
    server.start()
    url = server.ensure_database("market")
    run(url, BIG)
    with psycopg.connect(url) as session:
        row = session.execute("select pg_read_file('postmaster.pid')").fetchone()
    try:
        with open_source(spec("big"), connection(url)) as source:
            batches = source.read(["g", "t"])
            next(batches)
            kill_family(int(row[0].split()[0]))
            with pytest.raises(SourceUnreachable) as caught:
                list(batches)
        assert caught.value.retryable
    finally:
        server.stop()


def kill_family(postmaster: int) -> None:
    """End a server and its processes at once, as a power cut would."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        os.kill(pid, 9)
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(int(pid)) for pid in children):
        time.sleep(0.05)


def is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text()


@pytest.fixture(scope="module")
def tls_server(
    tmp_path_factory: pytest.TempPathFactory, new_authority: Any
) -> Iterator[tuple[str, Any]]:
    """URL of a server that speaks TLS alone, and the authority that signed for 127.0.0.1.

    The embedded server is built without TLS, so this is Debian's.
    """
    if not DEBIAN:
        pytest.skip("no PostgreSQL with TLS on this machine: install the Debian package postgresql")
    folder = Path("/tmp") / f"yishu-tls-{secrets.token_hex(4)}"  # noqa: S108 - a socket's short path
    folder.mkdir(mode=0o700)
    authority = new_authority(folder)
    certificate, key = authority.issue("127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "password").write_text("of-the-test")
    as_other: dict[str, Any] = {}
    if os.geteuid() == 0:
        as_other = {"user": "postgres", "group": "postgres"}
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "postgres")
    binaries, data = DEBIAN[-1], folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--no-locale",
         "-E", "UTF8", f"--pwfile={folder}/password"],
        check=True, capture_output=True, cwd=folder, **as_other,
    )  # fmt: skip
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c ssl=on "
        f"-c ssl_cert_file={certificate} -c ssl_key_file={key} -c fsync=off"
    )
    control = [binaries / "pg_ctl", "-D", data, "-w"]
    log = ["-l", folder / "log"]
    subprocess.run([*control, *log, "-o", options, "start"], check=True, cwd=folder, **as_other)
    url = f"postgresql://owner:of-the-test@127.0.0.1:{port}/postgres"
    try:
        run(f"{url}?sslmode=require", "create table t (n int)", "insert into t values (1)")
        yield url, authority
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd=folder, **as_other)
        shutil.rmtree(folder)


class TestTls:
    def test_a_trusted_certificate_lets_the_pull_through(self, tls_server: Any) -> None:
        url, authority = tls_server

        full = f"{url}?sslmode=verify-full&sslrootcert={authority.path}"

        assert read(full, "t", "n").to_pydict() == {"n": [1]}

    @pytest.mark.parametrize("name", ["another", "测试 CA"])
    def test_a_certificate_of_another_authority_is_refused(
        self, tls_server: Any, new_authority: Any, tmp_path: Path, name: str
    ) -> None:
        """Also of one that bears the name of the right one."""
        url, _ = tls_server
        authority = new_authority(tmp_path, name)

        with pytest.raises(SourceRefused, match="certificate is not trusted") as caught:
            read(f"{url}?sslmode=verify-full&sslrootcert={authority.path}", "t", "n")

        assert not caught.value.retryable
        assert "of-the-test" not in repr(caught.value)

    def test_a_certificate_for_another_host_is_refused(self, tls_server: Any) -> None:
        url, authority = tls_server
        other = url.replace("127.0.0.1", "localhost")

        with pytest.raises(SourceRefused, match="certificate is not trusted"):
            read(f"{other}?sslmode=verify-full&sslrootcert={authority.path}", "t", "n")

    def test_a_missing_authority_file_is_misdescribed(self, tls_server: Any) -> None:
        url, _ = tls_server

        with pytest.raises(SourceMisdescribed, match="authority"):
            read(f"{url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem", "t", "n")

    def test_a_server_without_tls_is_refused_where_it_is_asked_for(
        self, fresh_database: str
    ) -> None:
        with pytest.raises(SourceRefused, match="does not offer TLS"):
            read(f"{fresh_database}?sslmode=require", "t", "n")

    def test_a_server_that_insists_on_tls_refuses_plain_text(self, tls_server: Any) -> None:
        url, _ = tls_server

        with pytest.raises(SourceRefused):
            read(f"{url}?sslmode=disable", "t", "n")
