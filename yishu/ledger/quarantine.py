"""What the ledger keeps of quarantines: how each stood after a run, which rows people let by."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from yishu.ledger.models import QuarantineAgeing, QuarantineRelease
from yishu.ledger.records import Records
from yishu.ledger.statements import query


@dataclass(frozen=True)
class AgeingFacts:
    """How the quarantine of an entry stood after a run.

    Attributes:
        standing: Rows in it.
        fresh: Those of them that were not in it before.
        corrected: Rows that were in it and pass their checks now.
        gone: Rows that were in it and are no longer in the source.
        released: Failing rows that decisions let through.
        oldest_at: When the oldest of its rows was first seen, UTC; None when it is empty.
    """

    run_id: str
    entry_id: str
    at: datetime
    standing: int
    fresh: int
    corrected: int
    gone: int
    released: int
    oldest_at: datetime | None


class QuarantineRecords(Records):
    """The part of the ledger that quarantines use."""

    def record_ageing(self, fact: AgeingFacts) -> None:
        """A quarantine was looked through; told again, the newest word stands."""
        values = asdict(fact)
        key = ["run_id", "entry_id"]
        statement = insert(QuarantineAgeing).values(values)
        with self.transaction() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=key,
                    set_={name: value for name, value in values.items() if name not in key},
                )
            )

    def aged_before(self, entry_id: str, run_id: str) -> str | None:
        """The latest other run whose quarantine was looked through; None: there is none."""
        table = QuarantineAgeing
        asked = select(table.run_id).where(table.entry_id == entry_id, table.run_id != run_id)
        with self.reading() as connection:
            return connection.execute(asked.order_by(table.at.desc()).limit(1)).scalar()

    def row_decisions(self, entry_id: str) -> dict[str, tuple[str, ...]]:
        """Checks that people overruled for rows of an entry, by digest of the row."""
        table = QuarantineRelease
        asked = select(table.row_digest, table.check_ids).where(table.entry_id == entry_id)
        with self.reading() as connection:
            return {row.row_digest: tuple(row.check_ids) for row in connection.execute(asked)}

    def ageing(self) -> list[AgeingFacts]:
        """How each entry's quarantine stands, the oldest row first; empty ones are left out."""
        with self.reading() as connection:
            return [AgeingFacts(**_plain(row)) for row in connection.execute(query("ageing"))]


def _plain(row: Any) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row._mapping.items()
    }
