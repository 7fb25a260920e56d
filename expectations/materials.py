"""Materials of guides and cases: catalogued, not beyond the guide, forms that open.

Pure over tables and files that are handed in. A guide's materials are rows of item and material
(``guide_materials`` makes them from the JSON of a guide), a case's those that were asked of it.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from expectations.guide_rules import listed

_OFFICE = frozenset({".docx", ".xlsx", ".wps", ".et", ".ofd", ".zip"})
"""Formats that are ZIP archives inside; OFD too (GB/T 33190-2016)."""

_MAGIC: Mapping[str, bytes] = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".doc": b"\xd0\xcf\x11\xe0",
    ".xls": b"\xd0\xcf\x11\xe0",
}


@dataclass(frozen=True)
class Material:
    """One material that an item's guide asks for."""

    item: str
    name: str
    code: str | None = None
    blank_form: str | None = None
    sample_form: str | None = None
    is_form: bool = False


@dataclass(frozen=True)
class Form:
    """A blank or sample form of a guide, and whether one can download and open it.

    Attributes:
        which: ``blank_form`` or ``sample_form``.
        state: ``ok``, ``missing`` (no file is named, or there is none) or ``broken``.
        sha256: Of the file's bytes; None where there is none.
    """

    item: str
    material: str
    which: str
    state: str
    sha256: str | None = None


@dataclass(frozen=True)
class Beyond:
    """A material that was asked of a case and is not in the guide of its item."""

    case_no: str
    item: str
    material: str


@dataclass(frozen=True)
class Disagreement:
    """An element of a guide that two sources of it tell differently, with both values."""

    item: str
    element: str
    first: str | None
    second: str | None


def guide_materials(guides: Iterable[tuple[str, str | None]]) -> Iterator[Material]:
    """Materials of guides given as item code and the JSON of ``materials``."""
    for item, text in guides:
        for one in listed(text):
            yield Material(
                item,
                str(one.get("name") or ""),
                one.get("code"),
                one.get("blank_form"),
                one.get("sample_form"),
                bool(one.get("is_form")),
            )


def uncatalogued(materials: Iterable[Material], catalogue: set[str]) -> dict[str, list[str]]:
    """For each item its materials whose code the material catalogue does not have (S003 二(二))."""
    found: dict[str, list[str]] = {}
    for one in materials:
        if one.code not in catalogue:
            found.setdefault(one.item, []).append(one.name)
    return found


def forms(materials: Iterable[Material], folder: Path) -> list[Form]:
    """Whether every form has a blank and a filled sample that exist and open (S001 二(五)4).

    Args:
        materials: The guide's materials; those that are no forms need none.
        folder: Where the files are; a name that leads out of it counts as missing.
    """
    return [
        _form(one, which, getattr(one, which), folder)
        for one in materials
        if one.is_form
        for which in ("blank_form", "sample_form")
    ]


def beyond_the_guide(
    asked: Iterable[tuple[str, str, str]], materials: Iterable[Material]
) -> list[Beyond]:
    """What cases or supplement notices ask for beyond the guide (S003 二(四)); must be empty.

    Args:
        asked: Case number, item code and material name.
        materials: The materials of all guides.
    """
    known = {(one.item, one.name) for one in materials}
    return [Beyond(case, item, name) for case, item, name in asked if (item, name) not in known]


def disagreements(first: pa.Table, second: pa.Table, key: str) -> list[Disagreement]:
    """Elements that two sources of the same guides tell differently, by item and element.

    The columns that both have are compared; an item that one source lacks differs in all of them.
    """
    columns = [name for name in first.column_names if name in second.column_names and name != key]
    ours = {row[key]: row for row in first.to_pylist()}
    theirs = {row[key]: row for row in second.to_pylist()}
    return [
        Disagreement(item, column, _text(one.get(column)), _text(other.get(column)))
        for item in sorted({*ours, *theirs})
        for one, other in [(ours.get(item, {}), theirs.get(item, {}))]
        for column in columns
        if one.get(column) != other.get(column)
    ]


def sequence_faults(members: Sequence[tuple[str, int, str]]) -> dict[str, str]:
    """Packages (一件事) whose members are not numbered from 1 without a gap, or are there twice.

    Args:
        members: Package code, number and item code.

    Returns:
        What is wrong, by package code.
    """
    packages: dict[str, list[tuple[int, str]]] = {}
    for package, number, item in members:
        packages.setdefault(package, []).append((number, item))
    faults = {}
    for package, rows in packages.items():
        numbers = sorted(number for number, _ in rows)
        if numbers != list(range(1, len(rows) + 1)):
            faults[package] = f"numbers {', '.join(map(str, numbers))}, expected 1 to {len(rows)}"
        elif len({item for _, item in rows}) < len(rows):
            faults[package] = "an item is there twice"
    return faults


def _form(material: Material, which: str, name: str | None, folder: Path) -> Form:
    path = (folder / name).resolve() if name else None
    if path is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        return Form(material.item, material.name, which, "missing")
    data = path.read_bytes()
    state = "ok" if _opens(path, data) else "broken"
    return Form(material.item, material.name, which, state, hashlib.sha256(data).hexdigest())


def _opens(path: Path, data: bytes) -> bool:
    suffix = path.suffix.lower()
    if suffix in _OFFICE:
        return zipfile.is_zipfile(path) and zipfile.ZipFile(path).testzip() is None
    return bool(data) and data.startswith(_MAGIC.get(suffix, b""))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
