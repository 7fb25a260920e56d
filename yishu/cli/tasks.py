"""``yishu clocks tasks``: the tasks of reform plans, and what is recorded of them."""

from datetime import date, datetime
from typing import Annotated

import typer

from yishu.cli import world
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, print_table, reported, show
from yishu.governance.tasks import TaskStep

app = typer.Typer(help="Tasks of reform plans.", invoke_without_command=True)


@app.callback()
def list_(
    context: typer.Context,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; default: today.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those overdue.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the tasks of reform plans as they stand on a day.

    Example: yishu clocks tasks --on 2016-10-31 --overdue
    """
    from catalog.plan import read_plans  # noqa: PLC0415
    from yishu.clocks import beijing_day  # noqa: PLC0415
    from yishu.governance.tasks import standings, steps  # noqa: PLC0415

    if context.invoked_subcommand is not None:
        return
    here = world.settings()
    day: date = on.date() if on else beijing_day(world.clock())
    with reported(as_json), world.engine(here).connect() as connection:
        found = standings(read_plans(here.catalog_dir / "plans"), steps(connection), day)
    rows = [
        {
            "task": one.task.id,
            "title": one.task.title,
            "lead": "、".join(one.task.lead),
            "due": one.next_due,
            "days overdue": one.days_overdue,
            "escalation": one.escalation.label_zh if one.escalation else None,
        }
        for one in found
        if one.days_overdue or not overdue
    ]
    show(rows, as_json, lambda: print_table(f"Tasks on {day}", rows))


@app.command()
def record(
    task: Annotated[str, typer.Argument(metavar="TASK", help="Task id.")],
    step: Annotated[TaskStep, typer.Argument(help="What happened.")],
    note: Annotated[str, typer.Option(help="What was found or decided.")],
    account: As,
    as_json: AsJson = False,
) -> None:
    """Record a step of a task: started, done, inspected, noticed, interviewed, ordered.

    Example: yishu clocks tasks record t01 stage_done --note 已公布 --as wu.ke
    """
    from catalog.plan import read_plans  # noqa: PLC0415
    from yishu.governance import tasks  # noqa: PLC0415

    here = world.settings()
    with reported(as_json), world.engine(here).begin() as connection:
        plans = read_plans(here.catalog_dir / "plans")
        actor = world.actor(connection, account)
        tasks.record(connection, plans, task, step, note, actor=actor, now=world.clock())
    facts = {"task": task, "step": step.value, "by": account}
    show(facts, as_json, lambda: print_table("Recorded", [facts]))
