"""Worlds for tests: an example city with all its faults, and real servers.

The city has every department system and the world in which its entries run. The servers are for
tests of sources and pulls: MariaDB, a certificate authority, a bad network.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from catalog.load import load_catalog
from catalog.release import Release, compile_release, write_release
from example.city import Systems, build, connections
from example.manifest import Manifest
from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_subject, run_validate
from yishu.settings import Settings
from yishu.sources.protocol import Connection

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
SIZE = 1_000
MARIADBD = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MARIADB_INSTALL = shutil.which("mariadb-install-db")


@dataclass(frozen=True)
class BuiltCity:
    """The department systems, what is known about them, and how to reach them."""

    manifest: Manifest
    urls: Mapping[str, str]
    release: Release
    postgres: EmbeddedPostgres
    folder: Path


@pytest.fixture(scope="session")
def city_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server for the city alone: its databases have fixed names that other tests build too."""
    server = EmbeddedPostgres(server_folder / "city", "of-the-tests")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def city(
    city_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BuiltCity]:
    """Every department system of the example city, its REST service running."""
    folder = tmp_path_factory.mktemp("city")
    where = Systems(city_server.url(), folder)
    manifest = build(where, SIZE, reader_password="reader-of-the-tests")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "example.rest_server", "--folder", str(folder)]
    service = subprocess.Popen([*argv, "--port", str(port)], cwd=ROOT)
    _wait_for(port)
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    release = write_release(folder / "releases", compile_release(loaded, date(2026, 11, 1)))
    urls = connections(where, f"http://127.0.0.1:{port}", "reader-of-the-tests")
    yield BuiltCity(manifest, urls, release, city_server, folder)
    service.terminate()
    service.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the city's service did not start within 30 s")


MakeWorld = Callable[..., PipelineContext]


@pytest.fixture
def make_world(city: BuiltCity, fresh_ledger: str, tmp_path: Path) -> MakeWorld:
    """A pipeline context on an empty library and ledger; ``urls`` replaces connections."""

    def make(urls: Mapping[str, str] | None = None, **kwargs: object) -> PipelineContext:
        return world_of(city, fresh_ledger, tmp_path, urls, **kwargs)

    return make


def world_of(
    city: BuiltCity,
    ledger_url: str,
    var_dir: Path,
    urls: Mapping[str, str] | None = None,
    *,
    release: Release | None = None,
) -> PipelineContext:
    """A pipeline context over the city."""
    in_force = release or city.release
    every = {**city.urls, **(urls or {})}
    known = {
        entry.source.connection: Connection(
            entry.source.connection, entry.source.kind, every[entry.source.connection]
        )
        for entry in in_force.entries.values()
    }
    settings = Settings(var_dir=var_dir, catalog_dir=ROOT / "catalog")
    return PipelineContext(settings, in_force, ledger_url, known, lambda: NOW)


def run_entry(entry_id: str, run_id: str, ctx: PipelineContext) -> dict[str, dict]:
    """All three stages of one entry."""
    stages = {"pull": run_pull, "validate": run_validate, "publish": run_publish}
    return {name: stage(entry_id, run_id, ctx) for name, stage in stages.items()}


