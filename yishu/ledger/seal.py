"""Seals: committed records are linked into one chain, and each batch of links is signed.

The signing key (Ed25519) lies under ``var/secrets`` and never in the database: who rules over the
database alone can rewrite records and hashes, but cannot make the signature that fits them. The
last seal is kept outside too, so that cutting the chain's tail together with its seals shows.
"""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, insert, select, text

from yishu.ledger.errors import KeyUnreadable, SealUnreadable
from yishu.ledger.journal import canonical, moment
from yishu.ledger.models import JournalSeal
from yishu.secrets import once

KEY_FILE = "journal_key"
PUBLIC_KEY_FILE = "journal_key.pub"
GENESIS = "0" * 64
"""What the first link and the first seal follow."""

BATCH = 20_000
"""Records that one seal covers at most; a transaction of that size takes about a second."""

_LOCK = 0x6A726E6C
"""Advisory lock number of the sealer ("jrnl"): two take turns."""

_WAITING = text(
    "select w.number, j.hash from ledger.journal_waiting w join ledger.journal j using (number) "
    "order by w.number limit :most"
)
_LINK = text(
    "insert into ledger.journal_link (position, number, hash) "
    "select * from unnest(cast(:positions as bigint[]), cast(:numbers as bigint[]), "
    "cast(:hashes as text[]))"
)
_FORGET = text("delete from ledger.journal_waiting where number = any(:numbers)")


@dataclass(frozen=True)
class Seal:
    """A signature on the chain from ``first_position`` to ``last_position``.

    Attributes:
        hash: The chain's hash at ``last_position``, which covers every record before it.
        sealed_at: ISO 8601 in UTC.
        key_id: First digits of the public key's SHA-256.
        previous: SHA-256 of the signature of the seal before; `GENESIS` for the first.
        signature: Ed25519 over the canonical JSON of all other fields, in base64.
    """

    seal: int
    first_position: int
    last_position: int
    hash: str
    sealed_at: str
    key_id: str
    previous: str
    signature: str

    def signed(self) -> bytes:
        """What the signature is over."""
        fields = asdict(self)
        del fields["signature"]
        return canonical(fields).encode()

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether the signature is that key's."""
        try:
            key.verify(base64.b64decode(self.signature), self.signed())
        except (InvalidSignature, ValueError):
            return False
        return True

    def digest(self) -> str:
        """What the next seal follows."""
        return hashlib.sha256(self.signature.encode()).hexdigest()


def signing_key(secrets_dir: Path) -> Ed25519PrivateKey:
    """The installation's signing key, made on first use, with its public half beside it."""
    stored = once(secrets_dir / KEY_FILE, _new_key)
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(stored))
    public = secrets_dir / PUBLIC_KEY_FILE
    if not public.exists():
        public.write_text(public_text(key.public_key()), encoding="ascii")
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as a file holds it: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes_raw()).decode("ascii") + "\n"


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a file.

    Raises:
        KeyUnreadable: no such file, or it holds no key.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(path.read_text("ascii")))
    except (OSError, ValueError) as error:
        raise KeyUnreadable(
            str(path),
            found=type(error).__name__,
            expected=f"the public key of the journal, as in {PUBLIC_KEY_FILE}",
            remedy="give --key the file that was kept when the journal was set up",
        ) from error


def link_hash(previous: str, position: int, number: int, record: str) -> str:
    """The chain's hash at a record: SHA-256 of the one before, its place and its digest."""
    return hashlib.sha256(f"{previous}{position}:{number}:{record}".encode()).hexdigest()


def seal_waiting(connection: Connection, key: Ed25519PrivateKey, at: datetime) -> Seal | None:
    """Link at most `BATCH` waiting records and seal them, in the caller's transaction.

    Records come in the order in which they were committed, up to the moment of sealing; a record
    whose transaction is still open comes in a later batch. None: nothing waits.
    """
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    waiting = connection.execute(_WAITING, {"most": BATCH}).all()
    if not waiting:
        return None
    before = last_seal(connection)
    last = before.last_position if before else 0
    hash_ = before.hash if before else GENESIS
    hashes = []
    for position, row in enumerate(waiting, last + 1):
        hash_ = link_hash(hash_, position, row.number, row.hash)
        hashes.append(hash_)
    numbers = [row.number for row in waiting]
    positions = list(range(last + 1, last + 1 + len(waiting)))
    links = {"positions": positions, "numbers": numbers, "hashes": hashes}
    connection.execute(_LINK, links)
    connection.execute(_FORGET, {"numbers": numbers})
    seal = _sign(key, before, (positions[0], positions[-1]), hash_, at)
    connection.execute(insert(JournalSeal).values({**asdict(seal), "sealed_at": at}))
    return seal


def last_seal(connection: Connection) -> Seal | None:
    """The newest seal in the database."""
    asked = select(JournalSeal).order_by(JournalSeal.seal.desc()).limit(1)
    return seal_of(connection.execute(asked).mappings().one_or_none())


def seal_of(row: Any) -> Seal | None:
    """A row of the seals' table, or None, as a seal."""
    if row is None:
        return None
    fields = {name: row[name] for name in Seal.__dataclass_fields__}
    return Seal(**{**fields, "sealed_at": moment(row["sealed_at"])})


def keep_outside(seal: Seal, folder: Path) -> Path:
    """Write a seal into a folder outside the database, one file a day: the day's last."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seal.sealed_at[:10]}.json"
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps(asdict(seal), indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
    return path


def kept_outside(folder: Path) -> Seal | None:
    """The newest seal in such a folder; None when there is none."""
    files = sorted(folder.glob("*.json"))
    return read_seal(files[-1]) if files else None


def read_seal(path: Path) -> Seal:
    """The seal in a file.

    Raises:
        SealUnreadable: no such file, or it holds no seal.
    """
    try:
        return Seal(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SealUnreadable(
            str(path),
            found=type(error).__name__,
            expected="a seal as `yishu journal seal` writes it",
            remedy="give --seal the file that was kept outside the database",
        ) from error


def key_id(key: Ed25519PublicKey) -> str:
    """The short name of a public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def _new_key() -> str:
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode("ascii")


def _sign(
    key: Ed25519PrivateKey,
    before: Seal | None,
    positions: tuple[int, int],
    hash_: str,
    at: datetime,
) -> Seal:
    first, last = positions
    unsigned = Seal(
        seal=before.seal + 1 if before else 1,
        first_position=first,
        last_position=last,
        hash=hash_,
        sealed_at=moment(at),
        key_id=key_id(key.public_key()),
        previous=before.digest() if before else GENESIS,
        signature="",
    )
    signature = base64.b64encode(key.sign(unsigned.signed())).decode("ascii")
    return Seal(**{**asdict(unsigned), "signature": signature})
