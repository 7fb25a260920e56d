"""What every answer carries, and what every request may carry: headers, size, forged forms."""

import hmac

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yishu.portal.errors import FormForged, TooLarge

MAX_BODY_BYTES = 20 * 1024 * 1024
"""What an upload may have at most; a workbook of 100,000 entries' rows stays below."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


class SecureHeaders:
    """Adds the headers to every answer; pages of people are never kept by caches."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = _STRICT_TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if not scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses a body of more than ``MAX_BODY_BYTES``, also one that does not say its length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, counting what comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = int(Headers(scope=scope).get("content-length") or 0)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            if announced > MAX_BODY_BYTES:
                raise too_large(announced)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY_BYTES:
                raise too_large(taken)
            return message

        await self._app(scope, counted, send)


def too_large(found: int) -> TooLarge:
    """The refusal of a body of at least so many bytes."""
    return TooLarge(
        "upload",
        found=f"at least {found:,} bytes",
        expected=f"at most {MAX_BODY_BYTES:,} bytes",
        remedy="divide the file and upload the parts one by one",
    )


async def refuse_forged(request: Request, csrf: str) -> None:
    """Let a change through only with the session's token, from a form or from HTMX's header.

    Raises:
        FormForged: the token is missing or another's.
    """
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token")
    if given is None:
        form = await request.form()
        given = str(form.get("csrf", ""))
    if not hmac.compare_digest(given, csrf):
        raise FormForged(
            request.url.path,
            found="no token of this session",
            expected="the token that the page carried",
            remedy="open the page again and send the form from there",
        )


def refuse_foreign(request: Request) -> None:
    """Refuse a change that a browser sends for another site, where no session has a token yet.

    Raises:
        FormForged: the browser says that the form was on another site.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in SAFE_METHODS and site not in ("same-origin", "none"):
        raise FormForged(
            request.url.path,
            found="a form of another site",
            expected="a form of this portal",
            remedy="open this portal's own page",
        )
