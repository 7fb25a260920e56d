"""Verification (在线核验): key and claimed values in; yes, no or not found out, never the data."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field

from yishu.sharing.errors import AccessDenied
from yishu.sharing.lookup import Lookup
from yishu.sharing.server.gate import Gate, Pass
from yishu.sharing.server.rows import Asked, Authorization, body_of, check_columns, parsed
from yishu.sharing.uselog import row_key

router = APIRouter(prefix="/v1")

MOST_CLAIMS = 1_000

YES, NO, NOT_FOUND = "yes", "no", "not_found"

Values = Annotated[dict[str, str | None], Field(max_length=40)]


class Claim(Asked):
    """One claim: the row of this key has these values."""

    key: Values
    claims: Annotated[Values, Field(default_factory=dict)]


class One(Asked):
    """A claim in a batch; the batch says purpose and case."""

    purpose: str = ""
    key: Values
    claims: Annotated[Values, Field(default_factory=dict)]


class Claims(Asked):
    """Several claims in one call."""

    items: Annotated[list[One], Field(min_length=1, max_length=MOST_CLAIMS)]


class Direct(APIRoute):
    """A route that hands the request to its endpoint as it is, past the framework's own work."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint: it takes the request and gives the response."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


async def verify(request: Request) -> Response:
    """Whether a claim holds."""
    gate: Gate = request.app.state.gate
    asked = parsed(Claim, await request.body())
    found = await _admit(gate, asked, request.headers.get("authorization"))
    answer = await judge(gate, found, asked.key, asked.claims)
    await _record(gate, found, asked.case_no, [asked.key])
    told = json.dumps({"result": answer, **origin(found)}, ensure_ascii=False)
    return Response(told.encode(), media_type="application/json")


# The call that comes most often.
router.add_api_route(
    "/verify",
    verify,
    methods=["POST"],
    openapi_extra=body_of(Claim),
    route_class_override=Direct,
)


@router.post("/verify/batch")
async def verify_batch(request: Request, asked: Claims, authorization: Authorization = None) -> Any:
    """Whether each of several claims holds, in their order."""
    gate: Gate = request.app.state.gate
    found = await _admit(gate, asked, authorization)
    answers = [await judge(gate, found, one.key, one.claims) for one in asked.items]
    await _record(gate, found, asked.case_no, [one.key for one in asked.items])
    return {"results": answers, **origin(found)}


async def _admit(gate: Gate, asked: Asked, authorization: str | None) -> Pass:
    return await gate.admit(
        authorization,
        "verification",
        purpose=asked.purpose,
        case_no=asked.case_no,
        formats=("verification",),
    )


async def row_of(found: Pass, key: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row of a key, by the lookup that is made on the first call.

    Raises:
        AccessDenied: 403 for columns that are not granted; 400 for another key than the object's.
    """
    check_columns(found, key)
    if set(key) != set(found.ready.key):
        raise AccessDenied(
            found.ready.grant.grant_id,
            found=f"a key of {', '.join(sorted(key)) or 'nothing'}",
            expected=f"values for {', '.join(found.ready.object_.key)}, all granted",
            remedy="give the whole key",
            status=400,
        )
    if found.lookup is None:
        found.lookup = await asyncio.to_thread(Lookup, found.ready.projection, found.ready.key)
    return found.lookup.find(key)


async def judge(
    gate: Gate, found: Pass, key: Mapping[str, Any], claims: Mapping[str, str | None]
) -> str:
    """``yes``, ``no`` or ``not_found``; what is not yes counts against guessing."""
    check_columns(found, claims)
    row = await row_of(found, key)
    answer = NOT_FOUND
    if row is not None:
        schema = found.ready.projection.schema
        holds = all(
            _same(row[name], claim, schema.field(name).type) for name, claim in claims.items()
        )
        answer = YES if holds else NO
    if answer != YES:
        gate.miss(found.ready.grant.grant_id)
    return answer


def origin(found: Pass) -> dict[str, Any]:
    """As of when, from which source, of which version."""
    return {
        "as_of": found.ready.committed_at,
        "source": list(found.ready.grant.provider_orgs),
        "object": found.ready.grant.object_id,
        "version": found.ready.projection.version,
    }


def _same(value: Any, claim: str | None, kind: pa.DataType) -> bool:
    if claim is None or value is None:
        return value is None and claim is None
    if pa.types.is_string(kind):
        return bool(value == claim.strip())
    try:
        return bool(value == pa.scalar(claim).cast(kind).as_py())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False


async def _record(
    gate: Gate, found: Pass, case_no: str | None, keys: list[dict[str, str | None]]
) -> None:
    object_id, names = found.ready.grant.object_id, found.ready.key
    digests = tuple(
        row_key(gate.house.key, object_id, [key[name] for name in names]) for key in keys
    )
    use = gate.use(found, "verification", case_no=case_no, rows=len(keys), row_keys=digests)
    await gate.serve(use)
