"""Reviewing entries: the inbox, the difference to what is in force, assessments, decisions."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Response
from sqlalchemy import Connection

from catalog.diff import differences
from catalog.roles import Action, Role
from catalog.vocabulary import AssessmentKind, EntryState
from yishu.governance import assessment, lifecycle, publication, versions
from yishu.governance.assessment import VERDICTS, Judgement
from yishu.governance.errors import StateRefused
from yishu.ledger.journal import Actor
from yishu.portal.depends import Acting, Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.paging import Part

router = APIRouter(include_in_schema=False)
_REVIEWERS = frozenset({Role.AUTHORITY_REVIEWER, Role.DEPARTMENT_HEAD, Role.PROVIDER_REVIEWER})
LINKS = (Link("目录审核", "/review", 14, _REVIEWERS),)

PAGE_ROWS = 50
OF_THE_AUTHORITY = (EntryState.SUBMITTED, EntryState.APPROVED, EntryState.DRAFT)
"""What the authority has to decide, and what it will be asked next."""

Reviewer = Annotated[Actor, Depends(permitted(Action.REVIEW_ENTRY))]
Publisher = Annotated[Actor, Depends(permitted(Action.PUBLISH_ENTRY))]
Revoker = Annotated[Actor, Depends(permitted(Action.REVOKE_ENTRY))]

_ASSESSED_BY = {
    AssessmentKind.CONFIDENTIALITY: Action.REVIEW_CONFIDENTIALITY,
    AssessmentKind.PERSONAL_INFORMATION: Action.ASSESS_PERSONAL_INFORMATION,
    AssessmentKind.HEAD_CONSENT: Action.CONSENT_ENTRY,
}
VERDICT_TEXTS = {
    "may_be_shared": "可以共享",
    "may_be_shared_with_masking": "脱敏后可以共享",
    "refused": "不同意",
    "acceptable": "影响可接受",
    "acceptable_with_measures": "采取措施后可接受",
    "consented": "同意",
}


@router.get("/review")
def inbox(
    page: Reading, db: Db, actor: Acting, number: Annotated[int, Query(alias="page", ge=1)] = 1
) -> Response:
    """What waits: for the authority submissions, oldest first; for a department its drafts."""
    is_authority = actor.role is Role.AUTHORITY_REVIEWER
    states = OF_THE_AUTHORITY if is_authority else versions.OPEN
    org = None if is_authority else actor.org
    first = (number - 1) * PAGE_ROWS
    waiting = versions.listed(db, states=states, org=org, offset=first, limit=PAGE_ROWS)
    total = versions.counted(db, states=states, org=org)
    return page.render("reviewing/inbox.html", part=Part.of(waiting, total, number, PAGE_ROWS))


@router.get("/review/{entry_id}")
def show(page: Reading, db: Db, entry_id: str) -> Response:
    """One version on its way: what changed, what the checks find, what was assessed."""
    version = on_its_way(db, entry_id)
    before = versions.in_force(db, entry_id)
    kinds = [
        kind for kind, action in _ASSESSED_BY.items() if page.may(action, version.provider_org)
    ]
    return page.render(
        "reviewing/version.html",
        version=version,
        before=before,
        changes=differences(before.content if before else {}, version.content),
        faults=lifecycle.check(db, page.world.rules(), entry_id, page.world.today()),
        assessments=assessment.latest(db, version),
        kinds=[
            (kind, [(one, page.say(VERDICT_TEXTS[one])) for one in VERDICTS[kind]])
            for kind in kinds
        ],
        verdicts=VERDICT_TEXTS,
    )


def on_its_way(db: Connection, entry_id: str) -> versions.Version:
    """The version of an entry that is on its way.

    Raises:
        NotFound: there is none.
    """
    version = versions.open_version(db, entry_id)
    if version is None:
        raise NotFound(
            entry_id,
            found="no version on its way",
            expected="a draft or a submission",
            remedy="look at the entry in the catalog",
        )
    return version


@router.post("/review/{entry_id}/assess")
def assess(
    page: Reading,
    db: Db,
    actor: Acting,
    entry_id: str,
    *,
    kind: Annotated[AssessmentKind, Form()],
    verdict: Annotated[str, Form()],
    basis: Annotated[str, Form()] = "",
) -> Response:
    """Put a confidentiality review, an impact assessment or a consent on record."""
    assessment.assess(db, entry_id, Judgement(kind, verdict, basis), actor, page.now)
    return page.done(f"/review/{entry_id}", "已登记")


@router.post("/review/{entry_id}")
def decide(
    page: Reading,
    db: Db,
    actor: Reviewer,
    entry_id: str,
    *,
    decision: Annotated[Literal["approve", "return"], Form()],
    opinion: Annotated[str, Form()] = "",
    seen: Annotated[EntryState | None, Form()] = None,
) -> Response:
    """Approve, or return with everything that is wrong; never without a reason.

    ``seen`` is the state that the form showed: nobody overturns a decision unseen.
    """
    require_seen(db, entry_id, seen)
    if decision == "approve":
        lifecycle.approve(db, entry_id, opinion, actor, page.now)
        return page.done(f"/review/{entry_id}", "已审核通过，可以发布")
    rules = page.world.rules()
    lifecycle.send_back(db, entry_id, opinion, actor, page.now, rules=rules)
    return page.done("/review", "已退回")


def require_seen(db: Connection, entry_id: str, seen: EntryState | None) -> None:
    """Let decide only who knows the state that a version is in; None: they do not say.

    Raises:
        StateRefused: it was decided meanwhile.
    """
    version = versions.open_version(db, entry_id, lock=True)
    if version is not None and seen not in (None, version.state):
        raise StateRefused(
            entry_id,
            found=f"{version.state.value}, decided by {version.reviewed_account}",
            expected=f"{seen}, as the page showed it",
            remedy="open the version again and look at the decision",
        )


@router.post("/review/{entry_id}/publish")
def publish(page: Reading, actor: Publisher, entry_id: str) -> Response:
    """Publish an approved version: the release is written and the pipelines read it."""
    publication.publish(_place(page), page.world.rules(), (entry_id,), actor, page.now)
    return page.done(f"/catalog/entries/{entry_id}", "已发布")


@router.post("/catalog/entries/{entry_id}/revoke")
def revoke(
    page: Reading, actor: Revoker, entry_id: str, reason: Annotated[str, Form()] = ""
) -> Response:
    """Withdraw a published entry, with the reason."""
    rules = page.world.rules()
    publication.revoke(_place(page), rules, entry_id, reason, actor=actor, at=page.now)
    return page.done("/catalog", "已撤销")


def _place(page: Page) -> publication.Place:
    world = page.world
    return publication.Place(world.engine, world.settings, world.announce)


@router.get("/catalog/entries/{entry_id}/versions")
def history(
    page: Reading, db: Db, entry_id: str, before: int | None = None, after: int | None = None
) -> Response:
    """Every version of an entry, and the difference of any two."""
    found = versions.history(db, entry_id)
    changes = None
    if before is not None and after is not None:
        changes = versions.diff(db, entry_id, before, after)
    return page.render(
        "reviewing/history.html", entry_id=entry_id, versions=found, changes=changes,
        before=before, after=after,
    )  # fmt: skip
