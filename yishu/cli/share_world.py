"""What the commands of ``yishu share`` stand on: the house of this installation, and who acts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from yishu.cli import remote, world
from yishu.cli.output import reported
from yishu.ledger.journal import Actor
from yishu.settings import Settings

if TYPE_CHECKING:
    from yishu.sharing.desk import Desk
    from yishu.sharing.house import House


def open_house() -> "House":
    """The house of this installation; its database is started and brought up to date."""
    from yishu.sharing.installed import house_of  # noqa: PLC0415

    here = world.settings()
    return house_of(here, world.engine(here), world.clock)


def whoever() -> str:
    """Who acts where nobody was named: at a portal whoever has the token.

    Raises:
        BadParameter: there is no portal, so somebody has to be named.
    """
    if Settings().portal is None:
        raise typer.BadParameter("name the account that acts", param_hint="--as")
    return ""


AsThere = Annotated[
    str,
    typer.Option(
        "--as",
        help="The account that acts; at a portal the token says who.",
        default_factory=whoever,
        show_default=False,
    ),
]
"""Of commands that a portal may be asked for."""


@contextmanager
def acting(account: str, as_json: bool) -> Iterator[tuple["Desk", Actor]]:
    """A desk in one transaction, and who acts at it; errors are reported."""
    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            yield house.desk(connection), world.actor(connection, account)


def take(
    path: str,
    step: str,
    local: Callable[["Desk", Actor], object],
    *,
    account: str,
    as_json: bool,
    **told: object,
) -> None:
    """Take a step of a request or grant: at the portal that is set, else at the own desk.

    Args:
        path: The object below the API, e.g. ``requests/SQ00000012``.
        step: The API's name of the step.
        local: The step at the own desk.
        account: Who acts at the own desk; at a portal the token says so.
        as_json: How errors are told.
        told: What the step needs besides.
    """
    with reported(as_json):
        far = remote.portal()
        if far is not None:
            far.post(f"/{path}/steps", {"step": step, **told})
            return
    with acting(account, as_json) as (desk, actor):
        local(desk, actor)
