"""``yishu calendar``: working days, and the notices that rule them."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from yishu.cli import world
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, console, errors, print_table, reported, show
from yishu.settings import Settings

app = typer.Typer(help="Working days by the State Council's notices.", no_args_is_help=True)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A day, e.g. 2026-09-24.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, UTF-8 or GB18030.")]


@app.command("show")
def show_(as_json: AsJson = False) -> None:
    """Show which years have a notice, and whether one is missing by now.

    Example: yishu calendar show
    """
    from yishu.clocks import beijing_day  # noqa: PLC0415
    from yishu.governance.working_calendar import calendar_in_force, days_folder  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        calendar = calendar_in_force(connection, days_folder(here))
    facts = {
        "covered": f"{min(calendar.covered)}-{max(calendar.covered)}",
        "version": calendar.version,
        "missing": calendar.missing_year(beijing_day(world.clock())),
    }
    show(facts, as_json, lambda: print_table("Calendar", [facts]))


@app.command()
def load(
    year: Annotated[int, typer.Argument(min=2004, max=2050, help="Year of the notice.")],
    file: File,
    account: As,
    as_json: AsJson = False,
) -> None:
    """Load the notice for a year: open clocks are computed anew, and what moves is journalled.

    Columns: year,date,kind,name,notice; kind is holiday or make_up_workday.

    Example: yishu calendar load 2027 notice.csv --as zhou.ping
    """
    _load(file, year, account, as_json)


@app.command()
def local(file: File, account: As, as_json: AsJson = False) -> None:
    """Load the days that the city itself ordered off or on, all of them at once.

    Columns: date,kind,name,document; kind is day_off or working.

    Example: yishu calendar local typhoon.csv --as zhou.ping
    """
    _load(file, None, account, as_json)


@app.command()
def add(day: Day, days: Annotated[int, typer.Argument(min=0)], as_json: AsJson = False) -> None:
    """Show the last of so many working days after a day, which is not counted itself.

    Example: yishu calendar add 2026-09-24 15
    """
    from yishu.governance.working_calendar import calendar_in_force, days_folder  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).connect() as connection:
        calendar = calendar_in_force(connection, days_folder(here))
        due = calendar.add(day.date(), days)
        is_provisional = calendar.is_provisional(day.date(), due)
    facts = {"due_on": due.isoformat(), "is_provisional": is_provisional}
    mark = "（暂定）" if is_provisional else ""
    show(facts, as_json, lambda: console.print(f"{due}{mark}", highlight=False))


def warn_of_missing_year(engine: Engine, here: Settings) -> None:
    """From November, say on stderr while next year's notice is missing."""
    from yishu.clocks import beijing_day  # noqa: PLC0415
    from yishu.governance.supervise import missing_text  # noqa: PLC0415
    from yishu.governance.working_calendar import calendar_in_force, days_folder  # noqa: PLC0415

    with engine.connect() as connection:
        calendar = calendar_in_force(connection, days_folder(here))
    year = calendar.missing_year(beijing_day(world.clock()))
    if year is not None:
        errors.print(missing_text(year), style="yellow", markup=False, highlight=False)


def _load(file: Path, year: int | None, account: str, as_json: bool) -> None:
    from yishu.governance.working_calendar import (  # noqa: PLC0415
        CalendarFile,
        days_folder,
        load,
        rules_in_force,
    )

    here = world.settings()
    with reported(as_json), world.engine(here).begin() as connection:
        rules = rules_in_force(connection, world.release(here), here)
        done = load(
            connection,
            days_folder(here),
            CalendarFile(file.name, file.read_bytes(), year),
            rules,
            actor=world.actor(connection, account),
            now=world.clock(),
        )
    moved = [asdict(one) for one in done.moved]
    facts = {"version": done.version, "days": done.days, "moved": moved}
    say = f"{done.days} days in force, {len(moved)} clocks moved or made certain"
    if done.version == 0:
        say = "these days were in force already; nothing changed"
    show(facts, as_json, lambda: console.print(say, highlight=False))
