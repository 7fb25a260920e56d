"""The REST API, version 1: the catalog and its processes, for programs with a token.

Every error is ``application/problem+json``. What a role may do is what its pages may do.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Path as PathParameter
from pydantic import BaseModel, Field

from catalog.diff import differences
from catalog.report import listing
from catalog.roles import Action
from catalog.vocabulary import AssessmentKind, ChangeCause, EntryState, OpenType, ShareType
from yishu.governance import assessment, candidate, lifecycle, publication, versions
from yishu.governance.assessment import Judgement
from yishu.ledger import Ledger
from yishu.ledger.journal import Actor
from yishu.pipeline.status import status_of
from yishu.portal.areas.catalog import Asked, end_of, entry_on, find
from yishu.portal.areas.reviewing import on_its_way, require_seen
from yishu.portal.depends import Caller, Db, Here, Now, PermittedCaller
from yishu.portal.world import World

Json = dict[str, Any]

PAGE_ROWS = 50
Number = Annotated[int, Query(alias="page", ge=1, lt=100_000)]
"""Which page of a list, from 1."""

PROBLEM = {
    "description": "a problem (RFC 9457), in Chinese and English",
    "content": {"application/problem+json": {}},
}
ERRORS: dict[int | str, Json] = dict.fromkeys((401, 403, 404, 409, 413, 422, 503), PROBLEM)
router = APIRouter(prefix="/api/v1", tags=["catalog"], responses=ERRORS)


def saved(*media: str) -> Json:
    """How a route is described that answers with a file, of one of these media types."""
    told = {"description": "a file, to be saved", "content": {one: {} for one in media}}
    return {"response_class": Response, "responses": {200: told}}


EntryId = Annotated[
    str, PathParameter(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", max_length=120)
]


Owner = Annotated[Actor, Depends(PermittedCaller(Action.COMPILE_ENTRY, "entry_id"))]
Reviewer = Annotated[Actor, Depends(PermittedCaller(Action.REVIEW_ENTRY))]
Publisher = Annotated[Actor, Depends(PermittedCaller(Action.PUBLISH_ENTRY))]
Revoker = Annotated[Actor, Depends(PermittedCaller(Action.REVOKE_ENTRY))]

_HEADING = {"id", "name", "summary", "provider_org", "update_cycle", "share"}


class Draft(BaseModel):
    """A draft to save: ``edit`` is the edit that was read, null when there was no draft."""

    content: Json
    cause: ChangeCause
    cause_note: str = Field(max_length=2_000)
    changed_on: date
    edit: int | None = None


class Decision(BaseModel):
    """A reviewer's decision, never without its reason.

    ``seen`` is the state in which the version was looked at: nobody overturns a decision unseen.
    """

    decision: Literal["approve", "return"]
    seen: EntryState | None = None
    opinion: str = Field(max_length=4_000)


class Assessed(BaseModel):
    """A confidentiality review, an impact assessment, or a head's consent."""

    kind: AssessmentKind
    verdict: str
    basis: str = Field(max_length=4_000)


class Reason(BaseModel):
    """Why something is withdrawn."""

    reason: str = Field(max_length=4_000)


@router.get("/me")
def me(actor: Caller) -> Json:
    """Through which account the token acts."""
    return asdict(actor)


@router.get("/entries")
def entries(here: Here, db: Db, _: Caller, asked: Annotated[Asked, Query()]) -> Json:
    """Entries in force that fit, the best first, 50 a page."""
    hits = find(here, db, asked)
    part = hits.entry_ids[(asked.page - 1) * PAGE_ROWS : asked.page * PAGE_ROWS]
    shown = [here.release().entries[one] for one in part]
    return {
        "release": here.release().id,
        "total": len(hits.entry_ids),
        "near": hits.near,
        "facets": hits.facets,
        "entries": [
            one.model_dump(mode="json", include={"id", "name", "summary", "provider_org"})
            for one in shown
        ],
    }


@router.get("/catalog")
def whole(
    here: Here,
    _: Caller,
    share: ShareType | None = None,
    open_: Annotated[OpenType | None, Query(alias="open")] = None,
) -> Json:
    """Every entry in force by sharing and by opening, a line each, and how many of each kind."""
    return listing(here.release(), share=share, open_=open_)


@router.get("/catalog/as-of")
def whole_as_of(db: Db, _: Caller, day: date) -> list[versions.Heading]:
    """The whole catalog as it was published at the end of a day, in order of ids."""
    return versions.as_of(db, end_of(day))


@router.get("/entries/{entry_id}/as-of")
def as_of(db: Db, _: Caller, entry_id: EntryId, day: date) -> Json:
    """One entry as it was published at the end of a day."""
    return _shown(entry_on(db, entry_id, day))


@router.get("/entries/{entry_id}")
def entry(here: Here, _: Caller, entry_id: EntryId) -> Json:
    """One entry in force; what it does not say is left out."""
    return here.release().entry(entry_id).model_dump(mode="json", exclude_none=True)


