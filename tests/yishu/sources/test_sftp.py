"""SFTP: drop folders behind real servers on loopback: Debian's OpenSSH, and one that breaks off."""

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncssh
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    SourceChanged,
    SourceFileMissing,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
    SpoolFull,
    open_source,
    sftp,
)

SSHD = Path("/usr/sbin/sshd")
SECRET = "p4ss w0rd/@:not-to-be-seen"


@dataclass
class Server:
    """An SSH server; ``folder`` is what is dropped there, ``options`` how to be known by it."""

    port: int
    folder: Path
    host_key: str
    key: Path

    def url(self, *, path: str | None = None, **options: str) -> str:
        given = {"host_key": self.host_key, "private_key": str(self.key)} | options
        query = "&".join(f"{name}={quote(value)}" for name, value in given.items() if value)
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{path or self.folder}?{query}"


def read(url: str, column: str = "a", spool: Path | None = None, **more: Any) -> list[str]:
    spec = SourceSpec(connection="drop", kind=SystemKind.CSV, **({"path": "rows_*.csv"} | more))
    with open_source(spec, Connection("drop", spec.kind, url)) as source:
        if spool:
            source.resume_in(spool)
        table = pa.Table.from_batches(list(source.read([column])))
    found: list[str] = table[column].to_pylist()
    return found


def new_key(path: Path) -> asyncssh.SSHKey:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(path))
    key.write_public_key(str(path.with_suffix(".pub")))
    path.chmod(0o600)
    return key


@pytest.fixture(scope="module")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's own server, on a port, with a key and a configuration of its own."""
    if not SSHD.exists():
        pytest.skip("needs /usr/sbin/sshd: apt-get install openssh-server")
    here = tmp_path_factory.mktemp("sshd")
    host = new_key(here / "host")
    new_key(here / "user")
    shutil.copy(here / "user.pub", here / "authorized")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (here / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {here}/host\nPidFile none\n"
        f"AuthorizedKeysFile {here}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    command = [str(SSHD), "-D", "-e", "-f", str(here / "config")]
    with subprocess.Popen(command, stderr=(here / "log").open("w")) as process:
        try:
            _wait_for(port, process)
            (here / "drop").mkdir()
            yield Server(port, here / "drop", host.get_fingerprint(), here / "user")
        finally:
            process.terminate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the SSH server does not start")


@pytest.fixture
def server(openssh: Server) -> Server:
    for path in openssh.folder.iterdir():
        path.unlink()
    return openssh


def drop(server: Server, content: str, name: str = "rows_1.csv") -> Path:
    path = server.folder / name
    path.write_text(content, encoding="gb18030")
    return path


class TestOpenSsh:
    def test_the_newest_delivery_is_brought_and_read(self, server: Server, tmp_path: Path) -> None:
        drop(server, "a\nold\n")
        drop(server, "a\n无锡\n", "rows_2.csv")
        drop(server, "a\nunfinished\n", "rows_3.csv.part")
        (server.folder / "rows_4.csv").symlink_to("/etc/hostname")
        spool = tmp_path / "spool"

        assert read(server.url(), spool=spool) == ["无锡"]
        assert spool.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in spool.iterdir()} == {0o600}

    def test_manifest_and_marker_are_read_over_there(self, server: Server) -> None:
        drop(server, "a\n1\n2\n")
        drop(server, "", "rows_1.csv.done")
        drop(server, '{"file": "rows_1.csv", "rows": 2}', "manifest.json")

        found = read(server.url(), arrival="done_marker", manifest_required=True)

        assert found == ["1", "2"]

    def test_a_path_may_begin_in_the_home_and_hold_folders(self, server: Server) -> None:
        home = os.path.relpath(server.folder.parent, Path("~").expanduser())
        drop(server, "a\n1\n")

        assert read(server.url(path=f"/~/{home}"), path="dr*/rows_?.csv") == ["1"]

    def test_a_server_with_another_key_is_refused(self, server: Server) -> None:
        other = "SHA256:" + "A" * 43

        with pytest.raises(SourceRefused, match="another key"):
            read(server.url(host_key=other))

    def test_a_server_is_known_by_a_known_hosts_file(self, server: Server, tmp_path: Path) -> None:
        drop(server, "a\n1\n")
        key = (server.key.parent / "host.pub").read_text()
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{server.port} {key}")

        assert read(server.url(host_key="", known_hosts=str(known))) == ["1"]
        known.write_text(
            f"[127.0.0.1]:{server.port} {(server.key.with_suffix('.pub')).read_text()}"
        )
        with pytest.raises(SourceRefused, match="another key"):
            read(server.url(host_key="", known_hosts=str(known)))

    def test_a_key_that_the_server_does_not_know_is_refused(
        self, server: Server, tmp_path: Path
    ) -> None:
        new_key(tmp_path / "stranger")

        with pytest.raises(SourceRefused, match="sign in"):
            read(server.url(private_key=str(tmp_path / "stranger")))

    def test_nothing_delivered_and_no_folder_are_told_apart(self, server: Server) -> None:
        with pytest.raises(SourceFileMissing):
            read(server.url())
        with pytest.raises(SourceUnreachable, match="no such folder"):
            read(server.url(path="/nowhere/at/all"))

    def test_a_delivery_replaced_while_it_is_brought_is_tried_again(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = drop(server, "a\n" + "1\n" * 100_000)
        copy = sftp._copy

        async def copy_and_replace(*arguments: Any) -> None:
            await copy(*arguments)
            path.unlink()
            drop(server, "a\n" + "2\n" * 100_001)

        monkeypatch.setattr(sftp, "_copy", copy_and_replace)

        with pytest.raises(SourceChanged) as caught:
            read(server.url())
        assert caught.value.retryable

    def test_no_room_for_the_copy_is_said_of_our_own_disk(
        self, server: Server, small_disk: Path
    ) -> None:
        drop(server, "a\n" + "1\n" * 2_000_000)

        with pytest.raises(SpoolFull) as caught:
            read(server.url(), spool=small_disk / "spool")
        assert caught.value.retryable

    def test_no_server_can_be_tried_again(self, server: Server) -> None:
        gone = server.url().replace(f":{server.port}/", ":9/")

        with pytest.raises(SourceUnreachable) as caught:
            read(gone)
        assert caught.value.retryable


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sftp://li:x@host/drop", "known by"),
        ("sftp://li@host/drop?host_key=SHA256:x", "neither a password nor"),
        ("sftp://host/drop?host_key=SHA256:x", "no user"),
        ("sftp://li@127.0.0.1:9/drop?host_key=SHA256:x&private_key=/no/such/key", "not there"),
    ],
)
def test_a_url_that_lacks_something_is_misdescribed(url: str, words: str) -> None:
    with pytest.raises(SourceMisdescribed, match=words):
        read(url)


