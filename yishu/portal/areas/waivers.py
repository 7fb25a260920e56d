"""Waiving a check of an entry for a while: which, for which rows, why, until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from catalog.model import Scope
from catalog.roles import Action
from expectations import plan as planning
from expectations.plan import Check
from expectations.rulebook import Waiver, rulebook
from expectations.waiving import waive, waiver
from yishu.governance import accounts
from yishu.ledger.journal import Act, Actor, append
from yishu.portal.depends import Db, permitted
from yishu.portal.errors import NotFound
from yishu.portal.messages import Language
from yishu.portal.pages import Page, Reading
from yishu.portal.world import World

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
    wanted = Wanted(entry_id, given.check, given.scope, given.until, given.reason)
    add_waiver(page.world, db, wanted, actor, page.now)
    return page.done(f"/rules/waivers/{entry_id}", "豁免已登记")


@dataclass(frozen=True)
class Wanted:
    """A waiver that is asked for; ``scope`` None: all rows of the entry."""

    entry: str
    check: str
    scope: Scope | None
    until: date
    reason: str


def add_waiver(world: World, db: Connection, wanted: Wanted, actor: Actor, at: datetime) -> Waiver:
    """Waive a check from today on, on record with the name of who decided.

    Raises:
        NotCataloged: the catalog in force has no such entry.
        NotFound: the entry has no such check.
        RulebookFaulty: no reason, or it would end before it begins.
    """
    if wanted.check not in {one.id for one in checks_of(world, wanted.entry, at)}:
        raise NotFound(
            wanted.entry,
            found=f"no check {wanted.check[:80]}",
            expected="a check that `yishu quality plan` lists",
            remedy="look at the checks of the entry again and choose one",
        )
    made = waiver(
        wanted.entry,
        wanted.check,
        scope=wanted.scope,
        since=world.today(),
        until=wanted.until,
        author=f"{world.org_name(actor.org)} {accounts.name_of(db, actor)}",
        reason=wanted.reason,
        folder=world.suites,
    )
    told = {"check": wanted.check, "until": wanted.until.isoformat()}
    object_id = f"{wanted.entry}:{made.id}"
    append(db, Act(actor, Action.MANAGE_RULES, KIND, object_id, at, wanted.reason, None, told))
    waive(wanted.entry, made, world.suites)
    return made


def checks_of(world: World, entry_id: str, at: datetime) -> Sequence[Check]:
    """The checks of an entry at a moment.

    Raises:
        NotCataloged: the catalog in force has no such entry.
    """
    release = world.release()
    entry = release.entry(entry_id)
    return planning.plan(entry, release, at=at, book=rulebook(entry.id, world.suites))


def _checks(page: Page, entry_id: str) -> dict[str, str]:
    """The checks of an entry on this day, each with what it asks for."""
    is_english = page.language is Language.ENGLISH
    found = checks_of(page.world, entry_id, page.now)
    return {one.id: f"{one.text_en if is_english else one.text_zh}（{one.id}）" for one in found}
