"""Where a table lies, who may write it now, and what an interrupted run left behind."""

import fcntl
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from yishu.library.errors import LibraryConflict, TableMissing, VersionMissing

_NAME = re.compile(
    r"unified/([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)|subject/([a-z][a-z0-9_]*)", re.ASCII
)
_OWNER_ONLY = 0o700
_WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class Place:
    """One table of the library: ``root`` of the library and the table's name."""

    root: Path
    table: str

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.table) is None:
            raise TableMissing(
                self.table,
                found="a name that no table can have",
                expected="unified/<department>.<entry> or subject/<subject>",
                remedy="list the tables of the library",
            )

    @property
    def path(self) -> Path:
        """The folder of the Delta table."""
        return self.root.joinpath(*self._parts)

    @property
    def staging(self) -> Path:
        """Scratch space of whoever holds the lock; nobody reads it afterwards."""
        return self.root.joinpath(".staging", *self._parts)

    @property
    def _parts(self) -> list[str]:
        layer, _, name = self.table.partition("/")
        return [layer, *name.split(".")]

    def exists(self) -> bool:
        """Whether a version was ever published."""
        return DeltaTable.is_deltatable(str(self.path))

    def open(self, version: int | None = None) -> DeltaTable:
        """The Delta table at a version (None: the newest).

        Raises:
            TableMissing: nothing was published under that name.
        """
        if not self.exists():
            raise TableMissing(
                self.table,
                found="nothing published",
                expected="at least one published version",
                remedy="run the pipeline of the entry or subject, or list the tables",
            )
        return DeltaTable(str(self.path), version=version)

    def files(self, opened: DeltaTable) -> list[str]:
        """The data files of an opened version, as absolute paths."""
        # file_uris() is percent-encoded, which readers of plain paths do not understand.
        paths = opened.get_add_actions(flatten=True).column("path").to_pylist()
        return [str(self.path / path) for path in paths]

    @contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Hold the table's lock; it ends with the process, however that ends.

        Raises:
            LibraryConflict: another writer still held it after ``wait`` seconds.
        """
        with locked(self.root, Path(*self._parts), self.table, wait):
            yield

    def clean(self) -> None:
        """Remove what an interrupted run left; only under the lock."""
        shutil.rmtree(self.staging, ignore_errors=True)
        if self.path.exists() and not self.exists():
            shutil.rmtree(self.path)
        make_private(self.root / ".staging")
        self.staging.mkdir(parents=True)


def newest_version(root: Path, table: str) -> int | None:
    """The newest version of a table; None where nothing was published under that name."""
    place = Place(root, table)
    return int(place.open().version()) if place.exists() else None


def open_version(place: Place, version: int | None) -> DeltaTable:
    """A Delta table at a version (None: the newest).

    Raises:
        TableMissing: nothing was published under that name.
        VersionMissing: the table has no such version, or no longer.
    """
    newest = place.open()
    if version is None or version == newest.version():
        return newest
    found = _older(place, version) if 0 <= version < newest.version() else None
    if found is None:
        raise VersionMissing(
            place.table,
            found=f"version {version}",
            expected=f"a version from 0 to {newest.version()} that is still kept",
            remedy="list the commits of the table",
        )
    return found


def _older(place: Place, version: int) -> DeltaTable | None:
    """A version that is not the newest, or None when its log or its files were removed."""
    try:
        opened = place.open(version)
    except DeltaError:
        return None
    return opened if all(Path(file).exists() for file in place.files(opened)) else None


@contextmanager
def locked(root: Path, parts: Path, name: str, wait: float) -> Iterator[None]:
    """Hold a lock of the library; it ends with the process, however that ends.

    Raises:
        LibraryConflict: another writer still held it after ``wait`` seconds.
    """
    path = root.joinpath(".locks", parts).with_suffix(".lock")
    make_private(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        _acquire(file.fileno(), name, wait)
        yield


def _acquire(descriptor: int, name: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise LibraryConflict(
                    name,
                    found=f"another writer, for more than {wait:g} s",
                    expected="one writer at a time",
                    remedy="try again when the other run has ended",
                ) from error
            time.sleep(_WAIT_SECONDS)
        else:
            return


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter; an existing one keeps its modes."""
    folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)


def write_private(source: Path, target: Path) -> None:
    """Move a file to its final place, readable by its owner only, in one step."""
    make_private(target.parent)
    source.chmod(0o600)
    source.replace(target)


def file_name(run_id: str) -> str:
    """A run as part of a file name; different runs have different names."""
    return quote(run_id, safe="+")


def unified_table(entry_id: str) -> str:
    """The table of a catalog entry in the unified database."""
    return f"unified/{entry_id}"


def subject_table(subject_id: str) -> str:
    """The table of a subject in the subject library."""
    return f"subject/{subject_id}"
