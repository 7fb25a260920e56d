"""What was built and what should become of it: the truth that tests and the demo compare with."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "manifest.json"


@dataclass(frozen=True)
class FaultGroup:
    """All rows of an entry that got the same fault.

    Attributes:
        entry: Catalog entry.
        kind: What is wrong, a value of ``faults.FaultKind``.
        field: Item concerned; for ``extra_column`` the column that the catalog does not list.
        expected: ``quarantined``, ``repaired``, ``not_linked`` or ``reported``.
        check: Kind of check that should fail; empty if none should.
        rows: Row numbers from 0 in the order in which the source holds the rows.
        keys: The true key of each row, as it read before it was corrupted.
        written: What the source now holds in ``field``; None is no value. Empty for duplicates.
        becomes: What a repaired value should read; None is no value. Empty unless ``repaired``.
    """

    entry: str
    kind: str
    field: str
    expected: str
    check: str
    rows: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    written: tuple[str | None, ...] = ()
    becomes: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class EntryTruth:
    """How many rows of an entry there are to read, to set apart and to publish."""

    read: int
    quarantined: int
    published: int
    seconds: float = 0.0


@dataclass(frozen=True)
class Contribution:
    """What one entry brings to a subject: ``rows_in`` = ``contributed`` + ``not_linked``."""

    rows_in: int
    contributed: int
    not_linked: int


@dataclass(frozen=True)
class Copies:
    """An entry's second-hand copies: how many can be compared, and how many differ."""

    compared: int
    different: int


@dataclass(frozen=True)
class SubjectTruth:
    """How many rows a subject table should have, and what each entry should bring.

    ``copies`` are by entry, for entries that keep copies of another entry's values.
    """

    rows: int
    contributions: Mapping[str, Contribution]
    copies: Mapping[str, Copies] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """Everything that is known about a built city."""

    size: int
    seed: int
    faulty: bool
    entries: Mapping[str, EntryTruth] = field(default_factory=dict)
    subjects: Mapping[str, SubjectTruth] = field(default_factory=dict)
    faults: tuple[FaultGroup, ...] = ()

    def faults_of(self, entry: str) -> tuple[FaultGroup, ...]:
        """The faults of one entry."""
        return tuple(group for group in self.faults if group.entry == entry)

    def write(self, folder: Path) -> Path:
        """Writes ``manifest.json`` into the folder."""
        path = folder / FILE_NAME
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")
        return path

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Reads what ``write`` wrote.

        Raises:
            FileNotFoundError: no city was built in this folder.
        """
        found: dict[str, Any] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return cls(
            size=found["size"],
            seed=found["seed"],
            faulty=found["faulty"],
            entries={name: EntryTruth(**truth) for name, truth in found["entries"].items()},
            subjects={name: _subject(truth) for name, truth in found["subjects"].items()},
            faults=tuple(_group(group) for group in found["faults"]),
        )


def _subject(truth: dict[str, Any]) -> SubjectTruth:
    contributions = {
        entry: Contribution(**contribution)
        for entry, contribution in truth["contributions"].items()
    }
    copies = {name: Copies(**it) for name, it in truth["copies"].items()}
    return SubjectTruth(truth["rows"], contributions, copies)


def _group(group: dict[str, Any]) -> FaultGroup:
    lists = ("rows", "keys", "written", "becomes")
    return FaultGroup(**{**group, **{name: tuple(group[name]) for name in lists}})