@pytest.fixture(scope="session")
def published_city(
    city: BuiltCity, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PipelineContext, dict[str, dict]]]:
    """The city with every entry published once; what each stage returned, by entry."""
    var_dir = tmp_path_factory.mktemp("published")
    url = city.postgres.ensure_database("published_city")
    migrate.upgrade(url)
    ctx = world_of(city, url, var_dir)
    done = {entry_id: run_entry(entry_id, "first", ctx) for entry_id in city.release.entries}
    yield ctx, done
    shutil.rmtree(var_dir)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Authority:
    """A certificate authority of its own, which signs for one host."""

    def __init__(self, folder: Path, name: str = "测试 CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.path = folder / "ca.pem"
        self._folder = folder
        signed = self._signed(self.name, self.key.public_key(), is_authority=True)
        self.path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str) -> tuple[Path, Path]:
        """Paths of a certificate for that IP address and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
        certificate = self._signed(subject, key.public_key(), host=host)
        paths = self._folder / "server.pem", self._folder / "server.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        paths[1].chmod(0o600)
        return paths

    def _signed(
        self, subject: x509.Name, key: object, *, is_authority: bool = False, host: str = ""
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


class MariaDB:
    """A MariaDB server of this test session alone: own data, port, process and account."""

    PASSWORD = "p4ssw0rd-not-to-be-seen"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.authority = Authority(folder)
        self.certificate, self.key = self.authority.issue("127.0.0.1")
        self._as = ["--user=mysql"] if os.geteuid() == 0 else []
        self._process: subprocess.Popen[bytes] | None = None
        if self._as:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "mysql")
        (folder / "scratch").mkdir()
        (folder / "scratch").chmod(0o777)
        subprocess.run(
            [
                MARIADB_INSTALL, "--no-defaults", f"--datadir={folder}/data", *self._as,
                "--auth-root-authentication-method=normal", "--skip-test-db",
                f"--tmpdir={folder}/scratch",
            ],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    MARIADBD, "--no-defaults", *self._as, f"--datadir={self.folder}/data",
                    f"--tmpdir={self.folder}/scratch", f"--socket={self.folder}/s",
                    f"--pid-file={self.folder}/pid", f"--port={self.port}",
                    "--bind-address=127.0.0.1", "--skip-name-resolve",
                    "--character-set-server=utf8mb4", "--max-allowed-packet=128M",
                    "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=16M",
                    "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
                    # Lets a day be 0000-00-00, as old installations do, and a backslash be itself.
                    "--sql-mode=NO_BACKSLASH_ESCAPES",
                    f"--ssl-ca={self.authority.path}", f"--ssl-cert={self.certificate}",
                    f"--ssl-key={self.key}",
                ],
                stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            with contextlib.suppress(pymysql.Error):
                pymysql.connect(unix_socket=f"{self.folder}/s", user="root").close()
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "log").read_text())

    def run(self, *statements: str, database: str | None = None) -> Any:
        """Execute statements as the owner, in that database; the rows of the last one."""
        with pymysql.connect(
            unix_socket=f"{self.folder}/s", user="root", database=database, autocommit=True,
            charset="utf8mb4", max_allowed_packet=2**27,
        ) as session, session.cursor() as cursor:  # fmt: skip
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall()

    def fresh(self, name: str) -> str:
        """URL of an empty database, for an account that may only read it."""
        self.run(
            f"create database `{name}`",
            f"create user `{name}`@`127.0.0.1` identified by '{self.PASSWORD}'",
            f"grant select, execute, show view on `{name}`.* to `{name}`@`127.0.0.1`",
        )
        return f"mysql://{name}:{self.PASSWORD}@127.0.0.1:{self.port}/{name}"

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def new_mariadb() -> Iterator[Callable[[], MariaDB]]:
    """Makes servers that run; what still runs at the end is ended."""
    if MARIADBD is None or MARIADB_INSTALL is None:
        pytest.skip("no MariaDB on this machine: install the Debian package mariadb-server")
    made: list[MariaDB] = []

    def make() -> MariaDB:
        server = MariaDB(Path(tempfile.mkdtemp(prefix="yishu-mariadb-")))
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb(new_mariadb: Callable[[], MariaDB]) -> MariaDB:
    """A running MariaDB server."""
    return new_mariadb()


class Network:
    """A loopback proxy in front of a server that can stall: open, silent, forwarding nothing.

    While it stalls it also keeps the server's end of a connection whose client went away, as a
    firewall does that has lost its state.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._flowing = threading.Event()
        self._flowing.set()
        self._allowed = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.forwarded = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, url: str) -> str:
        """The same URL, through this network."""
        parts = urlsplit(url)
        account = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{self.port}"))

    def stall(self, after: int = 0) -> None:
        """Forward nothing more; or only what each connection has not had yet of so many bytes."""
        self._allowed = after
        self._flowing.clear()

    def flow(self) -> None:
        self._flowing.set()

    def close(self) -> None:
        self._flowing.set()
        for end in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        done = 0
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                done += len(data)
                if done > self._allowed:
                    self._flowing.wait()
                target.sendall(data)
                self.forwarded += len(data)
        self._flowing.wait()
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def network() -> Iterator[Callable[[str], Network]]:
    """Makes a network in front of the server that a URL names."""
    made: list[Network] = []

    def make(url: str) -> Network:
        parts = urlsplit(url)
        made.append(Network(parts.hostname or "127.0.0.1", parts.port or 0))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def subjects(published_city: Any) -> dict[str, dict[str, Any]]:
    """Every subject built once from the published city."""
    ctx, _ = published_city
    return {subject: run_subject(subject, "first", ctx) for subject in ctx.release.subjects}


@pytest.fixture(scope="session")
def new_authority() -> type[Authority]:
    """Makes certificate authorities, each in a folder of its own."""
    return Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority that no server here knows."""
    return Authority(tmp_path)
