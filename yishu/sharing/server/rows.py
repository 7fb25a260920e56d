"""Query API (服务接口): rows by key or page, approved columns only, for a purpose and a case."""

import hashlib
import json
from typing import Annotated, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from yishu.sharing.errors import AccessDenied
from yishu.sharing.files import as_text
from yishu.sharing.projection import Projection
from yishu.sharing.server.gate import Gate, Pass
from yishu.sharing.uselog import row_key

router = APIRouter(prefix="/v1")

MOST_ROWS = 1_000

Authorization = Annotated[str | None, Header(include_in_schema=False)]


class Asked(BaseModel):
    """What every call says: what for, and for which case."""

    model_config = ConfigDict(extra="forbid")

    purpose: Annotated[str, Field(max_length=64)]
    case_no: Annotated[str | None, Field(max_length=64)] = None


Kind = TypeVar("Kind", bound=Asked)


class Query(Asked):
    """Rows by conditions on approved columns, a page at a time."""

    where: Annotated[dict[str, str], Field(default_factory=dict, max_length=20)]
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


@router.post("/query")
async def query(request: Request, asked: Query, authorization: Authorization = None) -> Response:
    """Rows of the grant; what a column cannot hold finds nothing."""
    gate: Gate = request.app.state.gate
    found = await gate.admit(
        authorization, "query", purpose=asked.purpose, case_no=asked.case_no, formats=("json",)
    )
    check_columns(found, asked.where)
    table = await run_in_threadpool(_page, found.ready.projection, asked)
    body = json.dumps(
        {
            "grant": found.ready.grant.grant_id,
            "as_of": found.ready.committed_at,
            "version": found.ready.projection.version,
            "rows": plain_rows(table),
        },
        ensure_ascii=False,
    ).encode()
    use = gate.use(
        found,
        "query",
        case_no=asked.case_no,
        rows=table.num_rows,
        bytes=len(body),
        digest=hashlib.sha256(body).hexdigest(),
        row_keys=keys_of(gate, found, table),
    )
    await gate.serve(use)
    return Response(body, media_type="application/json")


def body_of(kind: type[Asked]) -> dict[str, Any]:
    """What OpenAPI says of a body that the route reads itself."""
    schema = kind.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def parsed(kind: type[Kind], body: bytes) -> Kind:
    """A body as a question.

    Raises:
        RequestValidationError: it is none; told without what was sent.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in faults]
        ) from None


def check_columns(found: Pass, named: Any) -> None:
    """Refuse a question about a column that is not granted.

    Raises:
        AccessDenied: 403, without saying whether the object has such a column.
    """
    strange = sorted(set(named) - set(found.ready.grant.columns))
    if strange:
        raise AccessDenied(
            found.ready.grant.grant_id,
            found=f"{len(strange)} column(s) that are not granted",
            expected=f"columns among {', '.join(found.ready.grant.columns)}",
            remedy="ask for a change of scope",
            status=403,
        )


def keys_of(gate: Gate, found: Pass, table: pa.Table) -> tuple[str, ...] | None:
    """The keyed digests of rows for the log; None where the key is not granted in clear."""
    key = [name for name in found.ready.key if name not in found.ready.grant.masks]
    if not key or len(key) < len(found.ready.key):
        return None
    values = zip(*(table.column(name).to_pylist() for name in key), strict=True)
    object_id = found.ready.grant.object_id
    return tuple(row_key(gate.house.key, object_id, one) for one in values)


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as JSON has them: numbers beyond 2^53, decimals, days and moments as text."""
    columns = {name: _plain(table.column(name)) for name in table.schema.names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(values: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_boolean(values.type) or pa.types.is_string(values.type):
        return list(values.to_pylist())
    if pa.types.is_integer(values.type):
        return [
            one if one is None or abs(one) < 1 << 53 else str(one) for one in values.to_pylist()
        ]
    return [one for chunk in values.chunks for one in as_text(chunk).to_pylist()]


def _page(projection: Projection, asked: Query) -> pa.Table:
    source = ds.dataset([str(path) for path in projection.files], schema=projection.schema)
    condition = None
    for name, value in asked.where.items():
        try:
            held = pa.scalar(value).cast(projection.schema.field(name).type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return projection.schema.empty_table()
        test = pc.field(name) == held
        condition = test if condition is None else condition & test
    wanted = asked.offset + asked.limit
    return source.scanner(filter=condition).head(wanted).slice(asked.offset)
