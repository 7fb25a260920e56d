"""``yishu quality`` for figures: scores, rates, the month's report, answers, freezing."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import Connection

from yishu.cli import world
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.governance.period import Period

if TYPE_CHECKING:
    from yishu.governance.figure_desk import Desk
    from yishu.governance.scores import Figure, Scores

PeriodArgument = Annotated[
    str, typer.Argument(metavar="PERIOD", help="A month such as 2026-11, or a quarter: 2026Q4.")
]


def _desk(connection: Connection) -> "Desk":
    from yishu.governance.figure_desk import Desk  # noqa: PLC0415
    from yishu.governance.working_calendar import rules_in_force  # noqa: PLC0415

    here = world.settings()
    release = world.release(here)
    return Desk(connection, release, rules_in_force(connection, release, here), world.clock())


def scores(period: PeriodArgument, as_json: AsJson = False) -> None:
    """Score city and departments by the six dimensions, each with numerator and denominator.

    Example: yishu quality scores 2026-11
    """
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        found = _desk(connection).scores(Period.parse(period))
    show(found.to_json(), as_json, lambda: _print_scores(found))


def _print_scores(found: "Scores") -> None:
    whole = {"city": found.city, **found.departments}
    lines = [
        {"department": name, "total": str(found.total(own) or "—"), **_shown(own)}
        for name, own in whole.items()
    ]
    print_table(f"Scores of {found.period} up to {found.until:%Y-%m-%d %H:%M} UTC", lines)


def _shown(figures: Mapping[str, "Figure"]) -> dict[str, str]:
    return {name: f"{one.percent} ({one.right:,}/{one.counted:,})" for name, one in figures.items()}


def rates(
    period: PeriodArgument,
    department: Annotated[
        str | None, typer.Option(help="Open the rates of a department to their cases.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the five rates of the departments, or the cases of one department.

    Example: yishu quality rates 2026Q4 --department taxation
    """
    from yishu.governance.rates import rates as rates_of  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        found = _desk(connection).cases(Period.parse(period))
    if department is not None:
        lines = [asdict(one) for one in found if one.department_id == department]
        show(lines, as_json, lambda: print_table(f"Cases of {department}, {period}", lines))
        return
    table = [
        {"department": name, **{rate.label_zh: _rate(one) for rate, one in own.items()}}
        for name, own in rates_of(found).items()
    ]
    show(table, as_json, lambda: print_table(f"Rates of {period}", table))


def _rate(one: "Figure") -> str:
    return f"{one.percent}% ({one.right:,}/{one.counted:,})" if one.counted else "—"


def report(
    month: Annotated[str, typer.Option(help="The month, e.g. 2026-11.")],
    to: Annotated[Path | None, typer.Option(help="The HTML file; default: by the month.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the quality report of a month as one HTML file that prints well.

    Example: yishu quality report --month 2026-11 --to report.html
    """
    from yishu.governance.report import gather, render  # noqa: PLC0415
    from yishu.governance.scores import weights_on  # noqa: PLC0415

    path = to or Path(f"quality-{month}.html")
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        desk = _desk(connection)
        asked = Period.parse(month)
        found = gather(
            connection,
            asked,
            desk.now,
            catalog=desk.catalog,
            weights=weights_on,
            rules=desk.rules,
        )
        path.write_text(render(found), "utf-8")
    told = {"path": str(path), "total": found.total, "is_frozen": found.frozen is not None}
    show(told, as_json, lambda: console.print(f"{path}: total {found.total}", markup=False))


def answer(
    period: PeriodArgument,
    department: Annotated[str, typer.Argument(help="Department id.")],
    figure: Annotated[str, typer.Argument(help="total, a dimension or a rate.")],
    text: Annotated[str, typer.Argument(help="The answer, printed beside the figure.")],
    *,
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Answer a figure of one's own department in the working days before it is frozen.

    Example: yishu quality answer 2026-11 taxation timeliness 机房检修三天 --as li.an
    """
    from yishu.governance.freezing import Answer, answer_figure  # noqa: PLC0415

    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor = world.actor(connection, as_)
        given = Answer(period, department, figure, text, world.clock(), actor.account)
        answer_figure(connection, given, actor, _desk(connection).rules)
    show(asdict(given), as_json, lambda: console.print("kept", markup=False))


def freeze(period: PeriodArgument, as_: As, as_json: AsJson = False) -> None:
    """Make the figures of a month or quarter final.

    Example: yishu quality freeze 2026-11 --as qian.jun
    """
    told: dict[str, Any] = {"period": period}
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor = world.actor(connection, as_)
        told["digest"] = _desk(connection).freeze(Period.parse(period), actor)
    show(told, as_json, lambda: console.print(f"{period} is frozen: {told['digest']}"))


COMMANDS = (scores, rates, report, answer, freeze)
