"""The ``yishu`` command: what an engineer of the bureau types.

Each group of commands is a module; heavy packages are imported where a command needs them, so that
``yishu --help`` answers at once.
"""

import typer

from yishu.cli import (
    airflow,
    backup,
    calendar,
    cases,
    catalog,
    clocks,
    data,
    demo,
    doctor,
    exchange,
    guide,
    item_lists,
    items,
    journal,
    library,
    lineage,
    objection,
    org,
    plan,
    portal,
    quality,
    quality_figures,
    quality_rows,
    record,
    register,
    security,
    services,
    share,
    share_change,
    share_lists,
    share_run,
    share_use,
    source,
    supervision,
    tasks,
    upkeep,
    user,
)

app = typer.Typer(
    name="yishu",
    help="Yishu (一数): one datum, one source. Pull, check, publish and trace a city's data.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
app.add_typer(catalog.app, name="catalog")
for name, run in exchange.COMMANDS.items():
    catalog.app.command(name)(run)
app.add_typer(library.app, name="library")
app.add_typer(lineage.app, name="lineage")
app.add_typer(quality.app, name="quality")
quality.app.command("plan")(plan.plan)
quality.app.command("suite")(plan.suite)
quality.app.command("docs")(plan.docs)
quality.app.command("guide")(guide.guide)
quality.app.command("levels")(guide.levels)
app.add_typer(source.app, name="source")
app.add_typer(airflow.app, name="airflow")
app.add_typer(journal.app, name="journal")
app.add_typer(user.app, name="user")
app.add_typer(org.app, name="org")
app.add_typer(register.app, name="register")
app.add_typer(items.app, name="items")
items.app.add_typer(item_lists.app)
app.add_typer(services.app, name="services")
app.add_typer(security.app, name="security")
app.add_typer(share.app, name="share")
share.app.add_typer(share_run.app)
share.app.add_typer(share_use.app)
share.app.add_typer(share_change.app)
share.app.add_typer(share_lists.demand_app, name="demand")
share.app.add_typer(share_lists.duty_app, name="duty")
app.add_typer(objection.app, name="objection")
for group in (quality_figures, quality_rows):
    for command in group.COMMANDS:
        quality.app.command()(command)
app.add_typer(clocks.app, name="clocks")
clocks.app.add_typer(tasks.app, name="tasks")
for command in cases.COMMANDS:
    clocks.app.command()(command)
app.add_typer(calendar.app, name="calendar")
app.add_typer(supervision.cards_app, name="cards")
app.add_typer(supervision.notices_app, name="notices")
app.command("demo")(demo.demo)
app.command("pull")(data.pull)
app.command("status")(data.status)
app.command("life-cycle")(data.life_cycle)
app.command("trace")(data.trace)
app.command("runs")(record.runs)
app.command("refusals")(record.refusals)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("drill")(backup.drill)
app.command("portal")(portal.portal)
app.command("backfill")(upkeep.backfill)
app.command("end-abandoned")(upkeep.end_abandoned)
