"""Files of a drop folder on this machine: listed, described, and watched while they are read."""

import asyncio
import contextlib
import errno
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote, urlsplit

from catalog.model import SourceSpec
from yishu.sources.arrival import Seen
from yishu.sources.errors import (
    SourceChanged,
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
    SourceUnreadable,
    SpoolFull,
)
from yishu.sources.protocol import Connection


@dataclass(frozen=True)
class DroppedFile:
    """A file as it was when the pull chose it.

    Attributes:
        touched_ns: The file system's own time of the last change of content or attributes, which
            no program can set back as it can ``changed_ns``.
    """

    path: Path
    size: int
    changed_ns: int
    inode: int
    touched_ns: int = field(default=0, repr=False)

    @classmethod
    def at(cls, path: Path) -> "DroppedFile":
        """The file as it is now.

        Raises:
            OSError: it cannot be reached.
        """
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns, stat.st_ino, stat.st_ctime_ns)

    def digest(self) -> str:
        """SHA-256 of the file, in hex: what is kept of a delivery instead of a copy."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def require_unchanged(self, obj: str) -> None:
        """Let pass only a file that is still the one that was chosen.

        Raises:
            SourceChanged: it was written to, replaced or removed.
        """
        try:
            same = DroppedFile.at(self.path) == self
        except OSError:
            same = False
        if not same:
            raise changed(obj)


def changed(obj: str) -> SourceChanged:
    """What to say of a delivery that is no longer what it was when the pull chose it."""
    return SourceChanged(
        obj,
        found="the file changed while it was read",
        expected="a delivery that is complete before it has its name",
        remedy="ask the department to write under a name ending in .part and rename at the end; "
        "the pull can be tried again",
    )


class LocalFolder:
    """A drop folder that is mounted here."""

    def __init__(self, connection: Connection) -> None:
        self._id = connection.id
        is_url = connection.url.startswith("file://")
        path = unquote(urlsplit(connection.url).path) if is_url else connection.url
        self._path = Path(path)

    def listing(self, patterns: tuple[str, ...]) -> list[Seen]:
        """The files that the patterns name, each once.

        Raises:
            SourceUnreachable: the folder is not there.
            SourceRefused: it may not be read.
        """
        try:
            if not self._path.is_dir():
                raise NotADirectoryError
            return self._listed(patterns)
        except OSError as error:
            raise unreadable_file(self._id, error) from None

    async def look(self, patterns: tuple[str, ...]) -> list[Seen]:
        """As ``listing``, for a caller that must not block."""
        return await asyncio.to_thread(self.listing, patterns)

    def bring(self, seen: Seen, spool: Path) -> DroppedFile:
        """The file, where it lies; it must still be the one that was seen.

        Raises:
            SourceChanged: it is another one by now.
        """
        del spool  # nothing is copied
        path = self._path / seen.name
        try:
            file = DroppedFile.at(path)
        except FileNotFoundError:
            raise changed(f"{self._id}: {seen.name}") from None
        if (file.size, file.changed_ns, file.inode) != (seen.size, seen.changed_ns, seen.inode):
            raise changed(f"{self._id}: {seen.name}")
        return file

    def read_small(self, name: str, most: int) -> bytes | None:
        """At most that many bytes of a file beside the data; None when there is none."""
        try:
            with (self._path / name).open("rb") as file:
                return file.read(most)
        except FileNotFoundError:
            return None

    def _listed(self, patterns: tuple[str, ...]) -> list[Seen]:
        found: dict[str, Seen] = {}
        for path in (path for one in patterns for path in self._path.glob(one)):
            # A file may be renamed or removed between being listed and being looked at.
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                name = path.relative_to(self._path).as_posix()
                if S_ISREG(stat.st_mode) and self._stays_inside(path):
                    found[name] = Seen(name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
        return list(found.values())

    def _stays_inside(self, path: Path) -> bool:
        # A link that somebody dropped must not make us read another part of this machine.
        return path.resolve().is_relative_to(self._path.resolve())


def unreadable_file(obj: str, error: OSError) -> SourceError:
    """What the operating system's refusal of a file or folder means."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return SpoolFull(
            obj,
            found="no room left on the disk where deliveries are kept while they are read",
            expected="room for the delivery, unpacked",
            remedy="free room under var/landing, or give it a larger disk; nothing was taken and "
            "the pull can be tried again",
        )
    if isinstance(error, PermissionError):
        return SourceRefused(
            obj,
            found="no permission to read the drop folder or file",
            expected="files that the pull's account may read",
            remedy="correct owner or mode of the drop folder",
        )
    return SourceUnreachable(
        obj,
        found="the drop folder or file cannot be reached",
        expected="a mounted folder",
        remedy="see whether the share is mounted; the pull can be tried again",
    )


def require_header(obj: str, names: list[str]) -> list[str]:
    """Let pass only a first line that can be one of column names: each a word, each once.

    The names are not repeated in the message: without a header they would be data values.

    Raises:
        SourceUnreadable: the line is missing or is no header.
    """
    fault = None
    if not names:
        fault = "no first line"
    elif any(not any(char.isalpha() for char in name) for name in names):
        fault = "a first line in which some names are empty or hold no letter"
    elif len(set(names)) < len(names):
        fault = "a first line in which a name stands twice"
    if fault is None:
        return names
    raise SourceUnreadable(
        obj,
        found=fault,
        expected="a first line with a different name for each column",
        remedy="ask the department to deliver the file with its header line",
    )


def pattern_of(spec: SourceSpec, connection: Connection) -> str:
    """The name pattern of an entry's deliveries, once it is known to stay in the drop folder.

    Raises:
        SourceMisdescribed: it is missing or leads out.
    """
    pattern = spec.path or ""
    if pattern and not pattern.startswith("/") and ".." not in pattern.split("/"):
        return pattern
    raise SourceMisdescribed(
        connection.id,
        found="no source.path, or one that leads out of the drop folder",
        expected="a file name pattern inside the drop folder, e.g. permits_*.csv",
        remedy="correct the catalog entry's source.path",
    )
