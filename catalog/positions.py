"""Where the objects of a catalog stand in its files, so that a finding gets file and line."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from catalog.document import line_of
from catalog.faults import Fault, Finding, KeyPath
from catalog.kinds import Kind

Ref = tuple[Kind, str]


@dataclass(frozen=True)
class Place:
    """The file of an object, and the path of the object in that file."""

    file: str
    base: KeyPath = ()


@dataclass
class Positions:
    """Places of objects, and which objects are known to be faulty already.

    Attributes:
        root: The catalog's root; None for a catalog without files.
        places: Where each object is written.
        mended: Paths that a placeholder fills, because what stands there is a fault of its own.
        unread: Objects that exist in a file but could not be read.
    """

    root: Path | None = None
    places: dict[Ref, Place] = field(default_factory=dict)
    mended: dict[Ref, tuple[KeyPath, ...]] = field(default_factory=dict)
    unread: set[Ref] = field(default_factory=set)

    def locate(self, findings: Iterable[Finding]) -> list[Fault]:
        """Findings as faults; those that only repeat another fault are left out."""
        return [self.fault(finding) for finding in findings if not self._repeats(finding)]

    def fault(self, finding: Finding) -> Fault:
        """One finding with its place."""
        place = self.places.get((finding.kind, finding.id))
        if place is None or self.root is None:
            return finding.at("", 0)
        return finding.at(place.file, line_of(self.root, place.file, place.base + finding.path))

    def _repeats(self, finding: Finding) -> bool:
        """Whether a known fault, in the object or in the other one, is the cause of the finding."""
        mended = self.mended.get((finding.kind, finding.id), ())
        if any(finding.path[: len(path)] == path for path in mended):
            return True
        if finding.other is None:
            return False
        kind, id_, basis = finding.other
        return (kind, id_) in self.unread or any(
            all(left == right for left, right in zip(path, basis, strict=False))
            for path in self.mended.get((kind, id_), ())
        )
