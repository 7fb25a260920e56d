"""Drop folders behind SFTP: listed there, brought here, read like any drop.

The connection's URL says where and how::

    sftp://user:password@host:22/drop/permits?host_key=SHA256:…
    sftp://user@host/drop/permits?private_key=/etc/yishu/id_ed25519&known_hosts=/etc/yishu/known

A path is absolute; ``/~/drop`` begins in the account's home. The server must be known, by the
fingerprint of its key or by a known_hosts file: whoever stands between could otherwise hand us any
data. Nothing of the user's own SSH settings (configuration, agent, keys) is used.
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncssh

from yishu.sources.arrival import Seen
from yishu.sources.errors import (
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
)
from yishu.sources.files import DroppedFile, changed
from yishu.sources.protocol import Connection

CHUNK = 4 * 1024 * 1024
"""How much is asked for at a time; the library asks for its pieces at once."""

ATTEMPTS = 4
"""How often in a row a download may break off without having come any further."""

PAUSE_SECONDS = 1.0
"""Before it goes on; twice as long each time."""

CONNECT_SECONDS, LOGIN_SECONDS, ALIVE_SECONDS = 15, 30, 15

LOCAL_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""What has to do with the place that a copy is written to, and not with the network."""


@dataclass(frozen=True)
class Address:
    """What an SFTP connection's URL says."""

    host: str
    port: int
    user: str
    path: str
    password: str | None = field(repr=False)
    private_key: str | None
    passphrase: str | None = field(repr=False)
    host_key: str | None
    known_hosts: str | None


class SftpFolder:
    """A drop folder on a server that speaks SFTP."""

    def __init__(self, connection: Connection) -> None:
        self._id = connection.id
        self._address = address_of(connection)

    def listing(self, patterns: tuple[str, ...]) -> list[Seen]:
        """The files that the patterns name, each once.

        Raises:
            SourceUnreachable: no server, or no such folder.
            SourceRefused: the server is not the expected one, or does not let us in.
        """
        return asyncio.run(self.look(patterns))

    async def look(self, patterns: tuple[str, ...]) -> list[Seen]:
        """As ``listing``, for a caller that must not block."""
        async with self._session() as sftp:
            return await self._listed(sftp, patterns)

    def bring(self, seen: Seen, spool: Path) -> DroppedFile:
        """A copy of that very file; a copy that broke off before is completed.

        Raises:
            SourceChanged: it is another one by now.
            SourceUnreachable: the connection broke more often than is worth another try.
            OSError: the spool cannot be written.
        """
        # Named by what was seen: a copy of an earlier version is never continued.
        known = hashlib.sha256(repr(seen).encode()).hexdigest()[:32]
        ending = PurePosixPath(seen.name).suffix.lower()  # some readers go by it
        whole, part = spool / f"{known}{ending}", spool / f"{known}.broken"
        if not whole.exists():
            asyncio.run(self._download(seen, part))
            part.replace(whole)
        return DroppedFile.at(whole)

    def read_small(self, name: str, most: int) -> bytes | None:
        """At most that many bytes of a file beside the data; None when there is none."""

        async def read() -> bytes | None:
            async with self._session() as sftp:
                try:
                    async with sftp.open(self._place(name), "rb") as file:
                        return bytes(await file.read(most))
                except asyncssh.SFTPNoSuchFile:
                    return None

        return asyncio.run(read())

    async def _listed(self, sftp: Any, patterns: tuple[str, ...]) -> list[Seen]:
        if not await sftp.isdir(self._address.path):
            raise SourceUnreachable(
                self._id,
                found="no such folder on the server",
                expected="the drop folder of the connection's URL",
                remedy="correct the path, or ask the department; the pull can be tried again",
            )
        found: dict[str, Seen] = {}
        for one in patterns:
            try:
                names = await sftp.glob_sftpname(self._place(one))
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                continue
            for file in names:
                name = PurePosixPath(str(file.filename)).relative_to(self._address.path).as_posix()
                if S_ISREG(file.attrs.permissions or 0):
                    found[name] = _seen(name, file.attrs)
        return list(found.values())

    async def _download(self, seen: Seen, part: Path) -> None:
        fruitless = 0
        while True:
            before = _size(part)
            try:
                await self._continue(seen, part)
            except SourceUnreachable:
                fruitless = 0 if _size(part) > before else fruitless + 1
                if fruitless == ATTEMPTS:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * 2**fruitless)
            else:
                return

    async def _continue(self, seen: Seen, part: Path) -> None:
        place, obj = self._place(seen.name), f"{self._id}: {seen.name}"
        async with self._session() as sftp:
            await self._require_same(sftp, place, seen)
            if _size(part) > seen.size:
                part.unlink()
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "ab") as copy:
                async with sftp.open(place, "rb") as file:
                    await _copy(file, copy, seen.size)
            await self._require_same(sftp, place, seen)
        if _size(part) != seen.size:
            part.unlink(missing_ok=True)
            raise changed(obj)

    async def _require_same(self, sftp: Any, place: str, seen: Seen) -> None:
        try:
            now = _seen(seen.name, await sftp.lstat(place))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            raise changed(f"{self._id}: {seen.name}") from None
        if now != seen:
            raise changed(f"{self._id}: {seen.name}")

    def _place(self, name: str) -> str:
        return str(PurePosixPath(self._address.path) / name)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Any]:
        here = self._address
        try:
            async with (
                asyncssh.connect(here.host, here.port, options=_options(here)) as connection,
                connection.start_sftp_client() as sftp,
            ):
                yield sftp
        except SourceError:
            raise
        except (asyncssh.Error, asyncssh.KeyImportError, TimeoutError, ConnectionError) as error:
            raise _meaning(self._id, error) from None
        except OSError as error:
            if error.filename in {here.private_key, here.known_hosts} - {None}:
                raise _misdescribed(
                    self._id, "a key or known_hosts file that is not there"
                ) from None
            if error.errno in LOCAL_TROUBLE or error.filename is not None:
                raise
            raise _meaning(self._id, error) from None


