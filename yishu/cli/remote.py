"""The REST API of a portal instead of a database of one's own: ``YISHU_PORTAL``, ``YISHU_TOKEN``.

A command that people work with asks `portal` first: None means that this installation itself is
meant. Records come back as the ledger gives them, moments as moments, so that a command shows the
same wherever they are from.
"""

import ipaddress
import re
from datetime import datetime
from itertools import count
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from catalog.errors import YishuError
from yishu.settings import Settings

API = "/api/v1"
_SECONDS = 60.0
PAGE_ROWS = 50
"""Rows of a page of the API."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class PortalRefused(YishuError):
    """The portal answered with a problem; ``code`` is the problem's own."""

    code = "PORTAL_REFUSED"

    @classmethod
    def of(cls, told: dict[str, Any], path: str) -> "PortalRefused":
        """The error that a problem (RFC 9457) tells of."""
        described = f"look at the description of the API: {API}/openapi.json"
        code = str(told.get("code", cls.code))
        kind = cast("type[PortalRefused]", type(cls.__name__, (cls,), {"code": code}))
        return kind(
            str(told.get("object", path)),
            found=str(told.get("found", told.get("detail", told.get("title_en", "")))),
            expected=str(told.get("expected", "what the API describes")),
            remedy=str(told.get("remedy", described)),
        )


class PortalAway(YishuError):
    """The portal does not answer, or what answers is none."""

    code = "PORTAL_AWAY"
    retryable = True


class PortalUnsafe(YishuError):
    """A token would go over the network in clear, or there is none."""

    code = "PORTAL_UNSAFE"


class Portal:
    """A portal somewhere, asked with a token."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def get(self, path: str, **asked: object) -> Any:
        """What the API tells; values that are None are not asked."""
        wanted = {name: str(value) for name, value in asked.items() if value is not None}
        return self._ask("GET", path, params=wanted)

    def pages(self, path: str, **asked: object) -> list[Any]:
        """All rows of a list that the API tells page by page."""
        found: list[Any] = []
        for number in count(1):
            rows = self.get(path, page=number, **asked)
            found += rows
            if len(rows) < PAGE_ROWS:
                break
        return found

    def post(self, path: str, body: object) -> Any:
        """What the API tells of a change."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: object) -> Any:
        """What the API tells of what is put in the place of something."""
        return self._ask("PUT", path, json=body)

    def _ask(self, method: str, path: str, **given: Any) -> Any:
        address = f"{self._address}{API}{path}"
        try:
            answer = httpx.request(
                method, address, headers=self._headers, timeout=_SECONDS, **given
            )
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PortalAway(
                self._address,
                found=type(error).__name__,
                expected="a portal that answers with JSON",
                remedy="see whether YISHU_PORTAL names the portal's address, and whether it runs",
            ) from error
        if answer.is_error:
            raise PortalRefused.of(told, path)
        return _revived(told)


def portal() -> Portal | None:
    """The portal that commands are to ask; None: this installation itself.

    Raises:
        PortalUnsafe: no token, or one that would go over the network in clear.
    """
    here = Settings()
    if here.portal is None:
        return None
    if here.token is None:
        raise _unsafe(here.portal, "no token", "YISHU_TOKEN, made on the page of your account")
    parts = urlsplit(here.portal)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise _unsafe(here.portal, "an address without https", "https, or this machine itself")
    return Portal(here.portal, here.token.get_secret_value())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unsafe(address: str, found: str, expected: str) -> PortalUnsafe:
    return PortalUnsafe(
        address, found=found, expected=expected, remedy="set both; see docs/how-to/use-a-portal.md"
    )


def _revived(told: Any) -> Any:
    """JSON with its moments as moments."""
    if isinstance(told, dict):
        return {name: _revived(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_revived(value) for value in told]
    if isinstance(told, str) and _MOMENT.fullmatch(told):
        return datetime.fromisoformat(told)
    return told
