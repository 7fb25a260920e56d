"""The REST API, version 1: passwords, one's own tokens, proof and export of the journal.

A token makes no token, nor does it change its account's own password: one that leaked must end
when it is ended.
"""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from yishu.governance import accounts
from yishu.ledger.chain import Proof
from yishu.portal import api_tokens, credentials
from yishu.portal.api_tokens import Kept
from yishu.portal.areas import journal
from yishu.portal.areas.api import ERRORS, saved
from yishu.portal.areas.api_office import Administrator, Auditor
from yishu.portal.depends import Caller, Db, Here, Now

router = APIRouter(prefix="/api/v1", responses=ERRORS)


class FirstPassword(BaseModel):
    """An account and its new first password, told once."""

    account: str
    first_password: str


class Revoked(BaseModel):
    """The token that is of no use any more."""

    reference: str


@router.post("/accounts/{account}/password", tags=["accounts"])
def reset(here: Here, db: Db, now: Now, actor: Administrator, account: str) -> FirstPassword:
    """A new first password for an account, told once; its sessions end."""
    accounts.find(db, account, here.today())
    return FirstPassword(account=account, first_password=credentials.reset(db, account, actor, now))


@router.get("/tokens", tags=["accounts"])
def tokens(db: Db, actor: Caller) -> list[Kept]:
    """The caller's own tokens, newest first; ``reference`` names one without being of use."""
    return api_tokens.listed(db, actor.account)


@router.post("/tokens/{reference}/revocation", tags=["accounts"])
def revoke(db: Db, now: Now, actor: Caller, reference: str) -> Revoked:
    """End one of the caller's own tokens."""
    api_tokens.revoke(db, actor, reference, now)
    return Revoked(reference=reference)


@router.post("/journal/proof", tags=["journal"])
def prove(here: Here, _: Auditor) -> Proof:
    """Prove the whole journal against the seal that is kept outside of the database."""
    return journal.proven(here)


@router.get("/journal/export.jsonl", tags=["journal"], **saved("application/x-ndjson"))
def export(here: Here, _: Auditor) -> Response:
    """The journal as a file that `yishu journal verify` proves offline."""
    return journal.exported(here)
