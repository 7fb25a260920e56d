"""Zipped deliveries: their data files, brought into a private folder within bounds.

A zip file is input from outside. Its names decide nothing: members are written under names of our
own. A member whose name leads out, a link, an encrypted member stop the pull, as does an archive
that would unpack to more than it may: what its directory declares is checked before, what really
comes out is counted while it is written.
"""

import os
import stat
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from yishu.sources.arrival import MANIFESTS, is_data
from yishu.sources.errors import ArchiveUnsafe, SourceUnreadable
from yishu.sources.files import DroppedFile

ENDING = ".zip"

CHUNK = 1 << 20


@dataclass(frozen=True)
class Bounds:
    """What an archive may be.

    Attributes:
        entries: Members, folders included.
        total: Bytes of all members, unpacked.
        ratio: Unpacked bytes for each packed one; text of registers compresses 5 to 30 times.
        harmless: Bytes up to which the ratio does not matter: a small file of one repeated row.
    """

    entries: int = 1_000
    total: int = 32 * 1024**3
    ratio: int = 200
    harmless: int = 16 * 1024**2


BOUNDS = Bounds()

BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What the reader raises on a damaged member, or one packed in a way it does not know."""


@dataclass(frozen=True)
class Member:
    """A data file that was in an archive; ``name`` is what the archive calls it."""

    name: str
    file: DroppedFile


@dataclass(frozen=True)
class Unpacked:
    """What an archive held: its data files by name, and its manifest as bytes, if any."""

    members: tuple[Member, ...]
    manifest: bytes | None


def unpack(
    obj: str, path: Path, folder: Path, endings: Collection[str], bounds: Bounds = BOUNDS
) -> Unpacked:
    """Write an archive's data files into a private folder.

    Args:
        obj: What errors call the archive.
        path: The archive.
        folder: An empty folder that nobody else may enter.
        endings: Name endings of data files, in lower case.
        bounds: What is let through.

    Raises:
        ArchiveUnsafe: names that lead out, links, or more than the bounds allow.
        SourceUnreadable: it is damaged or encrypted, or holds no data file.
        OSError: the archive cannot be read or the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _require_safe(obj, archive.infolist(), path.stat().st_size, bounds)
            budget = _Budget(obj, path.stat().st_size, bounds)
            manifest = next((i for i in infos if _name(i).lower() in MANIFESTS), None)
            members = [
                Member(_name(info), _write(archive, info, folder, f"{number:04d}", budget))
                for number, info in enumerate(_data_files(infos, endings))
            ]
            said = None if manifest is None else b"".join(_chunks(archive, manifest, budget))
    except BROKEN:
        raise _broken(obj, "a zip file that is damaged, incomplete or packed unusually") from None
    if not members:
        raise _broken(obj, f"a zip file without a data file ({', '.join(endings)}) in it")
    return Unpacked(tuple(members), said)


def check_declared(obj: str, path: Path, bounds: Bounds = BOUNDS) -> None:
    """Let pass only an archive whose directory keeps the bounds; for files that are zip inside.

    Raises:
        ArchiveUnsafe: it does not.
        zipfile.BadZipFile: it is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        _require_safe(obj, archive.infolist(), path.stat().st_size, bounds)


class _Budget:
    """Counts what comes out of an archive, whatever its directory declares."""

    def __init__(self, obj: str, packed: int, bounds: Bounds) -> None:
        self._obj = obj
        self._most = min(bounds.total, max(bounds.harmless, packed * bounds.ratio))
        self._spent = 0

    def spend(self, size: int) -> None:
        self._spent += size
        if self._spent > self._most:
            raise _unsafe(self._obj, f"more than {self._most} bytes in it, unpacked")


def _require_safe(
    obj: str, infos: Collection[zipfile.ZipInfo], packed: int, bounds: Bounds
) -> None:
    if len(infos) > bounds.entries:
        raise _unsafe(obj, f"{len(infos)} members; at most {bounds.entries} are unpacked")
    _Budget(obj, packed, bounds).spend(sum(info.file_size for info in infos))
    for number, info in enumerate(infos, start=1):
        if _leads_out(info.filename) or _leads_out(info.orig_filename):
            raise _unsafe(obj, f"a name that leads out of the archive (member {number})")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _unsafe(obj, f"a link or device (member {number})")
        if info.flag_bits & 0x1:
            raise _broken(obj, "an encrypted zip file")


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(windows.drive or windows.root) or ".." in windows.parts or "\0" in name


def _data_files(
    infos: Collection[zipfile.ZipInfo], endings: Collection[str]
) -> list[zipfile.ZipInfo]:
    found = [
        info
        for info in infos
        if is_data(PurePosixPath(_name(info)).name)
        and not _name(info).startswith("__MACOSX/")
        and _name(info).lower().endswith(tuple(endings))
    ]
    return sorted(found, key=_name)


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name; programs of Chinese Windows write GBK where the format says CP437."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _write(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, name: str, budget: _Budget
) -> DroppedFile:
    # The ending is one of our own list by now; some readers go by it.
    path = folder / f"{name}{PurePosixPath(_name(info)).suffix.lower()}"
    # Owner-only, and never over something that is there already.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        for chunk in _chunks(archive, info, budget):
            file.write(chunk)
    return DroppedFile.at(path)


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> Iterator[bytes]:
    with archive.open(info) as packed:
        while chunk := packed.read(CHUNK):
            budget.spend(len(chunk))
            yield chunk


def _unsafe(obj: str, found: str) -> ArchiveUnsafe:
    return ArchiveUnsafe(
        obj,
        found=f"a zip file with {found}",
        expected="data files of a register, packed by a usual program",
        remedy="do not open it elsewhere; ask the department what it sent, and to deliver again",
    )


def _broken(obj: str, found: str) -> SourceUnreadable:
    return SourceUnreadable(
        obj,
        found=found,
        expected="a whole zip file without a password, with data files in it",
        remedy="ask the department to pack it anew and to deliver it again; no row was taken",
    )
