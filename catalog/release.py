"""The release: one immutable file of the published catalog, which DAGs and stages read.

``<directory>/<release id>.json`` holds the content and its SHA-256; ``<directory>/current`` names
the release in force and is swapped as a whole. Entries are parsed when asked for, so reading one of
thousands costs little more than reading the file.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from catalog.errors import CatalogError, NotCataloged, ReleaseDamaged
from catalog.faults import CatalogFaults
from catalog.kinds import MODELS, Kind
from catalog.model import (
    Catalog,
    CatalogEntry,
    CodeList,
    DataElement,
    Department,
    Model,
    RuleProfile,
    Subject,
    System,
)

M = TypeVar("M", bound=Model)

FORMAT = 1
POINTER = "current"

_HEAD = '{"digest":"sha256:%s","content":'
_HEAD_PATTERN = re.compile(rb'\{"digest":"sha256:([0-9a-f]{64})","content":')
_RELEASE_ID = re.compile(r"\d{4}-\d{2}-\d{2}-[0-9a-f]{12}")
_READ_ONLY = 0o444


class NoRelease(CatalogError):
    """No catalog has been released yet."""

    code = "CAT_NO_RELEASE"


class Models(Mapping[str, M], Generic[M]):
    """Objects by id, parsed on first use.

    Args:
        model: What they are.
        records: Their plain data, by id.
        before: Those of an earlier release: what did not change since need not be parsed again.
    """

    def __init__(
        self, model: type[M], records: Mapping[str, Any], before: "Models[M] | None" = None
    ) -> None:
        self._model = model
        self._records = records
        self._parsed = before.same_in(records) if before else {}

    def same_in(self, records: Mapping[str, Any]) -> dict[str, M]:
        """What was parsed here and has the same plain data there."""
        mine = self._records
        return {id_: one for id_, one in self._parsed.items() if records.get(id_) == mine.get(id_)}

    def __getitem__(self, id_: str) -> M:
        if id_ not in self._parsed:
            record = self._records[id_]
            try:
                self._parsed[id_] = self._model.model_validate(record)
            except ValidationError as error:
                raise ReleaseDamaged(
                    id_,
                    found=f"{error.error_count()} value(s) that this version cannot read",
                    expected="a release written by this version of Yishu",
                    remedy="run `yishu catalog release` again",
                ) from error
        return self._parsed[id_]

    def __contains__(self, id_: object) -> bool:
        return id_ in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


@dataclass(frozen=True)
class Release:
    """A released catalog: a ``CatalogView`` with an id and a date.

    Attributes:
        id: Day of release and the first digits of the content's digest.
        digest: SHA-256 of the content, in hex.
        released_on: Day of release.
    """

    id: str
    digest: str
    released_on: date
    entries: Mapping[str, CatalogEntry]
    elements: Mapping[str, DataElement]
    departments: Mapping[str, Department]
    code_lists: Mapping[str, CodeList]
    subjects: Mapping[str, Subject]
    profiles: Mapping[str, RuleProfile]
    systems: Mapping[str, System] = field(default_factory=dict)

    def entry(self, id_: str) -> CatalogEntry:
        """The released entry of that id.

        Raises:
            NotCataloged: the release has no such entry.
        """
        if id_ not in self.entries:
            raise NotCataloged(
                id_,
                found=f"no such entry among the {len(self.entries)} of release {self.id}",
                expected="a published catalog entry (S004 Art.14, Art.15)",
                remedy="catalog the data first: add the entry, then `yishu catalog release`",
            )
        return self.entries[id_]


def compile_release(catalog: Catalog, released_on: date) -> dict[str, Any]:
    """The content of a release as plain JSON data; pure, the same catalog gives the same content.

    Raises:
        CatalogFaults: the catalog breaks a rule; nothing faulty is ever released.
    """
    # Only releasing needs the check: tasks read releases, and start sooner without yaml and numpy.
    from catalog.check import check  # noqa: PLC0415

    if faults := check(catalog):
        raise CatalogFaults.of("catalog", faults)
    content: dict[str, Any] = {"format": FORMAT, "released_on": released_on.isoformat()}
    for kind in Kind:
        objects: Mapping[str, Model] = getattr(catalog, kind)
        content[kind.value] = {
            id_: one.model_dump(mode="json", exclude_none=True) for id_, one in objects.items()
        }
    return content


def write_release(directory: Path, content: Mapping[str, Any]) -> Release:
    """Write a release file and point to it; the pointer moves only when the file reads back well.

    Writing the same content again changes nothing. Release files are read-only and never changed.

    Returns:
        The release, read back from the file.
    """
    directory.mkdir(parents=True, exist_ok=True)
    body = _canonical(content)
    digest = hashlib.sha256(body).hexdigest()
    path = directory / f"{content['released_on']}-{digest[:12]}.json"
    data = (_HEAD % digest).encode("ascii") + body + b"}\n"
    if not path.exists() or path.read_bytes() != data:
        _replace(path, data, _READ_ONLY)
    release = load_release(path)
    _replace(directory / POINTER, f"{release.id}\n".encode("ascii"), 0o644)
    return release


def load_release(path: Path, before: Release | None = None) -> Release:
    """Read one release file.

    Args:
        path: The file.
        before: A release that was read before; what is the same in both is parsed once.

    Raises:
        ReleaseDamaged: it cannot be read, or is not what was written.
    """
    body, digest = _verified(path)
    try:
        content = from_json(body)
        if content["format"] != FORMAT:
            raise _damaged(path, f"format {content['format']}", f"format {FORMAT}")
        views: dict[str, Any] = {
            kind.value: Models(MODELS[kind], content[kind.value], getattr(before, kind.value, None))
            for kind in Kind
            # Releases of before there were systems have none.
            if kind is not Kind.SYSTEM or kind.value in content
        }
        released_on = date.fromisoformat(content["released_on"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"content without {error}", "the content of a release") from error
    id_ = f"{released_on.isoformat()}-{digest[:12]}"
    if path.stem != id_:
        raise _damaged(path, f"release {id_} under another name", f"the file {id_}.json")
    return Release(id=id_, digest=digest, released_on=released_on, **views)


def current_release(directory: Path) -> Release:
    """The release in force.

    Raises:
        NoRelease: nothing was released into the directory yet.
        ReleaseDamaged: the pointer or the file it names is damaged.
    """
    return load_release(current_file(directory))


def current_file(directory: Path) -> Path:
    """The file of the release in force, unread.

    Raises:
        NoRelease: nothing was released into the directory yet.
        ReleaseDamaged: the pointer is damaged.
    """
    pointer = directory / POINTER
    try:
        id_ = pointer.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NoRelease(
            str(directory),
            found="no release",
            expected=f"a file `{POINTER}` that names the release in force",
            remedy="run `yishu catalog release`",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(
            pointer, f"a pointer that cannot be read: {error}", "a release id"
        ) from error
    if not _RELEASE_ID.fullmatch(id_):
        raise _damaged(pointer, f"`{id_[:60]}`", "a release id such as 2026-01-31-0123456789ab")
    return directory / f"{id_}.json"


def _canonical(content: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys and without spaces, in UTF-8: equal content gives equal bytes."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def _verified(path: Path) -> tuple[bytes, str]:
    """The bytes of the content, checked against the digest in front of them, and the digest."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _damaged(path, f"a file that cannot be read: {error.strerror}", "a file") from error
    head = _HEAD_PATTERN.match(data)
    if head is None or not data.endswith(b"}\n"):
        raise _damaged(path, "a file that is cut off or no release", "a release file")
    body = data[head.end() : -2]
    digest = hashlib.sha256(body).hexdigest()
    written = head.group(1).decode("ascii")
    if digest != written:
        raise _damaged(path, f"content with SHA-256 {digest[:12]}…", f"{written[:12]}…")
    return body, digest


def _damaged(path: Path, found: str, expected: str) -> ReleaseDamaged:
    return ReleaseDamaged(
        str(path),
        found=found,
        expected=expected,
        remedy="run `yishu catalog release` to write the release anew",
    )


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write beside, flush to disk, then swap: a reader sees the old file or the new, never half."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
