"""Deliveries: which one a pull reads, whether it is whole, what it holds; for every kind of file.

A delivery is one file in a drop folder, here or behind SFTP, or a zip file with several data files
of the same columns, which count as one table. It is compared with its manifest before a row is
read, and with itself after the last one.
"""

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from shutil import rmtree
from types import TracebackType
from typing import ClassVar, Protocol, Self

import pyarrow as pa

from catalog.model import SourceSpec
from yishu.sources import archive
from yishu.sources.arrival import (
    Seen,
    Watch,
    deliveries,
    manifest_names,
    may_settle,
    patterns,
)
from yishu.sources.errors import (
    DeliveryMismatch,
    SourceFileMissing,
    SourceIncomplete,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.files import DroppedFile, LocalFolder, pattern_of, unreadable_file
from yishu.sources.manifest import MOST_BYTES, NOTHING_PROMISED, Promise, promises
from yishu.sources.protocol import Connection, Delivery, SourceColumn


class Folder(Protocol):
    """A drop folder, wherever it is."""

    def listing(self, patterns: tuple[str, ...]) -> list[Seen]:
        """The files that the patterns name, each once."""

    async def look(self, patterns: tuple[str, ...]) -> list[Seen]:
        """As ``listing``, for a caller that must not block."""

    def bring(self, seen: Seen, spool: Path) -> DroppedFile:
        """That very file as one that can be read here; a copy goes into ``spool``."""

    def read_small(self, name: str, most: int) -> bytes | None:
        """At most that many bytes of a file beside the data; None when there is none."""


class Part(Protocol):
    """One data file of a delivery, opened and known to have a header."""

    @property
    def columns(self) -> list[SourceColumn]:
        """Its columns, in its order."""

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """The schema of batches of these columns."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """These columns in the file's row order, in batches of at most ``MAX_BATCH_ROWS``."""

    def close(self) -> None:
        """Close what is open."""


@dataclass(frozen=True)
class _Brought:
    """The delivery that is read; its digest is taken beside, while the rows are read."""

    seen: Seen
    file: DroppedFile
    digest: Future[str]


@dataclass(frozen=True)
class _Opened:
    obj: str
    file: DroppedFile
    part: Part
    promise: Promise


class DropSource(ABC):
    """The newest delivery of a name pattern in a drop folder.

    Attributes:
        endings: Name endings of this kind's data files in a zip file, in lower case.
    """

    endings: ClassVar[tuple[str, ...]]

    def __init__(self, spec: SourceSpec, connection: Connection) -> None:
        self._spec = spec
        self._connection = connection
        self._kept_in: Path | None = None
        self._settled: Seen | None = None
        self._folder = folder_of(connection)
        self._open_things = ExitStack()
        self._brought: _Brought | None = None
        self._promise = NOTHING_PROMISED
        self._parts: list[_Opened] = []

    @abstractmethod
    def open_part(self, obj: str, file: DroppedFile) -> Part:
        """Open one data file of the delivery."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open_things.close()
        self._brought = None
        self._parts = []

    def resume_in(self, folder: Path) -> None:
        """Keep in that private folder what has to be brought here, broken downloads included.

        Called before anything is asked. Without it a temporary folder goes with the source.
        """
        self._kept_in = folder

    def expect(self, settled: Seen) -> None:
        """Take the delivery that a wait saw arrive in full, if it is still there unchanged."""
        self._settled = settled

    def delivered(self) -> Delivery:
        """The delivery that is read: chosen once, at the first question.

        Raises:
            SourceFileMissing: nothing has been delivered, or not in full.
            SourceUnreachable: the drop folder is not there.
            SourceUnreadable: the delivery or its manifest is damaged, or they differ.
        """
        brought = self._opened()
        try:
            return Delivery(brought.seen, brought.digest.result())
        except OSError as error:
            raise unreadable_file(self._obj, error) from None

    def columns(self) -> list[SourceColumn]:
        """The header's names; files without types of their own have columns of ``string``."""
        self._opened()
        return self._parts[0].part.columns

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns in the delivery's row order.

        Raises:
            SourceColumnMissing: a column is not there.
            SourceUnreadable: a file is damaged or has other rows than its manifest promises.
            SourceChanged: the delivery was written to or replaced meanwhile.
        """
        found = [column.name for column in self.columns()]
        require_columns(self._obj, found, columns)
        return self._stream(columns)

    @property
    def _obj(self) -> str:
        return f"{self._connection.id}: {self._opened().seen.name}"

    def _stream(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        total = 0
        for opened in self._parts:
            rows = 0
            for batch in opened.part.batches(columns):
                rows += batch.num_rows
                if batch.num_rows:
                    yield batch
            opened.file.require_unchanged(opened.obj)
            opened.promise.check_rows(opened.obj, rows)
            total += rows
        self.delivered()  # so that the file is compared after its digest was taken
        self._opened().file.require_unchanged(self._obj)
        self._promise.check_rows(self._obj, total)
        if not total:
            schema = self._parts[0].part.schema(columns)
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def _opened(self) -> _Brought:
        if self._brought is None:
            try:
                self._brought = self._opened_delivery()
            except OSError as error:
                self._open_things.close()
                raise unreadable_file(self._connection.id, error) from None
        return self._brought

    def _opened_delivery(self) -> _Brought:
        seen = self._chosen()
        obj = f"{self._connection.id}: {seen.name}"
        spool = self._spool()
        file = self._folder.bring(seen, spool)
        beside = self._open_things.enter_context(ThreadPoolExecutor(1))
        digest = beside.submit(file.digest)
        self._promise = self._promised(obj, seen)
        self._promise.check_digest(obj, digest.result)
        if seen.name.lower().endswith(archive.ENDING):
            found = self._unpacked(obj, file, spool)
        else:
            self._require_promise(obj, self._promise)
            found = [(obj, file, NOTHING_PROMISED)]
        file.require_unchanged(obj)
        self._parts = []
        for name, data, promise in found:
            part = self.open_part(name, data)
            self._open_things.callback(part.close)
            self._parts.append(_Opened(name, data, part, promise))
        self._require_one_header()
        return _Brought(seen, file, digest)

    def _chosen(self) -> Seen:
        pattern = pattern_of(self._spec, self._connection)
        wanted = patterns(pattern)
        listing = self._folder.listing(wanted)
        if self._settled in listing:
            return self._settled
        watch = Watch(self._spec)
        found = watch.look(listing, time.monotonic())
        if found is None and may_settle(self._spec, listing):
            time.sleep(self._spec.settle_seconds)
            at = time.monotonic()
            found = watch.look(self._folder.listing(wanted), at)
        if found is not None:
            return found
        raise _nothing(f"{self._connection.id}: {pattern}", self._spec, listing)

    def _promised(self, obj: str, seen: Seen) -> Promise:
        for name in manifest_names(seen.name):
            content = self._folder.read_small(name, MOST_BYTES)
            if content is None:
                continue
            said = promises(f"{self._connection.id}: {name}", content)
            file = PurePosixPath(seen.name).name
            if file in said:
                return said[file]
            if PurePosixPath(name).name.startswith(file):
                raise _not_named(obj, PurePosixPath(name).name)
        return NOTHING_PROMISED

    def _unpacked(
        self, obj: str, file: DroppedFile, spool: Path
    ) -> list[tuple[str, DroppedFile, Promise]]:
        folder = spool / "unpacked"
        rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        self._open_things.callback(rmtree, folder, ignore_errors=True)
        found = archive.unpack(obj, file.path, folder, self.endings)
        said: Mapping[str, Promise] = {}
        if found.manifest is not None:
            said = promises(f"{obj}, its manifest", found.manifest)
        members = []
        for member in found.members:
            name = f"{obj}, {member.name}"
            promise = said.get(member.name, NOTHING_PROMISED)
            if found.manifest is not None and promise is NOTHING_PROMISED:
                raise _not_named(name, "the manifest in the zip file")
            if self._promise is NOTHING_PROMISED:
                self._require_promise(name, promise)
            promise.check_digest(name, member.file.digest)
            members.append((name, member.file, promise))
        missing = sorted(set(said) - {member.name for member in found.members})
        if missing:
            raise _lacking(obj, missing)
        return members

    def _require_promise(self, obj: str, promise: Promise) -> None:
        if self._spec.manifest_required and promise is NOTHING_PROMISED:
            raise SourceIncomplete(
                obj,
                found="no manifest that names the file",
                expected="a manifest beside it with its rows or SHA-256 (manifest_required)",
                remedy="ask the department for the manifest; the pull can be tried again",
            )

    def _require_one_header(self) -> None:
        first = self._parts[0]
        for other in self._parts[1:]:
            if set(other.part.columns) != set(first.part.columns):
                raise SourceUnreadable(
                    other.obj,
                    found="other columns than in the first file of the delivery",
                    expected="the same columns in every file of a delivery",
                    remedy="ask the department to deliver one table in one zip file",
                )

    def _spool(self) -> Path:
        if self._kept_in is None:
            made = tempfile.TemporaryDirectory(prefix="yishu-")  # mode 0700
            return Path(self._open_things.enter_context(made))
        self._kept_in.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._kept_in


def folder_of(connection: Connection) -> Folder:
    """The drop folder behind a connection."""
    if connection.url.startswith("sftp://"):
        from yishu.sources.sftp import SftpFolder  # noqa: PLC0415  its library, only when needed

        return SftpFolder(connection)
    return LocalFolder(connection)


def _nothing(obj: str, spec: SourceSpec, listing: Sequence[Seen]) -> SourceFileMissing:
    if deliveries(listing):
        return SourceIncomplete(
            obj,
            found="a delivery that is not there in full",
            expected=f"one that is, by the rule {spec.arrival}",
            remedy="wait until the department has finished it; the pull can be tried again",
        )
    if listing:
        return SourceIncomplete(
            obj,
            found="a marker of a finished delivery without its data",
            expected="the data first, the marker after it",
            remedy="ask the department to write the marker last; the pull can be tried again",
        )
    return SourceFileMissing(
        obj,
        found="no finished file of that name",
        expected="at least one delivered file",
        remedy="ask the department to deliver, or correct the entry's source.path",
    )


def _not_named(obj: str, manifest: str) -> DeliveryMismatch:
    return DeliveryMismatch(
        obj,
        found=f"a file that {manifest} does not name",
        expected="a manifest that names every data file",
        remedy="ask the department to deliver file and manifest again; no row was taken",
    )


def _lacking(obj: str, names: Sequence[str]) -> DeliveryMismatch:
    return DeliveryMismatch(
        obj,
        found=f"{len(names)} files fewer than its manifest names ({', '.join(names[:3])})",
        expected="every data file that the manifest names",
        remedy="ask the department to deliver the whole zip file again; no row was taken",
    )
