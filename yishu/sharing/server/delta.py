"""Delta Sharing: the eight calls that its clients make, answered in plain Parquet.

One token is one grant is one share with one table. Names are the city's own: the share is the
providing department, the schema the layer, the table the entry. What a client hints (predicates,
limit) it may leave out: the files hold no more than was granted in any case.
"""

import json
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Body, Request, Response

from yishu.sharing.errors import AccessDenied
from yishu.sharing.server.downloads import URL_SECONDS, url_of
from yishu.sharing.server.gate import Gate, Pass
from yishu.sharing.server.rows import Authorization
from yishu.sharing.tokens import FileUrl

router = APIRouter(prefix="/delta-sharing")

FORMATS = ("delta_sharing",)
_NDJSON = "application/x-ndjson; charset=utf-8"
_LAYERS = {"unified": "统一数据库", "subject": "主题库"}


@router.get("/shares")
async def shares(request: Request, authorization: Authorization = None) -> dict[str, Any]:
    """The one share of the token."""
    found = await _admit(request, authorization)
    return {"items": [_share(request, found)]}


@router.get("/shares/{share}")
async def one_share(
    request: Request, share: str, authorization: Authorization = None
) -> dict[str, Any]:
    """A share by name."""
    found = await _admit(request, authorization, share)
    return {"share": _share(request, found)}


@router.get("/shares/{share}/schemas")
async def schemas(
    request: Request, share: str, authorization: Authorization = None
) -> dict[str, Any]:
    """The one schema of a share."""
    found = await _admit(request, authorization, share)
    return {"items": [{"name": _names(request, found)[1], "share": share}]}


@router.get("/shares/{share}/all-tables")
@router.get("/shares/{share}/schemas/{schema}/tables")
async def tables(
    request: Request, share: str, schema: str | None = None, authorization: Authorization = None
) -> dict[str, Any]:
    """The one table of a share."""
    found = await _admit(request, authorization, share, schema)
    names = _names(request, found)
    table = {"name": names[2], "schema": names[1], "share": names[0]}
    return {"items": [{**table, "shareId": _id(found), "id": _id(found)}]}


@router.get("/shares/{share}/schemas/{schema}/tables/{table}/version")
async def version(
    request: Request, share: str, schema: str, table: str, authorization: Authorization = None
) -> Response:
    """The version that is served."""
    found = await _admit(request, authorization, share, schema, table)
    return Response(headers=_version(found))


@router.get("/shares/{share}/schemas/{schema}/tables/{table}/metadata")
async def metadata(
    request: Request, share: str, schema: str, table: str, authorization: Authorization = None
) -> Response:
    """Protocol and columns."""
    found = await _admit(request, authorization, share, schema, table)
    return _lines(found, _head(found))


@router.post("/shares/{share}/schemas/{schema}/tables/{table}/query")
async def query(
    request: Request,
    share: str,
    schema: str,
    table: str,
    *,
    hints: Annotated[dict[str, Any] | None, Body()] = None,
    authorization: Authorization = None,
) -> Response:
    """The files of the version that is served, each with a signed address that soon expires."""
    found = await _admit(request, authorization, share, schema, table)
    _refuse_history(found, hints or {})
    gate: Gate = request.app.state.gate
    expires = int(gate.house.clock().timestamp()) + URL_SECONDS
    await gate.serve(gate.use(found, "delta_sharing", row_keys=()))
    base = str(request.base_url)
    projection, grant_id = found.ready.projection, found.ready.grant.grant_id
    files = []
    for place, path in enumerate(projection.files):
        url = FileUrl(grant_id, projection.identity, path.name, expires)
        files.append(
            {
                "file": {
                    "url": url_of(base, gate.house.key, url),
                    "id": projection.digests[place],
                    "partitionValues": {},
                    "size": path.stat().st_size,
                    "stats": json.dumps({"numRecords": projection.rows_of(place)}),
                    "version": projection.version,
                    "expirationTimestamp": expires * 1_000,
                }
            }
        )
    return _lines(found, [*_head(found), *files])


def spark_schema(schema: pa.Schema, names: dict[str, str]) -> str:
    """Columns as Spark writes them in JSON; Chinese names as comments."""
    fields = [
        {
            "name": one.name,
            "type": _spark_type(one.type),
            "nullable": True,
            "metadata": {"comment": names[one.name]} if one.name in names else {},
        }
        for one in schema
    ]
    return json.dumps({"type": "struct", "fields": fields}, ensure_ascii=False)


def _spark_type(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp"
    return _SPARK[kind]


_SPARK = {
    pa.string(): "string",
    pa.int64(): "long",
    pa.date32(): "date",
    pa.bool_(): "boolean",
}


async def _admit(request: Request, authorization: str | None, *asked: str | None) -> Pass:
    """The pass of a token, for the share, schema and table that it is for and no other.

    Raises:
        AccessDenied: 401 or 403 from the gate; 403 for the names of another grant.
    """
    gate: Gate = request.app.state.gate
    found = await gate.admit(authorization, "delta_sharing", formats=FORMATS)
    names = _names(request, found)
    # Names are case-insensitive in the protocol.
    if any(
        one is not None and one.casefold() != name.casefold()
        for one, name in zip(asked, names, strict=False)
    ):
        raise await gate.refuse(
            "delta_sharing", "a share that the token is not for", found.ready.grant.grant_id
        )
    return found


def _names(request: Request, found: Pass) -> tuple[str, str, str]:
    gate: Gate = request.app.state.gate
    departments = gate.house.catalog().departments
    first = found.ready.grant.provider_orgs[0]
    share = departments[first].name if first in departments else first
    layer = found.ready.object_.table.partition("/")[0]
    names = (share, _LAYERS[layer], found.ready.object_.name)
    return names[0], names[1], names[2].replace(".", "_").replace(" ", "_").replace("/", "_")


def _share(request: Request, found: Pass) -> dict[str, str]:
    return {"name": _names(request, found)[0], "id": _id(found)}


def _id(found: Pass) -> str:
    return str(found.ready.grant.grant_id)


def _version(found: Pass) -> dict[str, str]:
    return {"Delta-Table-Version": str(found.ready.projection.version)}


def _head(found: Pass) -> list[dict[str, Any]]:
    projection, object_ = found.ready.projection, found.ready.object_
    names = {one.field: one.name for one in object_.columns.values()}
    told = {
        "id": projection.identity,
        "name": object_.name,
        "format": {"provider": "parquet"},
        "schemaString": spark_schema(projection.schema, names),
        "partitionColumns": [],
        "version": projection.version,
        "size": sum(path.stat().st_size for path in projection.files),
        "numFiles": len(projection.files),
    }
    return [{"protocol": {"minReaderVersion": 1}}, {"metaData": told}]


def _lines(found: Pass, lines: list[dict[str, Any]]) -> Response:
    body = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)
    headers = {**_version(found), "delta-sharing-capabilities": "responseformat=parquet"}
    return Response(body, headers=headers, media_type=_NDJSON)


def _refuse_history(found: Pass, hints: dict[str, Any]) -> None:
    asked = hints.get("version")
    is_other = asked is not None and asked != found.ready.projection.version
    if is_other or hints.get("timestamp") or hints.get("startingVersion"):
        raise AccessDenied(
            found.ready.grant.grant_id,
            found="a question about another version",
            expected=f"the version that is served, {found.ready.projection.version}",
            remedy="leave version and timestamp out",
            status=400,
        )
