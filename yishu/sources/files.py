"""Drop folders: which file a pull reads, and whether it stayed the same while it was read.

Shared by CSV and XLSX. A department delivers whole files; the newest by name is the delivery.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from catalog.model import SourceSpec
from yishu.sources.errors import (
    SourceChanged,
    SourceFileMissing,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
    SourceUnreadable,
)
from yishu.sources.protocol import Connection

UNFINISHED = (".part", ".tmp")
"""Name endings of files that are still being written."""

HIDDEN = (".", "~$")
"""Name beginnings of hidden files and of the lock files that office programs leave."""


@dataclass(frozen=True)
class DroppedFile:
    """A delivered file as it was when the pull chose it."""

    path: Path
    size: int
    changed_ns: int
    inode: int

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
            same = _as_it_is(self.path) == self
        except OSError:
            same = False
        if not same:
            raise SourceChanged(
                obj,
                found="the file changed while it was read",
                expected="a delivery that is complete before it has its name",
                remedy="ask the department to write under a name ending in .part and rename at "
                "the end; the pull can be tried again",
            )


def newest(spec: SourceSpec, connection: Connection) -> DroppedFile:
    """The delivery: of the files that the entry's pattern names, the last one by name.

    Raises:
        SourceMisdescribed: the pattern is missing or leads out of the drop folder.
        SourceUnreachable: the drop folder is not there.
        SourceFileMissing: no file has been delivered.
    """
    pattern = _pattern(spec, connection)
    folder = _folder(connection)
    try:
        if not folder.is_dir():
            raise NotADirectoryError
        found = [path for path in folder.glob(pattern) if path.is_file() and _finished(path.name)]
        if found:
            return _as_it_is(max(found, key=lambda path: path.name))
    except OSError as error:
        raise unreadable_file(connection.id, error) from None
    raise SourceFileMissing(
        f"{connection.id}: {pattern}",
        found="no finished file of that name",
        expected="at least one delivered file",
        remedy="ask the department to deliver, or correct the entry's source.path",
    )


def unreadable_file(obj: str, error: OSError) -> SourceRefused | SourceUnreachable:
    """What the operating system's refusal of a drop folder or file means."""
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


def _pattern(spec: SourceSpec, connection: Connection) -> str:
    pattern = spec.path or ""
    parts = PurePosixPath(pattern)
    if pattern and not parts.is_absolute() and ".." not in parts.parts:
        return pattern
    raise SourceMisdescribed(
        connection.id,
        found="no source.path, or one that leads out of the drop folder",
        expected="a file name pattern inside the drop folder, e.g. permits_*.csv",
        remedy="correct the catalog entry's source.path",
    )


def _folder(connection: Connection) -> Path:
    if connection.url.startswith("file://"):
        return Path(unquote(urlsplit(connection.url).path))
    return Path(connection.url)


def _finished(name: str) -> bool:
    return not name.startswith(HIDDEN) and not name.lower().endswith(UNFINISHED)


def _as_it_is(path: Path) -> DroppedFile:
    stat = path.stat()
    return DroppedFile(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)
