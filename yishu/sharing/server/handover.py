"""Files over HTTP: the file of a grant by its token, or by a signed URL that soon expires."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from yishu.sharing import files, handover
from yishu.sharing.errors import AccessDenied
from yishu.sharing.handover import Handed
from yishu.sharing.server.downloads import URL_SECONDS, send
from yishu.sharing.server.gate import Gate
from yishu.sharing.server.rows import Authorization
from yishu.sharing.tokens import FileUrl, is_signed, sign
from yishu.sharing.uselog import TOKEN

router = APIRouter()

_DELIVERY = "delivery"
"""Stands in a signed URL where the URL of a projection's file names the projection."""

Range = Annotated[str | None, Header(alias="range")]


@router.get("/v1/file")
async def file(
    request: Request, authorization: Authorization = None, range_: Range = None
) -> Response:
    """The file of the newest version: CSV, XLSX or Parquet, as granted; whole or a range."""
    gate: Gate = request.app.state.gate
    handed, token_id = await _admitted(gate, authorization)
    return await _send(gate, handed, f"{TOKEN}{token_id}", range_)


@router.get("/v1/file/manifest")
async def manifest(request: Request, authorization: Authorization = None) -> Response:
    """What the file holds: columns, rows, digests, terms."""
    gate: Gate = request.app.state.gate
    handed, _ = await _admitted(gate, authorization)
    return Response(handed.manifest.read_bytes(), media_type="application/json")


@router.post("/v1/file/url")
async def url(request: Request, authorization: Authorization = None) -> dict[str, Any]:
    """An address of the file that needs no token, for a quarter of an hour."""
    gate: Gate = request.app.state.gate
    handed, _ = await _admitted(gate, authorization)
    expires = int(gate.house.clock().timestamp()) + URL_SECONDS
    signed = FileUrl(handed.delivery.grant_id, _DELIVERY, handed.file.name, expires)
    path = f"delivered/{signed.grant_id}/{signed.file}"
    address = f"{request.base_url}{path}?expires={expires}&mac={sign(gate.house.key, signed)}"
    return {"url": address, "expires": expires}


@router.get("/delivered/{grant_id}/{name}")
async def fetch(
    request: Request,
    grant_id: str,
    name: str,
    *,
    expires: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
    mac: str = "",
    range_: Range = None,
) -> Response:
    """The file by its signed address."""
    gate: Gate = request.app.state.gate
    signed = FileUrl(grant_id, _DELIVERY, name, expires)
    if not is_signed(gate.house.key, signed, mac):
        raise await gate.refuse("file", "a URL that we did not make", grant_id)
    if gate.house.clock().timestamp() >= expires:
        raise await gate.refuse("file", "a URL that is too old", grant_id)
    handed = await _newest(gate, grant_id)
    if handed.file.name != name:
        raise await gate.refuse("file", "a URL of an older version", grant_id)
    return await _send(gate, handed, f"url:{name}", range_)


async def _send(gate: Gate, handed: Handed, requester: str, range_: str | None) -> Response:
    return await send(
        gate,
        handed.delivery.grant_id,
        handed.file,
        range_=range_,
        headers=handed.headers(),
        use=lambda size: handed.use(gate.house, requester, size),
    )


async def _admitted(gate: Gate, authorization: str | None) -> tuple[Handed, str]:
    found = await gate.admit(authorization, "file", formats=tuple(files.SUFFIX))
    return await _newest(gate, found.ready.grant.grant_id), found.token_id


async def _newest(gate: Gate, grant_id: str) -> Handed:
    try:
        return await asyncio.to_thread(handover.newest, gate.house, grant_id)
    except AccessDenied as error:
        await gate.refuse("file", error.found, grant_id)
        raise