def address_of(connection: Connection) -> Address:
    """What an SFTP connection's URL says.

    Raises:
        SourceMisdescribed: it lacks the host, the user, or what the server is known by.
    """
    parts = urlsplit(connection.url)
    options = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    path = unquote(parts.path) or "/"
    address = Address(
        host=parts.hostname or "",
        port=parts.port or 22,
        user=unquote(parts.username or ""),
        path=path.removeprefix("/~/") if path.startswith("/~/") else path,
        password=None if parts.password is None else unquote(parts.password),
        private_key=options.get("private_key"),
        passphrase=options.get("passphrase"),
        # Base64 has plus signs, which a query takes for blanks, and SSH leaves the padding out.
        host_key=options["host_key"].replace(" ", "+").rstrip("=")
        if "host_key" in options
        else None,
        known_hosts=options.get("known_hosts"),
    )
    lacking = None
    if not address.host or not address.user:
        lacking = "no host or no user"
    elif not (address.host_key or address.known_hosts):
        lacking = "nothing that the server is known by"
    elif address.password is None and address.private_key is None:
        lacking = "neither a password nor a private key"
    if lacking is None:
        return address
    raise _misdescribed(connection.id, lacking)


def _misdescribed(obj: str, lacking: str) -> SourceMisdescribed:
    return SourceMisdescribed(
        obj,
        found=f"an SFTP connection with {lacking}",
        expected="sftp://user@host/path with host_key=SHA256:… or known_hosts=…, and a password "
        "or private_key=…",
        remedy="correct the connection; `ssh-keyscan host | ssh-keygen -lf -` shows the "
        "fingerprint to compare with what the department says",
    )


def _options(address: Address) -> asyncssh.SSHClientConnectionOptions:
    expected = address.host_key

    class Client(asyncssh.SSHClient):
        """Knows the server by its key's fingerprint, where one is given."""

        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            del host, addr, port
            return expected is not None and key.get_fingerprint() == expected

    return asyncssh.SSHClientConnectionOptions(
        client_factory=Client,
        known_hosts=address.known_hosts or (lambda *_: ([], [], [])),
        username=address.user,
        password=address.password,
        client_keys=[address.private_key] if address.private_key else None,
        passphrase=address.passphrase,
        agent_path=None,
        config=None,
        connect_timeout=CONNECT_SECONDS,
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=ALIVE_SECONDS,
        keepalive_count_max=3,
    )


async def _copy(file: Any, copy: Any, size: int) -> None:
    place = copy.tell()
    while place < size:
        chunk = await file.read(min(CHUNK, size - place), place)
        if not chunk:
            return
        copy.write(chunk)
        place += len(chunk)


def _seen(name: str, attributes: Any) -> Seen:
    nanoseconds = (attributes.mtime or 0) * 1_000_000_000 + (attributes.mtime_ns or 0)
    return Seen(name, attributes.size or 0, nanoseconds)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _meaning(obj: str, error: Exception) -> SourceError:
    match error:
        case asyncssh.HostKeyNotVerifiable():
            found = "a server with another key than the expected one"
            remedy = "ask the department for its key's fingerprint; do not just take the new one"
        case asyncssh.PermissionDenied() | asyncssh.KeyImportError():
            found = "it does not let the account sign in, or the private key cannot be read"
            remedy = "correct the account, its password or its key"
        case asyncssh.SFTPPermissionDenied():
            found = "the account may not read the folder or file"
            remedy = "ask the department to let the account read its drop folder"
        case _:
            return SourceUnreachable(
                obj,
                found="no answer from the SFTP server, or the connection broke",
                expected="a server that delivers the drop folder's files",
                remedy="see whether it is up and the network open; the pull can be tried again",
            )
    return SourceRefused(obj, found=found, expected="a known server, open to us", remedy=remedy)
