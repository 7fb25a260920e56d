"""Faults of catalog files: found all at once, each with its place and its remedy.

A fault in a file is a result, not an exception. ``CatalogFaults`` carries them to where a faulty
catalog must not pass, e.g. into a release.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from catalog.errors import CatalogError
from catalog.kinds import Kind

KeyPath = tuple[str | int, ...]
"""Keys and list positions that lead to a value inside an object, e.g. ``("items", 0, "mask")``."""


@dataclass(frozen=True)
class Fault:
    """One fault of one file.

    Attributes:
        code: Stable upper-case name, e.g. ``CAT_MASK_MISSING``.
        file: Path below the catalog's root, with ``/``; empty when the object has no file.
        line: Line of the value, from 1; 0 when the object has no file.
        obj: What it is about: an object's id and the path of the value in it.
        found: What is there.
        expected: What should be there.
        remedy: What to do now.
    """

    code: str
    file: str
    line: int
    obj: str
    found: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.code} {self.obj}: found {self.found}; "
            f"expected {self.expected}. Remedy: {self.remedy}"
        )


@dataclass(frozen=True)
class Finding:
    """A fault before its place is known: the object, and the path of the value in it.

    ``other`` is another object, and a path in it, that the finding rests on. When a fault is known
    there already the finding would only repeat it, and is dropped.
    """

    kind: Kind
    id: str
    path: KeyPath
    code: str
    found: str
    expected: str
    remedy: str
    other: tuple[Kind, str, KeyPath] | None = None

    def at(self, file: str, line: int) -> Fault:
        """The fault at that place."""
        about = label(self.id, self.path)
        return Fault(self.code, file, line, about, self.found, self.expected, self.remedy)


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Faults by file, line and code, each once."""
    return sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.code, fault.obj))


def label(id_: str, path: KeyPath) -> str:
    """Object and path as a person reads them: ``health.medical_licence items[0].mask``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return f"{id_} {text}".strip()


def render(faults: Iterable[Fault]) -> str:
    """All faults in order of file and line, one a line, and how many there are."""
    lines = [str(fault) for fault in in_order(faults)]
    noun = "fault" if len(lines) == 1 else "faults"
    return "\n".join([*lines, f"{len(lines)} {noun}"])


class CatalogFaults(CatalogError):
    """Files of the catalog break its rules.

    Attributes:
        faults: All of them, in order of file and line.
    """

    code = "CAT_FAULTS"
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, obj: str, faults: Sequence[Fault]) -> Self:
        """The error that carries these faults."""
        ordered = tuple(in_order(faults))
        error = cls(
            obj,
            found=f"{len(ordered)} fault(s), the first: {ordered[0]}",
            expected="no fault",
            remedy="run `yishu catalog check` and mend every fault that it lists",
        )
        error.faults = ordered
        return error
