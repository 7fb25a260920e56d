"""What a query service answers, page by page, and where its next page is.

    page     GET …?page=1&page_size=500    {"total": n, "page": k, "rows": [{…}, …]}
    cursor   GET …?page_size=500           {"rows": […], "next_cursor": "…" or null}
             GET …?page_size=500&cursor=…
    link     GET …?page_size=500           rows, and a ``Link: <…>; rel="next"`` header (RFC 8288)
                                           or {"rows": […], "next": "https://…" or null}

Pages that are counted are held against their count. A cursor or a link that comes a second time,
one that leads to another host, and one that never comes to rows stop the pull.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from catalog.model import RestSpec
from catalog.vocabulary import Pagination
from yishu.sources.errors import SourceUnreadable
from yishu.sources.rest_client import Answer, Ask, RestClient

EXPECTED = {
    Pagination.PAGE: '{"total", "page", "rows"}, each full page once and in order',
    Pagination.CURSOR: "rows and a cursor to the next page, each once",
    Pagination.LINK: "rows and a link to the next page on the same host, each once",
}


@dataclass(frozen=True)
class Page:
    """One answer of the service, already held against its way of paging.

    Attributes:
        number: From 1.
        total: Rows in all, if the service says so.
        columns: Names in the rows, or those that the answer lists.
        digest: Of the rows: two pages alike are one page twice.
        following: How to ask for the next page; None on the last one.
    """

    number: int
    total: int | None
    rows: list[dict[str, Any]]
    columns: tuple[str, ...]
    digest: bytes
    following: Ask | None


Unlike = Callable[[str], SourceUnreadable]


class Walk:
    """The way from page to page of one service; ``extra`` parameters go with every request."""

    def __init__(
        self,
        client: RestClient,
        spec: RestSpec,
        page_size: int,
        unlike: Unlike,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self._client = client
        self._extra = dict(extra or {})
        self._spec = spec
        self._size = page_size
        self._unlike = unlike

    def first(self) -> Ask:
        """How to ask for page 1."""
        more = {self._spec.page_parameter: "1"} if self._is(Pagination.PAGE) else {}
        size = {self._spec.size_parameter: str(self._size)}
        return Ask(self._client.address, {**self._extra, **more, **size})

    def page(self, number: int, ask: Ask, answer: Answer) -> Page:
        """An answer as the page that was asked for.

        Raises:
            SourceUnreadable: it is no page, or not that one.
        """
        try:
            # Numbers keep the digits that the service wrote.
            body = json.loads(
                answer.content, parse_int=str, parse_float=str, parse_constant=_refuse
            )
            is_list = isinstance(body, list)
            rows = body if is_list else _at(body, self._spec.rows_field)
            names = dict.fromkeys(() if is_list else body.get("columns", ()))
            for row in rows:
                names.update(dict.fromkeys(row.keys()))
            # Also refuses half characters, which JSON can write and text cannot hold.
            digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).digest()
            total = None if is_list else _number(_at(body, self._spec.total_field, None))
            if self._is(Pagination.PAGE):
                following = self._by_number(number, body, len(rows), total)
            elif self._is(Pagination.CURSOR):
                following = self._by_cursor(body, ask)
            else:
                following = self._by_link(body, answer, ask.full)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._unlike("an answer that is no page") from None
        return Page(number, total, rows, tuple(names), digest, following)

    def _is(self, way: Pagination) -> bool:
        return self._spec.pagination is way

    def _by_cursor(self, body: Any, ask: Ask) -> Ask | None:
        cursor = _at(body, self._spec.next_field or "next_cursor", None)
        if cursor in (None, ""):
            return None
        if not isinstance(cursor, str):
            raise TypeError
        return Ask(ask.url, {**self.first().parameters, self._spec.cursor_parameter: cursor})

    def _by_number(self, number: int, body: Any, rows: int, total: int | None) -> Ask | None:
        given = int(body["page"])
        if total is None:
            raise KeyError(self._spec.total_field)
        if given != number:
            raise self._unlike(f"page {given} where page {number} was asked for")
        due = min(max(total - (number - 1) * self._size, 0), self._size)
        if rows != due:
            raise self._unlike(f"{rows} rows on page {number} where {due} of {total} were due")
        if number * self._size >= total:
            return None
        first = self.first()
        return Ask(first.url, {**first.parameters, self._spec.page_parameter: str(number + 1)})

    def _by_link(self, body: Any, answer: Answer, base: httpx.URL) -> Ask | None:
        link: Any = answer.links.get("next")
        if link is None and not isinstance(body, list):
            link = _at(body, self._spec.next_field or "next", None)
        if link in (None, ""):
            return None
        url = self._client.same_host(link, base) if isinstance(link, str) else None
        if url is None:
            raise self._unlike("a link to the next page that leads away from the service's host")
        return Ask(url)


_NEEDED = object()


def _at(body: Any, path: str, default: Any = _NEEDED) -> Any:
    """The value at a dotted path of an answer."""
    for step in path.split("."):
        if default is not _NEEDED and (not isinstance(body, dict) or step not in body):
            return default
        body = body[step]
    return body


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _refuse(_constant: str) -> None:
    raise ValueError
