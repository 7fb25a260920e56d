"""Catalog files -> models, with every fault of every file in one go.

``entries/<department>/<entry>.yaml``, ``subjects/``, ``code_lists/`` and ``profiles/`` hold one
object a file, named after it; ``elements.yaml``, ``departments.yaml`` and ``systems.yaml`` hold a
list under a key of the same name; the last of them may be left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from catalog.document import Document, read_document
from catalog.faults import Fault, Finding, KeyPath, in_order
from catalog.kinds import MODELS, Kind
from catalog.mending import mend
from catalog.model import Catalog, Model
from catalog.positions import Place, Positions
from catalog.wording import finding_of

_LIST_FILES = (Kind.ELEMENT, Kind.DEPARTMENT, Kind.SYSTEM)
_MAY_BE_MISSING = {Kind.SYSTEM}
_FOLDERS = (Kind.ENTRY, Kind.SUBJECT, Kind.CODE_LIST, Kind.PROFILE)


@dataclass(frozen=True)
class Reading:
    """What the files of a catalog say.

    Attributes:
        catalog: The objects that are sound in themselves.
        draft: The same, and the faulty ones with placeholders where their faults are: cross checks
            run on it, so that one fault hides no other. Never released.
        faults: Faults of single files and objects.
        positions: Where each object stands.
    """

    catalog: Catalog
    draft: Catalog
    faults: list[Fault]
    positions: Positions


def load_catalog(root: Path) -> tuple[Catalog, list[Fault]]:
    """The sound objects of a catalog folder, and the faults of the others.

    ``catalog.check.check_folder`` adds the cross checks.
    """
    reading = read_catalog(root)
    return reading.catalog, reading.faults


def load_registers(root: Path) -> tuple[Catalog, list[Fault]]:
    """The same without entries: what entries are compiled against."""
    reading = read_catalog(root, folders=tuple(kind for kind in _FOLDERS if kind != Kind.ENTRY))
    return reading.catalog, reading.faults


def read_catalog(root: Path, *, folders: tuple[Kind, ...] = _FOLDERS) -> Reading:
    """Read all files of a catalog folder; nothing that they hold raises."""
    reader = _Reader(root)
    for kind in _LIST_FILES:
        reader.read_list(kind, f"{kind}.yaml")
    for kind in folders:
        reader.read_folder(kind)
    draft: dict[str, Any] = {kind.value: reader.draft[kind] for kind in Kind}
    return Reading(
        Catalog(**{kind: reader.sound[kind] for kind in Kind}),
        # Not validated again: a draft keeps objects under ids that no sound object may have.
        Catalog.model_construct(**draft),
        in_order(reader.faults),
        reader.positions,
    )


def _empty() -> dict[Kind, dict[str, Model]]:
    return {kind: {} for kind in Kind}


@dataclass
class _Reader:
    root: Path
    sound: dict[Kind, dict[str, Model]] = field(default_factory=_empty)
    draft: dict[Kind, dict[str, Model]] = field(default_factory=_empty)
    faults: list[Fault] = field(default_factory=list)
    positions: Positions = field(default_factory=Positions)

    def __post_init__(self) -> None:
        self.positions.root = self.root

    def read_list(self, kind: Kind, file: str) -> None:
        """Read a file that lists objects under one key."""
        if not (self.root / file).is_file():
            if kind in _MAY_BE_MISSING:
                return
            self.faults.append(_missing(file, f"a file with a list under `{kind}:`"))
            return
        document = read_document(self.root, file)
        self.faults += document.faults
        content = document.data
        records = content.get(kind.value) if isinstance(content, dict) else None
        if not isinstance(records, list) or len(content) != 1:
            if document.data is not None:
                self.faults.append(_not_a_list(file, kind))
            return
        for position, record in enumerate(records):
            self._read(kind, record, document, (kind.value, position), None)

    def read_folder(self, kind: Kind) -> None:
        """Read a folder of files that hold one object each."""
        folder = self.root / kind.value
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if not files:
            self.faults.append(_missing(f"{kind}/", "a folder with one YAML file an object"))
        for path in files:
            file = path.relative_to(self.root).as_posix()
            expected = _id_of(kind, PurePosixPath(file))
            if path.name.startswith("."):
                continue
            if expected is None:
                self.faults.append(_misplaced(file, kind))
                continue
            document = read_document(self.root, file)
            self.faults += document.faults
            if document.data is None:
                self.positions.unread.add((kind, expected))
            else:
                self._read(kind, document.data, document, (), expected)

    def _read(
        self, kind: Kind, data: Any, document: Document, base: KeyPath, expected: str | None
    ) -> None:
        """Make one object of its data; ``expected`` is the id that its file's name promises."""
        own = data.get("id") if isinstance(data, dict) else None
        id_ = own if isinstance(own, str) else expected or f"{kind.value}[{base[-1]}]"
        ref, place = (kind, id_), Place(document.file, base)
        if self._is_taken(ref, place):
            return
        self.positions.places[ref] = place
        findings = list(_misnamed(kind, id_, expected)) if isinstance(own, str) else []
        unread = {path[len(base) :] for path in document.unread if path[: len(base)] == base}
        findings += self._make(ref, data, unread)
        self.faults += [self.positions.fault(finding) for finding in findings]
        is_sound = not findings and not document.faults
        if is_sound and id_ in self.draft[kind]:
            self.sound[kind][id_] = self.draft[kind][id_]

    def _make(self, ref: tuple[Kind, str], data: Any, unread: set[KeyPath]) -> list[Finding]:
        """Put the object into the draft, mended if need be; return what is wrong with it."""
        kind, id_ = ref
        model = MODELS[kind]
        try:
            self.draft[kind][id_] = model.model_validate(data)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=True)
            found = [finding_of(kind, id_, model, dict(problem)) for problem in problems]
            unknown = [f.path for f in found if f.code == "CAT_KEY_UNKNOWN"]
            bad = [f.path for f in found if f.code != "CAT_KEY_UNKNOWN"]
            mended, filled = (
                mend(model, data, unknown=unknown, bad=bad)
                if isinstance(data, dict)
                else (None, ())
            )
            if mended is None:
                self.positions.unread.add(ref)
            else:
                self.draft[kind][id_] = mended
                self.positions.mended[ref] = filled
            return [finding for finding in found if finding.path not in unread]
        return []

    def _is_taken(self, ref: tuple[Kind, str], place: Place) -> bool:
        first = self.positions.places.get(ref)
        if first is None:
            return False
        again = Positions(self.root, {ref: place})
        there = self.positions.fault(Finding(*ref, ("id",), "", "", "", ""))
        self.faults.append(
            again.fault(
                Finding(
                    *ref,
                    ("id",),
                    "CAT_ID_DUPLICATE",
                    found=f"the id a second time, first in {there.file}:{there.line}",
                    expected="an id of its own",
                    remedy="rename or delete one of the two",
                )
            )
        )
        return True


