"""By which rules the installation runs: profiles, checks and waivers, working days, notices."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Form, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Row, select

from catalog.roles import Action, Role
from expectations.rulebook import rulebooks
from yishu.governance.notices import Channel as NoticeChannel
from yishu.governance.notices import drop_address, set_address
from yishu.governance.working_calendar import (
    CalendarFile,
    calendar_in_force,
    days_folder,
    load,
    rules_in_force,
)
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import NoticeAddress, NoticeDelivery
from yishu.portal.depends import Db, permitted
from yishu.portal.navigation import Link
from yishu.portal.pages import Reading
from yishu.portal.world import World

router = APIRouter(prefix="/rules", include_in_schema=False)
LINKS = (
    Link("规则与日历", "/rules", 85, frozenset({Role.ADMINISTRATOR, Role.AUTHORITY_REVIEWER})),
)

Manager = Annotated[Actor, Depends(permitted(Action.MANAGE_RULES))]
Loader = Annotated[Actor, Depends(permitted(Action.LOAD_CALENDAR))]
Administrator = Annotated[Actor, Depends(permitted(Action.MANAGE_ACCOUNTS))]
STUCK_ROWS = 50
MOST_BYTES = 200_000


class Addressed(BaseModel):
    """Where notices to a role of a body go, or (``do`` is ``drop``) no longer go."""

    org: str = Field(min_length=1, max_length=80)
    role: Role
    channel: NoticeChannel
    address: str = Field(min_length=3, max_length=200)
    do: Literal["set", "drop"] = "set"


@router.get("")
def show(page: Reading, db: Db, _: Manager) -> Response:
    """Profiles, decisions about checks, the calendar, and notices that are stuck."""
    world = page.world
    release = world.release()
    calendar = calendar_in_force(db, days_folder(world.settings))
    return page.render(
        "rules/rules.html",
        profiles=list(release.profiles.values()),
        in_force=world.settings.rule_profile,
        **decisions(world, world.today()),
        covered=sorted(calendar.covered),
        missing=calendar.missing_year(world.today()),
        version=calendar.version,
        addresses=addresses(db),
        stuck=stuck(db),
        channels=list(NoticeChannel),
        roles=[one for one in Role if one is not Role.RULE],
        role_of={one.value: one for one in Role},
        orgs=[(one.id, one.name) for one in release.departments.values()],
        today=world.today(),
    )


def decisions(world: World, today: date) -> dict[str, Any]:
    """Rules that were changed and waivers, with the name of their entry."""
    names = world.names()
    books = [(names.get(book.entry, book.entry), book) for book in rulebooks(world.suites)]
    return {
        "versions": [
            (book.entry, name, one)
            for name, book in books
            for one in book.versions_on(today).values()
        ],
        "waivers": [(book.entry, name, one) for name, book in books for one in book.waivers],
    }


def addresses(connection: Connection) -> Sequence[Row[Any]]:
    """Where notices go besides the portal, by body and role."""
    table = NoticeAddress
    order = (table.org, table.role, table.channel, table.address)
    return connection.execute(select(table.__table__).order_by(*order)).all()


def stuck(connection: Connection) -> Sequence[Row[Any]]:
    """Notices that could not be sent yet, the most tried first."""
    failed = NoticeDelivery.sent_at.is_(None) & (NoticeDelivery.tries > 0)
    asked = select(NoticeDelivery.__table__).where(failed).order_by(NoticeDelivery.tries.desc())
    return connection.execute(asked.limit(STUCK_ROWS)).all()


@router.post("/calendar")
def load_days(
    page: Reading,
    db: Db,
    actor: Loader,
    upload: Annotated[UploadFile, File()],
    year: Annotated[str, Form(pattern=r"^(20\d\d)?$")] = "",
) -> Response:
    """Load a notice of the State Council, or without a year the city's own days."""
    world = page.world
    folder = days_folder(world.settings)
    content = upload.file.read(MOST_BYTES)
    file = CalendarFile(upload.filename or "days.csv", content, int(year) if year else None)
    rules = rules_in_force(db, world.release(), world.settings)
    load(db, folder, file, rules, actor=actor, now=page.now)
    return page.done("/rules", "工作日已载入")


@router.post("/addresses")
def address(
    page: Reading,
    db: Db,
    actor: Administrator,
    given: Annotated[Addressed, Form()],
) -> Response:
    """Say where notices to a role of a body go, or that they no longer go there."""
    change_address(db, given, actor, page.now)
    return page.done("/rules", "已保存")


def change_address(db: Connection, given: Addressed, actor: Actor, at: datetime) -> None:
    """Let notices go to an address or no longer go there; on record without the address."""
    change = drop_address if given.do == "drop" else set_address
    change(db, given.org, given.role, given.channel, given.address)
    told = {"channel": given.channel.value, "do": given.do}
    object_id = f"{given.org}:{given.role.value}"
    append(db, Act(actor, Action.MANAGE_ACCOUNTS, "notice_address", object_id, at, after=told))