@router.get("/entries/{entry_id}/status")
def status(here: Here, db: Db, now: Now, _: Caller, entry_id: EntryId) -> Json:
    """The state of an entry's data: load, rows, changes, failed rules, freshness."""
    return asdict(status_of(here.release().entry(entry_id), Ledger(db), now))


@router.get("/entries/{entry_id}/versions")
def history(db: Db, _: Caller, entry_id: EntryId) -> list[Json]:
    """Every version of an entry, newest first."""
    return [_shown(one) for one in versions.history(db, entry_id)]


@router.get("/entries/{entry_id}/diff")
def diff(
    db: Db, _: Caller, entry_id: EntryId,
    before: Annotated[int, Query(ge=1, lt=2**31)], after: Annotated[int, Query(ge=1, lt=2**31)],
) -> list[Json]:  # fmt: skip
    """What changed between two versions."""
    return [asdict(one) for one in versions.diff(db, entry_id, before, after)]


@router.get("/drafts")
def drafts(db: Db, actor: Caller, number: Number = 1) -> list[Json]:
    """What is on its way: of the own body, or for the authority everything; 50 a page."""
    all_bodies = actor.role in ("authority_reviewer", "auditor")
    org, first = None if all_bodies else actor.org, (number - 1) * PAGE_ROWS
    found = versions.listed(db, states=versions.OPEN, org=org, offset=first, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


@router.get("/drafts/{entry_id}")
def draft(here: Here, db: Db, _: Caller, entry_id: EntryId) -> Json:
    """A version on its way: its content, what changed, what checks find, what was assessed."""
    version = on_its_way(db, entry_id)
    before = versions.in_force(db, entry_id)
    assessed = assessment.latest(db, version).values()
    return _shown(version) | {
        "changes": differences(before.content if before else {}, version.content),
        "faults": lifecycle.check(db, here.rules(), entry_id, here.today()),
        "assessments": [_without(asdict(one), "assessed_person") for one in assessed],
    }


@router.put("/drafts/{entry_id}")
def save(here: Here, db: Db, actor: Owner, entry_id: EntryId, given: Draft) -> Json:
    """Save a draft, unfinished as it may be."""
    draft = lifecycle.Draft(
        entry_id, given.content, given.cause, given.cause_note, given.changed_on, given.edit
    )
    profile = here.settings.rule_profile
    return _shown(lifecycle.save(db, draft, actor, here.clock(), profile=profile))


@router.post("/drafts/{entry_id}/check")
def check(here: Here, _: Owner, entry_id: EntryId, content: Json) -> list[Json]:
    """Every fault of a content; nothing is saved."""
    completed = candidate.completed(candidate.plain(content), 1, here.today(), None)
    return [asdict(one) for one in candidate.faults_of(entry_id, completed, here.rules())]


@router.post("/drafts/{entry_id}/submission")
def submit(here: Here, db: Db, now: Now, actor: Owner, entry_id: EntryId) -> Json:
    """Hand a draft to the authority."""
    return _shown(lifecycle.submit(db, here.rules(), entry_id, actor, now))


@router.post("/drafts/{entry_id}/assessments")
def assess(db: Db, now: Now, actor: Caller, entry_id: EntryId, given: Assessed) -> Json:
    """Put an assessment on record."""
    said = Judgement(given.kind, given.verdict, given.basis)
    return asdict(assessment.assess(db, entry_id, said, actor, now))


@router.get("/reviews")
def inbox(db: Db, _: Reviewer, number: Number = 1) -> list[Json]:
    """What waits for the authority, oldest submission first, 50 a page."""
    found = versions.inbox(db, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    return [asdict(one) for one in found]


@router.post("/reviews/{entry_id}")
def decide(
    here: Here, db: Db, now: Now, actor: Reviewer, *, entry_id: EntryId, given: Decision
) -> Json:
    """Approve, or return with everything that is wrong."""
    require_seen(db, entry_id, given.seen)
    if given.decision == "approve":
        return _shown(lifecycle.approve(db, entry_id, given.opinion, actor, now))
    rules = here.rules()
    return _shown(lifecycle.send_back(db, entry_id, given.opinion, actor, now, rules=rules))


@router.post("/reviews/{entry_id}/publication")
def publish(here: Here, now: Now, actor: Publisher, entry_id: EntryId) -> Json:
    """Publish an approved version; the release is written."""
    done = publication.publish(_place(here), here.rules(), (entry_id,), actor, now)
    return {"release": done.release.id, "announced": done.announced}


@router.post("/entries/{entry_id}/revocation")
def revoke(here: Here, now: Now, actor: Revoker, entry_id: EntryId, given: Reason) -> Json:
    """Withdraw a published entry."""
    done = publication.revoke(
        _place(here), here.rules(), entry_id, given.reason, actor=actor, at=now
    )
    return {"release": done.release.id, "announced": done.announced}


def _place(here: World) -> publication.Place:
    return publication.Place(here.engine, here.settings, here.announce)


def _shown(version: versions.Version) -> Json:
    return _without(asdict(version), "compiled_person", "reviewed_person")


def _without(plain: Mapping[str, Any], *hidden: str) -> Json:
    return {name: value for name, value in plain.items() if name not in hidden}
