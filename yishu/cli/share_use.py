"""``yishu share``, the use log: who used what, who used a row, whether the log holds."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, print_records, print_table, reported, show
from yishu.cli.share_world import open_house

app = typer.Typer()


@app.command()
def uses(
    grant_id: Annotated[str | None, typer.Option("--grant", help="Given to this grant.")] = None,
    org: Annotated[str | None, typer.Option("--given-by", help="Given by a department.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who used what: the calls of a grant, or what a department gave to whom and how often.

    Example: yishu share uses --given-by market_regulation
    """
    from yishu.ledger.statements import query  # noqa: PLC0415

    asked = ("use_given_by", {"org": org}) if org else ("use_of_grant", {"grant_id": grant_id})
    with reported(as_json), open_house().engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query(asked[0]), asked[1])]
    show(
        rows,
        as_json,
        lambda: print_records("Uses", rows, {key: key for key in rows[0]} if rows else {}),
    )


@app.command()
def trace(
    object_id: Annotated[str, typer.Argument(help="Entry or subject id.")],
    key: Annotated[list[str], typer.Argument(help="Values of the row's key, in its order.")],
    as_json: AsJson = False,
) -> None:
    """Who used a row: every call that served it, and every delivery that may hold it."""
    from yishu.ledger.statements import query  # noqa: PLC0415
    from yishu.sharing.uselog import row_key  # noqa: PLC0415

    with reported(as_json):
        house = open_house()
        asked = {"object_id": object_id, "row_key": row_key(house.key, object_id, key)}
        with house.engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query("use_of_row"), asked)]
    show(
        rows,
        as_json,
        lambda: print_records("Uses", rows, {key: key for key in rows[0]} if rows else {}),
    )


@app.command("verify-log")
def verify_log(
    export: Annotated[
        Path | None, typer.Argument(help="An exported log, to check offline.")
    ] = None,
    public_key: Annotated[Path | None, typer.Option(help="The public key, offline.")] = None,
    write: Annotated[Path | None, typer.Option(help="Export the log to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check the chain and the seals of the use log; or export it for a check elsewhere.

    Example: yishu share verify-log
    """
    from yishu.ledger.seal import read_public_key, signing_key  # noqa: PLC0415
    from yishu.sharing import usecheck  # noqa: PLC0415

    with reported(as_json):
        key = (
            read_public_key(public_key)
            if public_key
            else signing_key(world.settings().secrets_dir).public_key()
        )
        if export is not None:
            found = asdict(usecheck.check_export(export, key))
        else:
            with open_house().engine.connect() as connection:
                if write is not None:
                    usecheck.export(connection, write)
                kept = usecheck.seals(connection)
                found = asdict(usecheck.check(usecheck.records(connection), kept, key))
    show(found, as_json, lambda: print_table("The use log holds", [found]))
