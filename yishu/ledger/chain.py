"""The chain as a file, and its proof: a file of lines that anybody can check without the database.

A first line says what the file is; then come the records in the order of the chain, each batch
followed by its seal, and last the records that wait for a seal. `verify` reads lines one by one, so
its memory does not grow with the journal.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from yishu.ledger.journal import canonical, moment, record_hash
from yishu.ledger.models import JournalSeal
from yishu.ledger.seal import GENESIS, Seal, link_hash, seal_of
from yishu.ledger.statements import query

FORMAT = "yishu-journal-1"

_FETCH = 5_000


@dataclass(frozen=True)
class Proof:
    """What verification found.

    Attributes:
        records: Records whose place in the chain is proven by a seal.
        unsealed: Records after the last seal: seen, but not proven yet.
        seals: Seals that fit.
        last: The last seal that fits; None when there is none.
        broken: The first link that is broken, in a sentence; None: the journal is intact.
    """

    records: int
    unsealed: int
    seals: int
    last: Seal | None
    broken: str | None


class _Broken(Exception):
    """Where the chain is broken; ends the verification."""


def export(connection: Connection) -> Iterator[str]:
    """The journal as lines of JSON, without line ends; one snapshot when in one transaction."""
    yield canonical({"format": FORMAT})
    seals = iter(_seals(connection))
    seal = next(seals, None)
    rows = connection.execution_options(yield_per=_FETCH).execute(query("journal_chain"))
    for row in rows.mappings():
        while seal and (row["position"] is None or row["position"] > seal.last_position):
            yield canonical({"seal": vars(seal)})
            seal = next(seals, None)
        yield canonical({"record": {**row, "at": moment(row["at"])}})
    while seal:
        yield canonical({"seal": vars(seal)})
        seal = next(seals, None)


def verify(lines: Iterable[str], key: Ed25519PublicKey, kept: Seal | None = None) -> Proof:
    """Prove an export with the public key alone.

    Args:
        lines: What `export` gave.
        key: The public key, from somewhere that the journal's keeper cannot write.
        kept: The last seal that was kept outside; the chain must reach it. None: a tail that was
            cut off together with its seals cannot be seen.
    """
    reader = _Reader(key, kept)
    broken = None
    try:
        for number, line in enumerate(lines, 1):
            reader.line(number, line)
        reader.end()
    except _Broken as error:
        broken = str(error)
    return Proof(
        reader.last.last_position if reader.last else 0,
        reader.waiting + reader.position - (reader.last.last_position if reader.last else 0),
        reader.seals,
        reader.last,
        broken,
    )


class _Reader:
    """The state of a verification: where the chain stands."""

    def __init__(self, key: Ed25519PublicKey, kept: Seal | None) -> None:
        self.key, self.kept = key, kept
        self.position, self.hash = 0, GENESIS
        self.last: Seal | None = None
        self.seals = self.waiting = 0

    def line(self, number: int, text: str) -> None:
        """Take one line of the export."""
        try:
            content = json.loads(text)
        except ValueError:
            raise _Broken(f"line {number} is no JSON; the file is damaged or cut off") from None
        if number == 1:
            if content != {"format": FORMAT}:
                raise _Broken(f"line 1 is not the head of a journal export ({FORMAT})")
        elif "record" in content:
            self._record(content["record"])
        else:
            self._seal(Seal(**content["seal"]))

    def end(self) -> None:
        """The export is over: does the chain reach the seal that was kept outside?"""
        if self.kept is None:
            return
        if not self.kept.is_signed_by(self.key):
            raise _Broken("the seal that was kept outside is not signed by this key")
        if self.last is None or self.last.seal < self.kept.seal:
            reached = self.last.last_position if self.last else 0
            raise _Broken(
                f"the chain ends with position {reached}, but the seal kept outside "
                f"({self.kept.sealed_at}) reaches {self.kept.last_position}: the tail was cut off"
            )

    def _record(self, record: dict[str, Any]) -> None:
        name = f"record {record['number']} ({record['action']} of {record['object_id']})"
        if record_hash(record) != record["hash"]:
            raise _Broken(f"{name}: its content is not what its digest says")
        if record["position"] is None:
            self.waiting += 1
            return
        if record["position"] != self.position + 1:
            raise _Broken(f"position {self.position + 1} of the chain is missing, before {name}")
        self.position += 1
        self.hash = link_hash(self.hash, self.position, record["number"], record["hash"])
        if self.hash != record["link"]:
            raise _Broken(f"position {self.position}, {name}: its link does not follow the chain")

    def _seal(self, seal: Seal) -> None:
        first = (self.last.last_position if self.last else 0) + 1
        where = f"seal {seal.seal} on positions {first} to {seal.last_position}"
        expected = (self.last.seal if self.last else 0) + 1
        if (seal.seal, seal.first_position) != (expected, first):
            raise _Broken(f"seal {expected}, which begins at position {first}, is missing")
        if self.position < seal.last_position:
            raise _Broken(f"position {self.position + 1} of the chain is missing, in {where}")
        if not seal.is_signed_by(self.key):
            raise _Broken(f"{where}: the signature is not that of this key")
        if seal.last_position != self.position or seal.hash != self.hash:
            raise _Broken(f"{where}: a record among them was rewritten; the seal is over others")
        if seal.previous != (self.last.digest() if self.last else GENESIS):
            raise _Broken(f"{where}: it does not follow the seal before it")
        if self.kept and seal.seal == self.kept.seal and seal != self.kept:
            raise _Broken(f"{where}: the seal kept outside is another one")
        self.last = seal
        self.seals += 1


def _seals(connection: Connection) -> Iterator[Seal]:
    for row in connection.execute(select(JournalSeal).order_by(JournalSeal.seal)).mappings():
        if seal := seal_of(row):
            yield seal
