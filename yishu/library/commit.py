"""What a publication did, kept in the Delta commit itself and read back from its history."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from yishu.library.errors import CountsDoNotAddUp
from yishu.library.place import Place

MAINTENANCE = "maintenance"
"""The ``kind`` of commits that change files and no content."""

POSITION = "position"
"""Name of the fact beside a commit that says how far an entry's changes have been read. A new one
is committed even where no row changed."""


@dataclass(frozen=True)
class Commit:
    """One publication of a table.

    ``read = inserted + updated + unchanged + quarantined + superseded``; deletions are rows of
    the version before that are gone, counted apart. A pull of changes may also bring rows that say
    that a key is gone: they are no part of ``read``, and each is a deletion or found nothing.

    Attributes:
        version: Version of the table that holds the result; unchanged content makes no new one.
        entry_version: Version of the catalog entry; None for subjects.
        rows: Rows in the table at that version.
        committed_at: The moment that the caller gave, ISO 8601 with its zone.
        already_published: This run had been committed before; nothing was written now.
        removals: Rows read that say that their key is gone; 0 for snapshots.
    """

    table: str
    version: int
    run_id: str
    entry_version: int | None
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    quarantined: int
    superseded: int
    rows: int
    committed_at: str
    already_published: bool = False
    removals: int = 0

    def require_balance(self, kept: int = 0) -> None:
        """Every row that was read is accounted for.

        Args:
            kept: Rows of the version before that a pull of changes left alone.

        Raises:
            CountsDoNotAddUp: it is not.
        """
        published = self.inserted + self.updated + self.unchanged
        found = published + self.quarantined + self.superseded
        if self.read != found or published + kept != self.rows:
            raise CountsDoNotAddUp(
                self.table,
                found=f"{self.inserted} inserted + {self.updated} updated + {self.unchanged} "
                f"unchanged + {self.quarantined} quarantined + {self.superseded} superseded "
                f"= {found}; {self.rows} rows to publish, {kept} of them kept",
                expected=f"{self.read} rows read",
                remedy="rows were lost or doubled on the way; the table is unchanged, "
                "run the stages of this run again",
            )

    def to_metadata(self) -> dict[str, str]:
        """The facts as text, as Delta keeps them beside a commit."""
        facts = asdict(self)
        for derived in ("version", "already_published"):
            del facts[derived]
        return {name: str(value) for name, value in facts.items() if value is not None}

    @classmethod
    def from_metadata(cls, version: int, facts: Mapping[str, Any]) -> "Commit":
        """Read back what ``to_metadata`` wrote."""
        return cls(
            table=str(facts["table"]),
            version=version,
            run_id=str(facts["run_id"]),
            entry_version=int(facts["entry_version"]) if "entry_version" in facts else None,
            read=int(facts["read"]),
            inserted=int(facts["inserted"]),
            updated=int(facts["updated"]),
            unchanged=int(facts["unchanged"]),
            deleted=int(facts["deleted"]),
            quarantined=int(facts["quarantined"]),
            superseded=int(facts["superseded"]),
            rows=int(facts["rows"]),
            committed_at=str(facts["committed_at"]),
            removals=int(facts.get("removals", 0)),
        )


@dataclass(frozen=True)
class Recorded:
    """A commit with everything else that its publisher wrote beside it."""

    commit: Commit
    metadata: Mapping[str, str]

    @property
    def moment(self) -> datetime:
        """When it was committed, by the publisher's clock."""
        return datetime.fromisoformat(self.commit.committed_at)


def recorded(opened: DeltaTable) -> list[Recorded]:
    """All publications of a table, newest first; maintenance is none."""
    return [
        Recorded(Commit.from_metadata(int(entry["version"]), entry), entry)
        for entry in opened.history()
        if "run_id" in entry and "committed_at" in entry
    ]


def commit_of(publications: list[Recorded], run_id: str) -> Recorded | None:
    """The publication of a run, marked as already published; None when there is none."""
    for publication in publications:
        if publication.commit.run_id == run_id:
            done = replace(publication.commit, already_published=True)
            return Recorded(done, publication.metadata)
    return None


def commits(root: Path, table: str) -> list[Commit]:
    """All publications of a table, newest first.

    Raises:
        TableMissing: nothing was published under that name.
    """
    return [publication.commit for publication in recorded(Place(root, table).open())]


def strays(root: Path, table: str) -> list[int]:
    """Versions of a table that neither a publication nor maintenance of ours made, ascending.

    A commit that calls itself maintenance and changes data is none.

    Raises:
        TableMissing: nothing was published under that name.
    """
    place = Place(root, table)
    ours = {commit.version for commit in commits(root, table)}
    return sorted(
        version
        for entry in place.open().history()
        if (version := int(entry["version"])) not in ours
        and (entry.get("kind") != MAINTENANCE or _changes_data(place, version))
    )


def _changes_data(place: Place, version: int) -> bool:
    """Whether a commit adds or removes files for another reason than to pack the same rows anew."""
    log = place.path / "_delta_log" / f"{version:020d}.json"
    actions = map(json.loads, log.read_text("utf-8").splitlines())
    files = [action.get("add") or action.get("remove") for action in actions]
    return any(file.get("dataChange", True) for file in files if file)
