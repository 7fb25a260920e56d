"""Tokens of channels and signed file URLs: made once, kept hashed, bound to one grant, expiring.

A token is ``ys1.<token id>.<secret>``; the database holds its SHA-256. A client fetches files
without it, so a file's URL carries an HMAC over grant, projection, file and expiry.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, update

from yishu.ledger.models import ShareToken
from yishu.sharing.desk import Desk

_PREFIX = "ys1"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Issued:
    """A token as it is handed over, once."""

    token_id: str
    token: str
    expires_at: datetime


def issue(desk: Desk, grant_id: str, expires_at: datetime) -> Issued:
    """A new token of a grant; earlier ones are revoked."""
    revoke_all(desk, grant_id)
    token_id = secrets.token_hex(8)
    token = f"{_PREFIX}.{token_id}.{secrets.token_urlsafe(_SECRET_BYTES)}"
    desk.connection.execute(
        insert(ShareToken).values(
            token_id=token_id,
            grant_id=grant_id,
            token_hash=token_hash(token),
            issued_at=desk.at,
            expires_at=expires_at,
        )
    )
    return Issued(token_id, token, expires_at)


def prolong(desk: Desk, grant_id: str, expires_at: datetime) -> None:
    """Let the living token of a grant go on until the end of a renewed term."""
    living = (ShareToken.grant_id == grant_id) & ShareToken.revoked_at.is_(None)
    desk.connection.execute(update(ShareToken).where(living).values(expires_at=expires_at))


def revoke_all(desk: Desk, grant_id: str) -> None:
    """End every token of a grant now."""
    living = (ShareToken.grant_id == grant_id) & ShareToken.revoked_at.is_(None)
    desk.connection.execute(update(ShareToken).where(living).values(revoked_at=desk.at))


def token_hash(token: str) -> str:
    """SHA-256 of a token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_id_of(token: str) -> str | None:
    """The id in a token's text; None when it has not the form of one."""
    prefix, _, rest = token.partition(".")
    token_id, _, secret = rest.partition(".")
    return token_id if prefix == _PREFIX and token_id.isalnum() and secret else None


@dataclass(frozen=True)
class FileUrl:
    """What a file's URL is bound to; ``expires`` is in seconds since 1970, UTC."""

    grant_id: str
    projection: str
    file: str
    expires: int


def sign(key: bytes, url: FileUrl) -> str:
    """The HMAC of a file's URL."""
    text = "\n".join((url.grant_id, url.projection, url.file, str(url.expires)))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_signed(key: bytes, url: FileUrl, mac: str) -> bool:
    """Whether a URL's HMAC is ours; compared without telling by time how much of it was right."""
    return hmac.compare_digest(sign(key, url).encode(), mac.encode("utf-8", "replace"))
