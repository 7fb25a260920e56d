"""How a pull signs in to a query service: bearer, basic, an API key, or OAuth2 tokens."""

import time
from collections.abc import Callable, Generator

import httpx

from catalog.model import RestSpec
from catalog.vocabulary import RestAuth
from yishu.sources.errors import (
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceUnreachable,
)
from yishu.sources.protocol import Connection

TOKEN_URL = "token_url"  # noqa: S105 - the name of a parameter
"""Parameter of the connection's URL: where tokens are given out, when that is another host."""

EARLY = 30.0
"""Seconds before its end at which a token is renewed; a tenth of its life if that is shorter."""

Flow = Generator[httpx.Request, httpx.Response, None]


class ApiKey(httpx.Auth):
    """A key in a header of the service's own name."""

    def __init__(self, header: str, key: str) -> None:
        self._header, self._key = header, key

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Send the request with the key."""
        request.headers[self._header] = self._key
        yield request


class Bearer(ApiKey):
    """A token that somebody gave out for good."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", f"Bearer {token}")


class ClientCredentials(httpx.Auth):
    """OAuth2 client credentials (RFC 6749, 4.4): a token for a while, renewed while pages come.

    It is renewed shortly before its end, and once when the service no longer takes it.
    """

    requires_response_body = True

    def __init__(
        self,
        obj: str,
        token_url: httpx.URL,
        client: tuple[str, str],
        *,
        scope: str | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._obj = obj
        self._url = token_url
        self._client = httpx.BasicAuth(*client)
        self._form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        self._clock = clock
        self._token = ""
        self._renew_at = 0.0

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Send the request with a token that is still good.

        Raises:
            SourceRefused: no token is given out for these credentials.
            SourceUnreachable: the token service does not work at present.
        """
        if not self._token or self._clock() >= self._renew_at:
            yield from self._renew()
        response = yield self._signed(request)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._renew()
            yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _renew(self) -> Flow:
        asking = httpx.Request(
            "POST", self._url, data=self._form, headers={"Accept": "application/json"}
        )
        answer = yield next(self._client.auth_flow(asking))
        try:
            if not answer.is_success:
                raise self._no_token(answer.status_code)
            body = answer.json()
            token, lasts = str(body["access_token"]), body.get("expires_in")
            life = float("inf") if lasts is None else float(lasts)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._no_token(answer.status_code) from None
        self._token = token
        self._renew_at = self._clock() + life - min(EARLY, life / 10 if lasts is not None else 0.0)

    def _no_token(self, status: int) -> SourceError:
        is_passing = status >= httpx.codes.INTERNAL_SERVER_ERROR
        is_passing = is_passing or status == httpx.codes.TOO_MANY_REQUESTS
        kind = SourceUnreachable if is_passing else SourceRefused
        return kind(
            self._obj,
            found=f"status {status} and no token",
            expected='{"access_token": …} for the client\'s credentials',
            remedy="see whether the token service is up; the pull can be tried again"
            if is_passing
            else "ask the department for valid client credentials and put them into the connection",
        )


def sign_in(url: httpx.URL, spec: RestSpec, connection: Connection) -> httpx.Auth | None:
    """The way to sign in that the entry names, or that the form of the URL shows.

    Raises:
        SourceMisdescribed: the connection lacks what that way needs.
    """
    user, secret = url.username, url.password or ""
    how = spec.auth or _way_of(user, secret)
    if how is RestAuth.NONE:
        return None
    if not secret or (how is RestAuth.OAUTH2 and not user):
        needs = "http://client:secret@host" if how is RestAuth.OAUTH2 else "http://:secret@host"
        raise _lacking(connection, f"no secret for sign-in by {how}", needs)
    if how is RestAuth.BEARER:
        return Bearer(secret)
    if how is RestAuth.API_KEY:
        return ApiKey(spec.api_key_header, secret)
    if how is RestAuth.BASIC:
        return httpx.BasicAuth(user, secret)
    obj = f"{connection.id}: token"
    return ClientCredentials(
        obj, _token_url(url, spec, connection), (user, secret), scope=spec.token_scope
    )


def _way_of(user: str, secret: str) -> RestAuth:
    if user:
        return RestAuth.BASIC
    return RestAuth.BEARER if secret else RestAuth.NONE


def _token_url(url: httpx.URL, spec: RestSpec, connection: Connection) -> httpx.URL:
    """Where tokens are given out: only the connection may name a host for its secret to go to."""
    named = url.params.get(TOKEN_URL)
    if named:
        token_url = httpx.URL(named)
        if token_url.scheme in ("http", "https") and token_url.host:
            return token_url
    elif spec.token_path:
        path = "/".join((url.path.rstrip("/"), spec.token_path.lstrip("/")))
        return url.copy_with(username=None, password=None, path=path, query=None)
    raise _lacking(connection, "no address that gives out tokens", "source.rest.token_path")


def _lacking(connection: Connection, found: str, expected: str) -> SourceMisdescribed:
    return SourceMisdescribed(
        connection.id,
        found=found,
        expected=expected,
        remedy="complete the connection, or correct source.rest in the catalog entry",
    )
