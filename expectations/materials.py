"""Materials of guides and packages: forms that open, two sources that agree, one set of materials.

Pure over rows and files that are handed in. A guide's materials are rows of item and material
(``guide_materials`` makes them from the JSON of a guide).
"""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        name: The file that the guide names, below the folder of forms; None: it names none.
        state: ``ok``, ``missing`` (no file is named, or there is none) or ``broken``.
        sha256: Of the file's bytes; None where there is none.
    """

    item: str
    material: str
    which: str
    name: str | None
    state: str
    sha256: str | None = None


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


def forms(materials: Iterable[Material], folder: Path) -> list[Form]:
    """Whether every form has a blank and a filled sample that exist and open (S001 二(五)4).

    Args:
        materials: The guide's materials; those that are no forms need none.
        folder: Where the files are; a name that leads out of it counts as missing.
    """
    known: dict[str | None, tuple[str, str | None]] = {}
    found = []
    for one in materials:
        for which in ("blank_form", "sample_form") if one.is_form else ():
            name = getattr(one, which)
            if name not in known:
                known[name] = _state(name, folder)
            found.append(Form(one.item, one.name, which, name, *known[name]))
    return found


def disagreements(
    first: Iterable[Mapping[str, Any]], second: Iterable[Mapping[str, Any]], key: str
) -> list[Disagreement]:
    """Elements that two sources of the same guides tell differently, by item and element.

    The elements that both sources have are compared; blanks around a text and the spelling of JSON
    do not count, and an empty text is none. An item that one source lacks is one disagreement, in
    the key.
    """
    ours, theirs = ({str(row[key]): row for row in source} for source in (first, second))
    shared = [name for name in _names(ours) if name in _names(theirs) and name != key]
    found = []
    for item in sorted({*ours, *theirs}):
        one, other = ours.get(item), theirs.get(item)
        if one is None or other is None:
            there = (None if source is None else item for source in (one, other))
            found.append(Disagreement(item, key, *there))
            continue
        values = [(name, _plain(one.get(name)), _plain(other.get(name))) for name in shared]
        found += [Disagreement(item, *told) for told in values if told[1] != told[2]]
    return found


def package_faults(
    members: Iterable[tuple[str, int, str, str | None]],
) -> list[tuple[str, str, str, str]]:
    """Packages (一件事) whose members are out of order, or whose set of materials is not one.

    Args:
        members: Package code, number, item code and the material that it brings to the merged set.

    Returns:
        Package code, what is wrong (``position``, ``implementation_code`` or ``material_name``),
        what was found and what is expected; sorted by package.
    """
    packages: dict[str, list[tuple[int, str, str | None]]] = {}
    for package, *member in members:
        packages.setdefault(package, []).append(tuple(member))  # type: ignore[arg-type]
    return [
        (package, *fault) for package in sorted(packages) for fault in _faults(packages[package])
    ]


def _faults(members: Sequence[tuple[int, str, str | None]]) -> Iterator[tuple[str, str, str]]:
    numbers = sorted(number for number, _, _ in members)
    if numbers != list(range(1, len(members) + 1)):
        yield "position", "、".join(map(str, numbers)), f"1 至 {len(members)}，不缺不重"
    for field, place in (("implementation_code", 1), ("material_name", 2)):
        times = Counter(member[place] for member in members if member[place])
        yield from ((field, f"{value} {n} 次", "1 次") for value, n in times.items() if n > 1)


def _names(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return list(next(iter(rows.values()), {}))


def _plain(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    if text.startswith(("[", "{")):
        with suppress(ValueError):
            return json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)
    return text or None


def _state(name: str | None, folder: Path) -> tuple[str, str | None]:
    path = (folder / name).resolve() if name else None
    if path is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        return "missing", None
    data = path.read_bytes()
    return "ok" if _opens(path, data) else "broken", hashlib.sha256(data).hexdigest()


def _opens(path: Path, data: bytes) -> bool:
    suffix = path.suffix.lower()
    if suffix in _OFFICE:
        return zipfile.is_zipfile(path) and zipfile.ZipFile(path).testzip() is None
    return bool(data) and data.startswith(_MAGIC.get(suffix, b""))
