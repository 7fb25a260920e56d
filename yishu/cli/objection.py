"""``yishu objection``: raise one, follow it, take the next step."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from catalog.roles import Role
from yishu.cli import remote, world
from yishu.cli.output import AsJson, asked, console, print_table, reported, show
from yishu.cli.share_world import AsThere as As
from yishu.governance import objections as desk
from yishu.governance.objections import NewObjection, ObjectionState, Origin, Step
from yishu.secrets import row_key

app = typer.Typer(no_args_is_help=True, help="Objections to data (异议), until they are settled.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="E.g. YY2026-000001.")]


@app.command("raise")
def raise_(
    entry: Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer")],
    summary: Annotated[str, typer.Argument(help="What is wrong; no personal data.")],
    *,
    as_: As,
    column: Annotated[str | None, typer.Option(help="Field name of the column.")] = None,
    row: Annotated[
        bool, typer.Option("--row", help="Against one row; its key is asked for, or read.")
    ] = False,
    scope: Annotated[
        str | None, typer.Option(help="What decides whose the row is, e.g. registrar=9.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Object to an entry, a column or a row; it goes to the source department of that scope.

    Example: yishu objection raise taxation.taxpayer 名称不符 --column taxpayer_name --as li.an
    """
    with reported(as_json):
        here = world.settings()
        release = world.release(here)
        known = release.entry(entry)
        key = None
        if row:
            values = {field: asked(field) for field in known.key}
            key = desk.row_key(known, values, row_key(here.secrets_dir))
        name, _, value = (scope or "").partition("=")
        with world.engine(here).begin() as connection:
            actor = world.actor(connection, as_)
            is_monitor = actor.role is Role.QUALITY_MONITOR
            new = NewObjection(
                Origin.MONITOR if is_monitor else Origin.DEPARTMENT,
                entry,
                summary,
                column,
                key,
                ((name, value),) if value else (),
                here.rule_profile,
                here.data_authority,
            )
            number = desk.raise_objection(connection, new, release, actor, world.clock())
            found = desk.objection(connection, number)
    text = f"{number}: {found.state.label_zh}, to {found.source_org} for {found.source_entry_id}"
    show(asdict(found), as_json, lambda: console.print(text, markup=False))


@app.command("list")
def list_(
    org: Annotated[str | None, typer.Option(help="Raised by or addressed to that body.")] = None,
    state: Annotated[ObjectionState | None, typer.Option(help="In that state alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """List objections, oldest first.

    Example: yishu objection list --org taxation
    """
    with reported(as_json):
        far = remote.portal()
        if far is not None:
            rows = far.pages("/objections", org=org, state=state)
        else:
            with world.engine(world.settings()).connect() as connection:
                rows = [asdict(one) for one in desk.objections(connection, org=org, state=state)]
    columns = {
        "objection_id": "number",
        "entry_id": "entry",
        "column_name": "column",
        "key_masked": "row",
        "source_org": "source",
        "state": "state",
        "since": "since (UTC)",
        "summary": "内容",
    }
    show(rows, as_json, lambda: print_table("Objections", rows, columns))


@app.command("show")
def show_(number: Number, as_json: AsJson = False) -> None:
    """Show the whole course of an objection: each step with actor and time, and its evidence.

    Example: yishu objection show YY2026-000001
    """
    with reported(as_json):
        far = remote.portal()
        if far is not None:
            found = far.get(f"/objections/{number}/course")
        else:
            with world.engine(world.settings()).connect() as connection:
                found = _course(connection, number)
    show(found, as_json, lambda: _print_course(number, found))


def _course(connection: Connection, number: str) -> dict[str, Any]:
    files = [asdict(one) for one in desk.evidence(connection, number)]
    return {
        "objection": asdict(desk.objection(connection, number)),
        "steps": [asdict(one) for one in desk.history(connection, number)],
        "evidence": [{k: v for k, v in one.items() if k != "content"} for one in files],
    }


def _print_course(number: str, found: dict[str, Any]) -> None:
    steps = [{**one, "state": ObjectionState(one["state"]).label_zh} for one in found["steps"]]
    columns = {"at": "at (UTC)", "state": "步骤", "person": "by", "org": "of", "note": "说明"}
    print_table(number, steps, columns)
    if found["evidence"]:
        print_table("Evidence", found["evidence"])


@app.command()
def step(
    number: Number,
    state: Annotated[ObjectionState, typer.Argument(help="The step to take.")],
    as_: As,
    note: Annotated[str | None, typer.Option(help="What was found, or why.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take the next step: accepted, declined, verified, corrected, rejected, disputed, closed ...

    Example: yishu objection step YY2026-000001 verified --note 属实 --as he.ping
    """
    with reported(as_json):
        far = remote.portal()
        if far is not None:
            said = {"state": state, "note": note}
            reached = ObjectionState(far.post(f"/objections/{number}/steps", said)["state"])
        else:
            with world.engine(world.settings()).begin() as connection:
                actor = world.actor(connection, as_)
                reached = desk.move(connection, number, Step(state, note), actor, world.clock())
    told = {"objection_id": number, "state": reached}
    show(told, as_json, lambda: console.print(f"{number}: {reached.label_zh}", markup=False))


@app.command()
def attach(
    number: Number,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The evidence.")],
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Attach a file as evidence: document, picture or table.

    Example: yishu objection attach YY2026-000001 licence.pdf --as li.an
    """
    with reported(as_json), world.engine(world.settings()).begin() as connection:
        actor = world.actor(connection, as_)
        digest = desk.attach(
            connection, number, file.name, file.read_bytes(), actor=actor, at=world.clock()
        )
    told = {"objection_id": number, "sha256": digest}
    show(told, as_json, lambda: console.print(f"kept as {digest}", markup=False))
