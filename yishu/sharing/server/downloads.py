"""Bytes of files: signed URLs for clients that fetch without a token, ranges, and an end at once.

A URL is bound to grant, projection, file and expiry. Its use is on record before the first byte,
and while a long file flows the grant is looked at every second: closing ends it in the middle.
"""

import asyncio
import mmap
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import text

from yishu.sharing.errors import AccessDenied
from yishu.sharing.house import use_of
from yishu.sharing.server.gate import Gate
from yishu.sharing.tokens import FileUrl, is_signed, sign
from yishu.sharing.uselog import Use, denied

router = APIRouter()

URL_SECONDS = 900
"""How long a file's URL lives: a client that breaks off asks for new ones."""

CHUNK = 4 << 20
_LOOK_SECONDS = 1.0
"""How long a closed channel may go on sending, at the speed of whoever reads, and one chunk."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_NAME = re.compile(r"part-\d{5}\.parquet", re.ASCII)


@dataclass(frozen=True)
class Span:
    """Bytes of a file; ``stop`` is not included."""

    start: int
    stop: int
    is_partial: bool


def url_of(base: str, key: bytes, url: FileUrl) -> str:
    """The signed address of a file, below the server's base address."""
    path = f"{base.rstrip('/')}/files/{url.grant_id}/{url.projection}/{url.file}"
    return f"{path}?expires={url.expires}&mac={sign(key, url)}"


@router.head("/files/{grant_id}/{projection}/{file}", include_in_schema=False)
@router.get("/files/{grant_id}/{projection}/{file}")
async def fetch(
    request: Request,
    grant_id: str,
    projection: str,
    file: str,
    *,
    expires: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
    mac: str = "",
    range_: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """A file of a projection, whole or a range of it."""
    gate: Gate = request.app.state.gate
    url = FileUrl(grant_id, projection, file, expires)
    use, path = await _admitted(gate, url, mac)
    headers = {"Content-Type": "application/octet-stream"}
    is_head = request.method == "HEAD"
    use_of_bytes = None if is_head else (lambda size: replace(use, bytes=size))
    return await send(gate, grant_id, path, range_=range_, headers=headers, use=use_of_bytes)


async def send(
    gate: Gate,
    grant_id: str,
    path: Path,
    *,
    range_: str | None,
    headers: Mapping[str, str],
    use: Callable[[int], Use] | None,
) -> Response:
    """A file of a grant, whole or a range of it, on record before its first byte.

    Args:
        gate: Keeps the record.
        grant_id: The grant, looked at while the bytes flow.
        path: The file.
        range_: The Range header.
        headers: What else is said of the file, its Content-Type at least.
        use: The record of a fetch of so many bytes; None: only the headers are asked for.

    Raises:
        AccessDenied: 410, the file was deleted meanwhile; 416, the range lies outside of it.
        UseNotRecorded: nothing may be served.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise _gone(grant_id) from None
    size = os.fstat(file.fileno()).st_size
    span = span_of(range_, size)
    told = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(span.stop - span.start)}
    if span.is_partial:
        told["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    status = 206 if span.is_partial else 200
    if use is None:
        return Response(None, status, told)
    await gate.serve(use(span.stop - span.start))
    if not size:
        return Response(b"", status, told)
    return StreamingResponse(_flow(gate, grant_id, file, span), status, told)


def _gone(grant_id: str) -> AccessDenied:
    return AccessDenied(
        grant_id,
        found="a file that was deleted, since its channel or its version ended",
        expected="the version that is served now",
        remedy="ask for the addresses again",
        status=410,
    )


def span_of(header: str | None, size: int) -> Span:
    """The bytes that a Range header asks for; the whole file where it asks for nothing sound.

    Raises:
        AccessDenied: 416, the range lies outside the file.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.groups() == ("", ""):
        return Span(0, size, is_partial=False)
    first, last = found.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
    if start >= stop:
        raise AccessDenied(
            "range",
            found=f"bytes {start} to {stop - 1} of {size}",
            expected="a range inside the file",
            remedy="ask for the size first",
            status=416,
        )
    return Span(start, stop, is_partial=True)


async def _admitted(gate: Gate, url: FileUrl, mac: str) -> tuple[Use, Path]:
    """The record to make and the file to send; every refusal is on record.

    Raises:
        AccessDenied: 403, the URL is forged, stretched, of another grant, too old, or its grant
            is not open.
    """
    house = gate.house
    now = house.clock()
    if not (_NAME.fullmatch(url.file) and is_signed(house.key, url, mac)):
        raise await gate.refuse("file", "a URL that we did not make", url.grant_id)
    if now.timestamp() >= url.expires:
        raise await gate.refuse("file", "a URL that is too old", url.grant_id)
    served = await gate.ready_of(url.grant_id)
    use = use_of(served, now, "delta_sharing", f"url:{url.file}")
    projection = served.projection
    if projection.identity != url.projection:
        await gate.record(denied(use, "a URL of a version that is not served any more"))
        raise await gate.refuse("file", "a URL of an older version", url.grant_id)
    place = [path.name for path in projection.files].index(url.file)
    digest, rows = projection.digests[place], projection.rows_of(place)
    return replace(use, digest=digest, rows=rows), projection.files[place]


async def _flow(gate: Gate, grant_id: str, file: FileIO, span: Span) -> AsyncIterator[memoryview]:
    moment = asyncio.get_running_loop().time
    looked = moment()
    for chunk in chunks(file, span):
        if moment() - looked >= _LOOK_SECONDS:
            await asyncio.to_thread(_still_open, gate, grant_id)
            looked = moment()
        yield chunk


def chunks(file: FileIO, span: Span) -> Iterator[memoryview]:
    """The bytes of a file as the page cache has them, without a copy of our own; closes the file.

    Files are swapped in whole and never changed in place, so the map stays sound.
    """
    with file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    content = memoryview(mapped)
    for start in range(span.start, span.stop, CHUNK):
        stop = min(start + CHUNK, span.stop)
        if stop < span.stop:
            # The kernel fetches the next chunk from disk while this one is sent.
            ahead = stop // mmap.PAGESIZE * mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, ahead, min(CHUNK, len(content) - ahead))
        yield content[start:stop]


_OPEN = text("select state from ledger.share_grant where grant_id = :grant_id")


def _still_open(gate: Gate, grant_id: str) -> None:
    with gate.house.engine.connect() as connection:
        state = connection.scalar(_OPEN, {"grant_id": grant_id})
    if state != "open":
        raise ConnectionAbortedError(f"{grant_id} is {state}")
