"""Random tokens that are kept as hashes: whoever reads the database cannot use one."""

import hashlib
import secrets

_BYTES = 32


def new() -> str:
    """A token of 256 random bits."""
    return secrets.token_urlsafe(_BYTES)


def digest(token: str) -> str:
    """SHA-256 of a token, in hex: what is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()
