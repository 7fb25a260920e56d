"""E-licences: verification and call (证照核验、证照调用), so that nobody submits a copy (免证办).

Verification tells the state of a licence and nothing of its face. A call returns the granted
fields of one licence for one case; the material that it stands in for is counted (IND-20). A
licence of another region is known by its identifier; an unknown identifier root is not accepted.
"""

import asyncio
import hashlib
import json
from datetime import date
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from pydantic import Field

from catalog.identifiers.licence import check_licence_identifier
from yishu.clocks import beijing_day
from yishu.sharing.errors import AccessDenied
from yishu.sharing.lookup import Lookup
from yishu.sharing.server.gate import Gate, Pass
from yishu.sharing.server.rows import Asked, Authorization, plain_rows
from yishu.sharing.server.verification import NOT_FOUND, origin
from yishu.sharing.uselog import row_key

router = APIRouter(prefix="/v1/licences")

ROOT = "1.2.156.3005.2."
"""The root of licence identifiers (GB/T 36904)."""

IDENTIFIER = "licence_identifier"
VALID, EXPIRED, REVOKED, NOT_ACCEPTED = "valid", "expired", "revoked", "not_accepted"
_IN_FORCE = "01"


class Licence(Asked):
    """One licence, by its identifier, and the material of the case that it stands in for."""

    licence_identifier: Annotated[str, Field(min_length=1, max_length=200)]
    material: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class Called(Licence):
    """A call always names case and material."""

    case_no: Annotated[str, Field(min_length=1, max_length=64)]
    material: Annotated[str, Field(min_length=1, max_length=200)]


@router.post("/verify")
async def verify(request: Request, asked: Licence, authorization: Authorization = None) -> Any:
    """Valid, expired, revoked, not found; or not accepted, with the reason."""
    gate: Gate = request.app.state.gate
    found = await _admit(gate, "licence_verification", asked, authorization)
    reason = not_accepted(asked.licence_identifier)
    row = None if reason else await _row(found, asked.licence_identifier)
    result = NOT_ACCEPTED if reason else state_of(row, beijing_day(gate.house.clock()))
    if result in (NOT_FOUND, NOT_ACCEPTED):
        gate.miss(found.ready.grant.grant_id)
    keys = (_key(gate, found, asked.licence_identifier),)
    use = gate.use(
        found,
        "licence_verification",
        case_no=asked.case_no,
        material=asked.material if result == VALID else None,
        rows=int(row is not None),
        row_keys=keys,
    )
    await gate.serve(use)
    return {"result": result, "reason": reason, **origin(found)}


@router.post("/call")
async def call(request: Request, asked: Called, authorization: Authorization = None) -> Response:
    """The granted fields of a licence, for one case."""
    gate: Gate = request.app.state.gate
    found = await _admit(gate, "licence_call", asked, authorization, ("json",))
    row = await _row(found, asked.licence_identifier)
    if row is None:
        gate.miss(found.ready.grant.grant_id)
    table = pa.Table.from_pylist([row] if row else [], schema=found.ready.projection.schema)
    licence = next(iter(plain_rows(table)), None)
    body = json.dumps({"licence": licence, **origin(found)}, ensure_ascii=False).encode()
    use = gate.use(
        found,
        "licence_call",
        case_no=asked.case_no,
        material=asked.material,
        rows=table.num_rows,
        bytes=len(body),
        digest=hashlib.sha256(body).hexdigest(),
        row_keys=(_key(gate, found, asked.licence_identifier),),
    )
    await gate.serve(use)
    return Response(body, media_type="application/json")


def not_accepted(identifier: str) -> str | None:
    """Why an identifier is not accepted; None when it is one (GB/T 36904, loosely as in use)."""
    if not identifier.startswith(ROOT):
        return "证照标识的根不是电子证照标识根，不予认可"
    if not check_licence_identifier(identifier, strict=False):
        return "证照标识的结构或校验位不正确，不予认可"
    return None


def state_of(row: dict[str, Any] | None, today: date) -> str:
    """The state of a licence on a day."""
    if row is None:
        return NOT_FOUND
    if row["status"] != _IN_FORCE:
        return REVOKED
    is_over = row["valid_until"] is not None and row["valid_until"] < today
    return EXPIRED if is_over else VALID


async def _admit(
    gate: Gate,
    channel: str,
    asked: Asked,
    authorization: str | None,
    formats: tuple[str, ...] = ("verification",),
) -> Pass:
    found = await gate.admit(
        authorization, channel, purpose=asked.purpose, case_no=asked.case_no, formats=formats
    )
    needed = {IDENTIFIER, "status", "valid_until"} - set(found.ready.grant.columns)
    if needed:
        raise AccessDenied(
            found.ready.grant.grant_id,
            found=f"a grant without {', '.join(sorted(needed))}",
            expected="a grant over licences with identifier, status and expiry",
            remedy="ask for a change of scope",
            status=403,
        )
    return found


async def _row(found: Pass, identifier: str) -> dict[str, Any] | None:
    if found.licences is None:
        projection = found.ready.projection
        found.licences = await asyncio.to_thread(Lookup, projection, (IDENTIFIER,))
    return found.licences.find({IDENTIFIER: identifier})


def _key(gate: Gate, found: Pass, identifier: str) -> str:
    return row_key(gate.house.key, found.ready.grant.object_id, [identifier])
