"""Upkeep of the journal: seal all that waits, export, prove.

What the command line and the DAG of upkeep call; the parts are in `seal` and `chain`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine

from yishu.ledger import chain
from yishu.ledger.chain import Proof
from yishu.ledger.seal import Seal, keep_outside, last_seal, seal_waiting, signing_key
from yishu.settings import Settings


@dataclass(frozen=True)
class Sealed:
    """What sealing did: records and seals added, where the chain ends, where its seal is kept."""

    records: int
    seals: int
    last_position: int
    kept: str | None


def seal_all(engine: Engine, settings: Settings, at: datetime) -> Sealed:
    """Seal every waiting record, a transaction a batch; keep the last seal outside the database."""
    key = signing_key(settings.secrets_dir)
    records = seals = 0
    while True:
        with engine.begin() as connection:
            made = seal_waiting(connection, key, at)
        if made is None:
            break
        seals += 1
        records += made.last_position - made.first_position + 1
    with engine.connect() as connection:
        last = last_seal(connection)
    kept = keep_outside(last, settings.seals_path) if last else None
    return Sealed(records, seals, last.last_position if last else 0, str(kept) if kept else None)


def export_to(engine: Engine, file: Path) -> int:
    """Write the journal into a file, as a whole or not at all; how many lines it has."""
    beside = file.with_name(f".{file.name}.new")
    count = 0
    with _snapshot(engine) as connection, beside.open("w", encoding="utf-8") as out:
        for count, line in enumerate(chain.export(connection), 1):  # noqa: B007 - told after
            out.write(line + "\n")
    beside.replace(file)
    return count


def verify_file(file: Path, key: Ed25519PublicKey, kept: Seal | None) -> Proof:
    """Prove an export in a file."""
    with file.open(encoding="utf-8") as lines:
        return chain.verify(lines, key, kept)


def verify_database(engine: Engine, key: Ed25519PublicKey, kept: Seal | None) -> Proof:
    """Prove the journal in the database."""
    with _snapshot(engine) as connection:
        return chain.verify(chain.export(connection), key, kept)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment, whatever is written meanwhile."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        yield connection
