"""A department's query service: pages of JSON over HTTP.

``GET {url}{endpoint}?page=1&page_size=500`` answers ``{"total": n, "page": k, "rows": [{…}, …]}``;
pages count from 1 and all but the last are full. Every answer is held against that, since a page
left out or given twice would otherwise be data lost or doubled in silence.

Numbers keep the digits that the service wrote; null stays null. An empty service has no columns,
unless its answer names them in ``"columns": [...]``.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from catalog.model import SourceSpec
from yishu.sources.errors import (
    SourceChanged,
    SourceError,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.protocol import MAX_BATCH_ROWS, Connection, SourceColumn, string_schema

ATTEMPTS = 4
LONGEST_WAIT = timedelta(seconds=10)
"""Between two attempts; orchestration tries again later and waits longer."""

TIMEOUT = timedelta(seconds=30)
"""For one page to arrive."""


@dataclass(frozen=True)
class Page:
    """One answer of the service, already held against the protocol."""

    number: int
    total: int
    rows: list[dict[str, Any]]
    columns: tuple[str, ...]
    digest: bytes


class RestSource:
    """One endpoint of a department's query service."""

    def __init__(
        self,
        spec: SourceSpec,
        connection: Connection,
        *,
        timeout: timedelta = TIMEOUT,
        longest_wait: timedelta = LONGEST_WAIT,
    ) -> None:
        if spec.endpoint is None:
            raise SourceMisdescribed(
                connection.id,
                found="no endpoint",
                expected="source.endpoint, e.g. /licences",
                remedy="name the endpoint in the catalog entry",
            )
        self._obj = f"{connection.id}: {spec.endpoint}"
        self._page_size = spec.page_size
        self._longest_wait = longest_wait.total_seconds()
        self._url, self._client = _client(connection, spec.endpoint, timeout)
        self._first: Page | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def columns(self) -> list[SourceColumn]:
        """The names in the first page's rows, all of type ``string``.

        Raises:
            SourceTableMissing: there is no such endpoint.
            SourceRefused: the token is not accepted.
            SourceUnreachable: the service does not answer, or fails each time.
            SourceUnreadable: the answer is not of the protocol.
        """
        return [SourceColumn(name, "string") for name in self._start().columns]

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns, page after page.

        Raises:
            SourceColumnMissing: a column is not in the first page.
            SourceUnreadable: a page is not of the protocol, was repeated or left out.
            SourceChanged: the number of rows changed while it was read.
        """
        first = self._start()
        # Without a row or a list of names nothing is known to be missing.
        require_columns(self._obj, first.columns if first.total else columns, columns)
        return self._stream(first, columns)

    def _stream(self, first: Page, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = string_schema(columns)
        ready: list[dict[str, Any]] = []
        for page in self._pages(first):
            if len(ready) + len(page.rows) > MAX_BATCH_ROWS:
                yield _batch(ready, schema)
                ready = []
            ready += [self._picked(page, place, columns) for place in range(len(page.rows))]
        yield _batch(ready, schema)

    def _pages(self, first: Page) -> Iterator[Page]:
        last = max(-(-first.total // self._page_size), 1)
        seen: set[bytes] = set()
        for number in range(1, last + 1):
            page = first if number == 1 else self._page(number)
            if page.total != first.total:
                raise self._changed(f"{page.total} rows on page {number}, {first.total} on page 1")
            # One row alone may well be equal to another.
            if page.digest in seen and len(page.rows) > 1:
                raise self._unlike(f"page {number} with the rows of an earlier page")
            seen.add(page.digest)
            yield page

    def _picked(self, page: Page, place: int, columns: Sequence[str]) -> dict[str, Any]:
        row = page.rows[place]
        for name in columns:
            if not isinstance(row.get(name, ...), str | bool | None):
                what = "nothing" if name not in row else "a list or an object"
                raise self._unlike(f"{what} for {name} in row {place} of page {page.number}")
        return row

    def _start(self) -> Page:
        if self._first is None:
            self._first = self._page(1)
        return self._first

    def _page(self, number: int) -> Page:
        retrying = Retrying(
            retry=retry_if_exception_type(SourceUnreachable),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=self._longest_wait),
            reraise=True,
        )
        return self._checked(number, retrying(self._get, number))

    def _get(self, number: int) -> bytes:
        try:
            answer = self._client.get(
                self._url, params={"page": number, "page_size": self._page_size}
            )
        except httpx.HTTPError:
            raise self._failed("no answer, or none in time") from None
        if answer.is_success:
            return answer.content
        raise self._failed_with(answer.status_code)

    def _checked(self, number: int, content: bytes) -> Page:
        """The answer as a page, if it is the page that was asked for."""
        try:
            body = json.loads(content, parse_int=str, parse_float=str, parse_constant=_refuse)
            total, given = int(body["total"]), int(body["page"])
            rows = body["rows"]
            names = dict.fromkeys(body.get("columns", ()))
            for row in rows:
                names.update(dict.fromkeys(row.keys()))
            # Also refuses half characters, which JSON can write and text cannot hold.
            digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).digest()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._unlike("an answer that is no page") from None
        if given != number:
            raise self._unlike(f"page {given} where page {number} was asked for")
        due = min(max(total - (number - 1) * self._page_size, 0), self._page_size)
        if len(rows) != due:
            raise self._unlike(f"{len(rows)} rows on page {number} where {due} of {total} were due")
        return Page(number, total, rows, tuple(names), digest)

    def _failed_with(self, status: int) -> SourceError:
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
            return self._failed(f"status {status}, {ATTEMPTS} times in a row at most")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return SourceRefused(
                self._obj,
                found=f"status {status}",
                expected="a token that the service accepts",
                remedy="ask the department for a valid token and put it into the connection",
            )
        if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            return SourceTableMissing(
                self._obj,
                found=f"status {status}",
                expected="the endpoint that the catalog entry names",
                remedy="ask the department whether it was renamed, then update source.endpoint",
            )
        return self._unlike(f"status {status}")

    def _failed(self, found: str) -> SourceUnreachable:
        return SourceUnreachable(
            self._obj,
            found=found,
            expected=f"an answer within {ATTEMPTS} attempts",
            remedy="see whether the service is up; the pull can be tried again",
        )

    def _unlike(self, found: str) -> SourceUnreadable:
        return SourceUnreadable(
            self._obj,
            found=found,
            expected='{"total", "page", "rows"}, each full page once and in order, and a text, '
            "number, boolean or null for each column",
            remedy=f"ask the department to correct the service, or set source.page_size (now "
            f"{self._page_size}) to what it can give",
        )

    def _changed(self, found: str) -> SourceChanged:
        return SourceChanged(
            self._obj,
            found=found,
            expected="the same rows from the first page to the last",
            remedy="pull at a time when the service is not being updated",
        )


def _refuse(_constant: str) -> None:
    raise ValueError


def _batch(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([_text(row[name]) for row in rows], pa.string()) for name in schema.names],
        schema=schema,
    )


def _text(value: str | bool | None) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _client(
    connection: Connection, endpoint: str, timeout: timedelta
) -> tuple[httpx.URL, httpx.Client]:
    """The address without its credential, and a client that signs in with it.

    Redirects are not followed: they could carry the credential elsewhere.
    """
    try:
        url = httpx.URL(connection.url)
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.InvalidURL("scheme or host")
    except httpx.InvalidURL:
        raise SourceMisdescribed(
            connection.id,
            found="no http:// or https:// URL",
            expected="http://:token@host:port/path",
            remedy="correct the connection's URL",
        ) from None
    path = "/".join((url.path.rstrip("/"), endpoint.lstrip("/")))
    address = url.copy_with(username=None, password=None, path=path)
    headers = {"Accept": "application/json"}
    auth = None
    if url.password and not url.username:
        headers["Authorization"] = f"Bearer {url.password}"
    elif url.username:
        auth = httpx.BasicAuth(url.username, url.password or "")
    client = httpx.Client(headers=headers, auth=auth, timeout=timeout.total_seconds())
    return address, client
