"""A department's query service: pages of JSON over HTTP.

How it pages is the entry's to say (``source.rest``, `yishu.sources.rest_pages`). Every answer is
held against that, since a page left out or given twice would otherwise be data lost or doubled in
silence.

Numbers keep the digits that the service wrote; null stays null. An empty service has no columns,
unless its answer names them in ``"columns": [...]``.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from catalog.model import RestSpec, SourceSpec
from catalog.vocabulary import Pagination
from yishu.sources.errors import (
    SourceChanged,
    SourceError,
    SourceMisdescribed,
    SourceTableMissing,
    SourceUnreadable,
    require_columns,
)
from yishu.sources.protocol import (
    MAX_BATCH_ROWS,
    Connection,
    Since,
    SourceColumn,
    bounded,
    string_schema,
)
from yishu.sources.rest_client import LONGEST_WAIT, TIMEOUT, Ask, RestClient
from yishu.sources.rest_pages import EXPECTED, Page, Walk
from yishu.sources.rest_spool import KeptPage, Spool

MOST_EMPTY_PAGES = 20
"""Pages without a row, one after another, after which a service is taken to lead nowhere."""


Complaint = Callable[[str], SourceError]
"""Makes an error of what was found."""


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
        self._rest = spec.rest or RestSpec()
        self._client = RestClient(
            self._obj,
            connection,
            spec.endpoint,
            self._rest,
            timeout=timeout,
            longest_wait=longest_wait,
        )
        self._walk = Walk(self._client, self._rest, spec.page_size, self._unlike)
        self._first: Page | None = None
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def resume_in(self, folder: Path) -> None:
        """Keep pages there while reading, and go on from those that an earlier attempt left.

        Nothing is kept unless the entry says that the service's cursor is stable.
        """
        if self._rest.stable_cursor and self._rest.pagination is not Pagination.PAGE:
            self._folder = folder

    def columns(self) -> list[SourceColumn]:
        """The names in the first page's rows, all of type ``string``.

        Raises:
            SourceTableMissing: there is no such endpoint.
            SourceRefused: the credential is not accepted.
            SourceUnreachable: the service does not answer, or fails each time.
            SourceUnreadable: the answer is not of the protocol.
        """
        return [SourceColumn(name, "string") for name in self._start().columns]

    def read(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the columns, page after page.

        Raises:
            SourceColumnMissing: a column is not in the first page.
            SourceUnreadable: a page is not of the protocol, was repeated or left out.
            SourceChanged: the number of rows changed while it was read, or a cursor is no longer
                taken.
        """
        first = self._start()
        # Without a row or a list of names nothing is known to be missing.
        require_columns(self._obj, first.columns if first.columns else columns, columns)
        return self._stream(first, columns)

    def read_since(self, columns: Sequence[str], since: Since) -> Iterator[pa.RecordBatch]:
        """Stream the rows that the service gives for a lower bound; all, if it takes none.

        Nothing is kept for a later attempt: what such an attempt asks for may be another bound.

        Raises:
            SourceError: as ``read``.
        """
        if since.parameter is None:
            return self.read(columns)
        extra = {since.parameter: str(since.value)}
        if isinstance(since.value, date):
            extra = {since.parameter: since.value.isoformat()}
        bounded = copy(self)
        bounded._walk = Walk(self._client, self._rest, self._page_size, self._unlike, extra)
        bounded._first = bounded._folder = None
        return bounded.read(columns)

    def _stream(self, first: Page, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = string_schema(columns)
        ready: list[pa.RecordBatch] = []
        waiting = 0
        for page in self._pages(first, schema):
            if waiting + page.num_rows > MAX_BATCH_ROWS:
                yield from _joined(ready, schema)
                ready, waiting = [], 0
            ready.append(page)
            waiting += page.num_rows
        yield from _joined(ready, schema)

    def _pages(self, first: Page, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of each page, those of an earlier attempt first."""
        watch = _Watch(first.total, self._walk.first(), self._unlike, self._changed)
        last: KeptPage | None = None
        spool = Spool(self._folder, schema.names) if self._folder else None
        for last in self._kept(spool, first):
            watch.see(last)
            yield last.rows
        if last is None:
            last = self._taken(first, schema, spool)
            watch.see(last)
            yield last.rows
        while last.following is not None:
            page = self._next(last.number + 1, last.following, spool)
            # Watched before it is kept, so that no bad page is ever gone on from.
            kept = self._taken(page, schema, None)
            watch.see(kept)
            if spool:
                spool.keep(kept)
            last = kept
            yield last.rows
        watch.end()

    def _kept(self, spool: Spool | None, first: Page) -> Iterator[KeptPage]:
        """What an earlier attempt left, if the service still begins in the same way."""
        for page in spool.pages() if spool else ():
            if page.number == 1 and (page.digest, page.total) != (first.digest, first.total):
                if spool:
                    spool.clear()
                return
            yield page

    def _next(self, number: int, ask: Ask, spool: Spool | None) -> Page:
        try:
            return self._page(number, ask)
        except (SourceTableMissing, SourceUnreadable):
            if spool is None or number == 1:
                raise
            spool.clear()
            raise self._changed(f"page {number} no longer to be had by its cursor") from None

    def _taken(self, page: Page, schema: pa.Schema, spool: Spool | None) -> KeptPage:
        rows = [self._picked(page, place, schema.names) for place in range(len(page.rows))]
        kept = KeptPage(page.number, page.digest, page.total, page.following, _batch(rows, schema))
        if spool:
            spool.clear()
            spool.keep(kept)
        return kept

    def _picked(self, page: Page, place: int, columns: Sequence[str]) -> dict[str, Any]:
        row = page.rows[place]
        for name in columns:
            if not isinstance(row.get(name, ...), str | bool | None):
                what = "nothing" if name not in row else "a list or an object"
                raise self._unlike(f"{what} for {name} in row {place} of page {page.number}")
        return row

    def _start(self) -> Page:
        if self._first is None:
            self._first = self._page(1, self._walk.first())
        return self._first

    def _page(self, number: int, ask: Ask) -> Page:
        return self._walk.page(number, ask, self._client.get(ask))

    def _unlike(self, found: str) -> SourceUnreadable:
        return SourceUnreadable(
            self._obj,
            found=found,
            expected=f"{EXPECTED[self._rest.pagination]}, and a text, number, boolean or null for "
            "each column",
            remedy=f"ask the department to correct the service, or set source.page_size (now "
            f"{self._page_size}) to what it can give",
        )

    def _changed(self, found: str) -> SourceChanged:
        return SourceChanged(
            self._obj,
            found=found,
            expected="the same rows from the first page to the last",
            remedy="pull again, at a time when the service is not being updated",
        )


class _Watch:
    """What has been seen of a service: nothing twice, nothing left out, an end in sight."""

    def __init__(
        self, total: int | None, first: Ask, unlike: Complaint, changed: Complaint
    ) -> None:
        self._total = total
        self._unlike, self._changed = unlike, changed
        self._rows = 0
        self._empty = 0
        self._digests: set[bytes] = set()
        self._asked = {str(first.full)}

    def see(self, page: KeptPage) -> None:
        """Hold a page against those before it."""
        count = page.rows.num_rows
        if page.total != self._total:
            found = f"{page.total} rows on page {page.number}, {self._total} on page 1"
            raise self._changed(found)
        # One row alone may well be equal to another.
        if page.digest in self._digests and count > 1:
            raise self._unlike(f"page {page.number} with the rows of an earlier page")
        self._digests.add(page.digest)
        self._empty = 0 if count else self._empty + 1
        address = str(page.following.full) if page.following else ""
        if address and (address in self._asked or self._empty > MOST_EMPTY_PAGES):
            raise self._unlike(f"a way from page {page.number} that leads nowhere new")
        self._asked.add(address)
        self._rows += count

    def end(self) -> None:
        """Hold all that came against the count that the service gave."""
        if self._total is not None and self._rows != self._total:
            raise self._unlike(f"{self._rows} rows where {self._total} were promised")


def _batch(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array([_text(row[name]) for row in rows], pa.string()) for name in schema.names],
        schema=schema,
    )


def _joined(ready: list[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    table = pa.Table.from_batches(ready, schema).combine_chunks()
    for batch in table.to_batches() or [_batch([], schema)]:
        yield from bounded(batch)


def _text(value: str | bool | None) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