class Breaking(asyncssh.SFTPServer):
    """Serves a folder and ends the connection after so many reads, so many times."""

    breaks = 0
    patience = 10
    reads: list[int] = []  # noqa: RUF012

    def __init__(self, channel: Any) -> None:
        super().__init__(channel)
        self._connection = channel.get_connection()
        self._left = Breaking.patience

    async def read(self, file: Any, offset: int, size: int) -> bytes:
        Breaking.reads.append(offset)
        self._left -= 1
        if self._left < 0 and Breaking.breaks:
            Breaking.breaks -= 1
            self._connection.abort()
        await asyncio.sleep(0)
        return bytes(super().read(file, offset, size))


class PasswordServer(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("某 li", SECRET)


@pytest.fixture
def breaking(tmp_path: Path) -> Iterator[Server]:
    """A server that wants a password and breaks off as often as ``Breaking.breaks`` says."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    Breaking.reads.clear()
    Breaking.breaks = 0
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Any:
        return await asyncssh.create_server(
            PasswordServer, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=Breaking
        )

    acceptor = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    (tmp_path / "drop").mkdir()
    yield Server(acceptor.get_port(), tmp_path / "drop", key.get_fingerprint(), Path())
    loop.call_soon_threadsafe(acceptor.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def password_url(server: Server, password: str = SECRET) -> str:
    key = quote(server.host_key)
    user, secret = quote("某 li"), quote(password, safe="")
    return f"sftp://{user}:{secret}@127.0.0.1:{server.port}{server.folder}?host_key={key}"


def test_a_password_signs_in_and_a_wrong_one_is_not_shown(breaking: Server) -> None:
    drop(breaking, "a\n1\n")

    assert read(password_url(breaking)) == ["1"]
    with pytest.raises(SourceRefused) as caught:
        read(password_url(breaking, "wrong-" + SECRET))
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_download_that_breaks_off_goes_on_where_it_was(
    breaking: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(sftp, "CHUNK", 65_536)
    rows = [f"{number:07}" for number in range(400_000)]
    path = drop(breaking, "a\n" + "\n".join(rows) + "\n")
    Breaking.breaks = 3

    assert read(password_url(breaking), spool=tmp_path / "spool") == rows

    assert Breaking.breaks == 0
    assert len(Breaking.reads) < 2 * path.stat().st_size / sftp.CHUNK


def test_a_server_that_only_breaks_off_is_given_up(
    breaking: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(Breaking, "patience", 0)
    drop(breaking, "a\n1\n")
    Breaking.breaks = 1_000

    with pytest.raises(SourceUnreachable) as caught:
        read(password_url(breaking))
    assert caught.value.retryable
    assert Breaking.breaks == 1_000 - sftp.ATTEMPTS
