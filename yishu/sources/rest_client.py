"""Ask a query service patiently: sign in, keep the rate, try again, never leave the host.

A failure that can pass (no answer, 5xx, 429) is tried again after a random and growing wait, or
after the wait that the service asks for (``Retry-After``). If it asks for longer than a pull should
hold its worker, the pull ends and says when to come back.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from catalog.model import RestSpec
from yishu.sources.errors import (
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
)
from yishu.sources.protocol import Connection
from yishu.sources.rest_auth import sign_in

ATTEMPTS = 4
LONGEST_WAIT = timedelta(seconds=10)
"""Between two attempts; orchestration tries again later and waits longer."""

TIMEOUT = timedelta(seconds=30)
"""Until the service goes on answering."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Ask:
    """One request: an address and its parameters."""

    url: httpx.URL
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def full(self) -> httpx.URL:
        """The address with its parameters, which replace those of the same name."""
        return self.url.copy_merge_params(dict(self.parameters))


@dataclass(frozen=True)
class Answer:
    """What came back: the body, and the addresses of its ``Link`` header by relation."""

    content: bytes
    links: Mapping[str, str]


class _Later(SourceUnreachable):
    """Unreachable, and the service said for how long: ``seconds``."""

    seconds = 0.0


class RestClient:
    """The one host of a connection."""

    def __init__(
        self,
        obj: str,
        connection: Connection,
        endpoint: str,
        spec: RestSpec,
        *,
        timeout: timedelta = TIMEOUT,
        longest_wait: timedelta = LONGEST_WAIT,
    ) -> None:
        url = _service_url(connection)
        self._obj = obj
        self._longest = longest_wait.total_seconds()
        self._pace = 1 / spec.requests_per_second if spec.requests_per_second else 0.0
        self._next_at = 0.0
        path = "/".join((url.path.rstrip("/"), endpoint.lstrip("/")))
        self.address = url.copy_with(username=None, password=None, path=path, query=None)
        # Redirects are not followed: they could carry the credential elsewhere.
        self._client = httpx.Client(
            headers={"Accept": "application/json"},
            auth=sign_in(url, spec, connection),
            timeout=timeout.total_seconds(),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, ask: Ask) -> Answer:
        """The answer, after as many attempts as are reasonable.

        Raises:
            SourceUnreachable: no answer, or a failure each time, or "come back later".
            SourceRefused: the service does not let this account read.
            SourceTableMissing: there is no such endpoint.
            SourceUnreadable: an answer that is none of these.
        """
        jitter = wait_random_exponential(multiplier=0.5, max=self._longest)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(jitter(state), error.seconds if isinstance(error, _Later) else 0.0)

        retrying = Retrying(
            retry=retry_if_exception(self._is_worth_it),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait,
            reraise=True,
        )
        return retrying(self._once, ask)

    def same_host(self, address: str, base: httpx.URL) -> httpx.URL | None:
        """An address that an answer gave, if it is on the service's own host; else None."""
        try:
            url = base.join(address)
        except httpx.InvalidURL:
            return None
        if _origin(url) != _origin(self.address):
            return None
        return url.copy_with(username=None, password=None, fragment=None)

    def _is_worth_it(self, error: BaseException) -> bool:
        is_long = isinstance(error, _Later) and error.seconds > self._longest
        return isinstance(error, SourceUnreachable) and not is_long

    def _once(self, ask: Ask) -> Answer:
        self._keep_pace()
        try:
            answer = self._client.get(ask.full)
        except httpx.HTTPError:
            raise self._failed("no answer, or none in time") from None
        if answer.is_success:
            links = {
                rel: link["url"] for rel, link in answer.links.items() if rel and "url" in link
            }
            return Answer(answer.content, links)
        raise self._failed_with(answer)

    def _keep_pace(self) -> None:
        now = time.monotonic()
        if now < self._next_at:
            time.sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + self._pace

    def _failed_with(self, answer: httpx.Response) -> SourceError:
        status = answer.status_code
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
            return self._failed_for_now(answer)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return SourceRefused(
                self._obj,
                found=f"status {status}",
                expected="a credential that the service accepts",
                remedy="ask the department for a valid one and put it into the connection",
            )
        if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            return SourceTableMissing(
                self._obj,
                found=f"status {status}",
                expected="the endpoint that the catalog entry names",
                remedy="ask the department whether it was renamed, then update source.endpoint",
            )
        return SourceUnreadable(
            self._obj,
            found=f"status {status}",
            expected="status 200 and a page of rows",
            remedy="ask the department to correct the service, or correct the entry's source",
        )

    def _failed_for_now(self, answer: httpx.Response) -> SourceUnreachable:
        seconds = _asked_to_wait(answer)
        if seconds is None:
            return self._failed(f"status {answer.status_code}, {ATTEMPTS} times in a row at most")
        error = _Later(
            self._obj,
            found=f"status {answer.status_code} and the wish to be left alone for {seconds:.0f} s",
            expected=f"an answer within {ATTEMPTS} attempts",
            remedy="pull again after that time",
        )
        error.seconds = seconds
        return error

    def _failed(self, found: str) -> SourceUnreachable:
        return SourceUnreachable(
            self._obj,
            found=found,
            expected=f"an answer within {ATTEMPTS} attempts",
            remedy="see whether the service is up; the pull can be tried again",
        )


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """Seconds of ``Retry-After`` (RFC 9110, 10.2.3), a number or a date on the service's clock."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        sent = answer.headers.get("Date")
        now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _service_url(connection: Connection) -> httpx.URL:
    try:
        url = httpx.URL(connection.url)
        if url.scheme not in _DEFAULT_PORTS or not url.host:
            raise httpx.InvalidURL("scheme or host")
    except httpx.InvalidURL:
        raise SourceMisdescribed(
            connection.id,
            found="no http:// or https:// URL",
            expected="http://:token@host:port/path",
            remedy="correct the connection's URL",
        ) from None
    return url


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme)
