"""The ``.share`` profile: what a Delta Sharing client is given to come in with."""

from datetime import UTC, datetime
from typing import Any


def profile(base_url: str, token: str, expires_at: datetime) -> dict[str, Any]:
    """A profile, version 1; ``base_url`` is the server's address without a path.

    Hand it over like a password: whoever has it reads what the grant holds.
    """
    return {
        "shareCredentialsVersion": 1,
        "endpoint": f"{base_url.rstrip('/')}/delta-sharing",
        "bearerToken": token,
        "expirationTime": expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