def _id_of(kind: Kind, file: PurePosixPath) -> str | None:
    """The id that a file's place promises; None when the file is in the wrong place."""
    depth = 3 if kind is Kind.ENTRY else 2
    if file.suffix != ".yaml" or len(file.parts) != depth:
        return None
    return ".".join((*file.parts[1:-1], file.stem))


def _misnamed(kind: Kind, id_: str, expected: str | None) -> Iterator[Finding]:
    if expected is not None and id_ != expected:
        yield Finding(
            kind,
            id_,
            ("id",),
            "CAT_ID_MISPLACED",
            found=f"`{id_}`",
            expected=f"`{expected}`, as the folder and file are called",
            remedy="correct the id or move the file",
        )


def _missing(file: str, expected: str) -> Fault:
    return Fault(
        "CAT_FILE_MISSING",
        file,
        1,
        file,
        found="nothing",
        expected=expected,
        remedy="create it, or give the folder that holds the catalog",
    )


def _misplaced(file: str, kind: Kind) -> Fault:
    layout = "entries/<department>/<entry>.yaml" if kind is Kind.ENTRY else f"{kind}/<id>.yaml"
    return Fault(
        "CAT_FILE_MISPLACED",
        file,
        1,
        file,
        found="a file that nobody reads here",
        expected=layout,
        remedy="move or rename the file",
    )


def _not_a_list(file: str, kind: Kind) -> Fault:
    return Fault(
        "CAT_VALUE_INVALID",
        file,
        1,
        file,
        found="something else",
        expected=f"the single key `{kind}:` with a list",
        remedy=f"put all objects of the file under `{kind}:`, one `- id: …` each",
    )
