"""Waiving a check of an entry for a while: which, for which rows, why, until when."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel, Field

from catalog.model import Scope
from catalog.roles import Action
from expectations import plan as planning
from expectations.rulebook import rulebook
from expectations.waiving import waive, waiver
from yishu.ledger.journal import Act, Actor, append
from yishu.portal.depends import Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.messages import Language
from yishu.portal.pages import Page, Reading

router = APIRouter(prefix="/rules/waivers", include_in_schema=False)

Manager = Annotated[Actor, Depends(permitted(Action.MANAGE_RULES))]
KIND = "waiver"


class Asked(BaseModel):
    """What the form sends; ``by`` and ``values`` empty: all rows of the entry."""

    check: str
    reason: str = Field(min_length=1, max_length=500)
    until: date
    by: str = ""
    values: str = ""

    @property
    def scope(self) -> Scope | None:
        """The rows that are meant."""
        values = tuple(one.strip() for one in self.values.replace("，", ",").split(",") if one)
        return Scope(by=self.by, values=values) if self.by and values else None


@router.get("/{entry_id}")
def ask(page: Reading, _: Manager, entry_id: str, check: str = "") -> Response:
    """The form, with the waivers that the entry has."""
    entry = page.world.release().entry(entry_id)
    book = rulebook(entry_id, page.world.suites)
    return page.render(
        "waivers/waiver.html",
        entry=entry,
        checks=list(_checks(page, entry_id).items()),
        check=check,
        columns=[(item.field, item.name) for item in entry.items],
        waivers=book.waivers,
        today=page.world.today(),
    )


@router.post("/{entry_id}")
def add(
    page: Reading, db: Db, actor: Manager, entry_id: str, given: Annotated[Asked, Form()]
) -> Response:
    """Put it on record with the name of who decided, from today on."""
    today = page.world.today()
    if given.check not in _checks(page, entry_id):
        raise NotFound(
            entry_id,
            found=f"no check {given.check[:80]}",
            expected="a check that `yishu quality plan` lists",
            remedy="open the form again and choose one",
        )
    name = page.signed.name if page.signed else actor.account
    wanted = waiver(
        entry_id,
        given.check,
        scope=given.scope,
        since=today,
        until=given.until,
        author=f"{page.world.org_name(actor.org)} {name}",
        reason=given.reason,
        folder=page.world.suites,
    )
    told = {"check": given.check, "until": given.until.isoformat()}
    object_id = f"{entry_id}:{wanted.id}"
    append(db, Act(actor, Action.MANAGE_RULES, KIND, object_id, page.now, given.reason, None, told))
    waive(entry_id, wanted, page.world.suites)
    return page.done(f"/rules/waivers/{entry_id}", "豁免已登记")


def _checks(page: Page, entry_id: str) -> dict[str, str]:
    """The checks of an entry on this day, each with what it asks for."""
    release = page.world.release()
    book = rulebook(entry_id, page.world.suites)
    found = planning.plan(release.entry(entry_id), release, at=page.now, book=book)
    is_english = page.language is Language.ENGLISH
    return {one.id: f"{one.text_en if is_english else one.text_zh}（{one.id}）" for one in found}
