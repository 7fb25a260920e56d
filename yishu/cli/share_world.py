"""What the commands of ``yishu share`` stand on: the house of this installation, and who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from yishu.cli import world
from yishu.cli.output import reported
from yishu.ledger.journal import Actor

if TYPE_CHECKING:
    from yishu.sharing.desk import Desk
    from yishu.sharing.house import House


def open_house() -> "House":
    """The house of this installation; its database is started and brought up to date."""
    from yishu.sharing.installed import house_of  # noqa: PLC0415

    here = world.settings()
    return house_of(here, world.engine(here), world.clock)


@contextmanager
def acting(account: str, as_json: bool) -> Iterator[tuple["Desk", Actor]]:
    """A desk in one transaction, and who acts at it; errors are reported."""
    with reported(as_json):
        house = open_house()
        with house.engine.begin() as connection:
            yield house.desk(connection), world.actor(connection, account)
