"""``yishu quality`` for rows: reject files, the quarantine's ages, releases, sampling checks."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from catalog.roles import Action
from yishu.cli import world
from yishu.cli.lifecycle import As
from yishu.cli.output import AsJson, console, print_table, reported, show
from yishu.cli.quality import EntryArgument
from yishu.governance.permission import require
from yishu.ledger.journal import Act, append

Reason = Annotated[str, typer.Option(help="Why, in words; it is kept.")]


def reject(
    entry: EntryArgument,
    to: Annotated[Path, typer.Option(help="The file; .xlsx or .csv decides its form.")],
    run_id: Annotated[str | None, typer.Option(help="Which run; default: the latest.")] = None,
    clear_for: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT", help="Values in clear, for an account that may; goes on record."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the reject file for the source department: each failing row, all reasons, the fix.

    Example: yishu quality reject taxation.taxpayer --to rejected.xlsx
    """
    from yishu.pipeline.reject_file import write_reject_file  # noqa: PLC0415  heavy
    from yishu.pipeline.store import run_folder  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        found = here.release.entry(entry)
        verdict = here.ledger.verdict(entry, run_id)
        run = run_id or (verdict.run_id if verdict else "none")
        if clear_for is not None:
            with here.ledger.transaction() as connection:
                actor = world.actor(connection, clear_for)
                require(actor, Action.UNMASK, entry, found.provider_org)
                act = Act(actor, Action.UNMASK, "reject_file", f"{entry}:{run}", here.clock())
                append(connection, act)
        folder = run_folder(here.settings.var_dir, entry, run)
        done = write_reject_file(found, folder, to, is_clear=clear_for is not None)
    text = f"{done.rows:,} rows with {done.reasons:,} reasons in {done.path}"
    show(asdict(done), as_json, lambda: console.print(text, markup=False))


def quarantine(as_json: AsJson = False) -> None:
    """List the quarantines that hold rows, the oldest row first.

    Example: yishu quality quarantine
    """
    with reported(as_json):
        found = world.pipeline().ledger.ageing()
    rows = [asdict(one) for one in found]
    columns = {
        "entry_id": "entry",
        "run_id": "run",
        "standing": "rows",
        "fresh": "new",
        "corrected": "corrected",
        "gone": "gone",
        "released": "let through",
        "oldest_at": "oldest since (UTC)",
    }
    show(rows, as_json, lambda: print_table("Quarantine", rows, columns))


def release(
    entry: EntryArgument,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run of the reject file.")],
    row: Annotated[int, typer.Argument(help="The row's number in the reject file.")],
    *,
    reason: Reason,
    as_: As,
    as_json: AsJson = False,
) -> None:
    """Let a quarantined row through that is right though checks fail on it; from the next run on.

    Example: yishu quality release taxation.taxpayer run-1 17 --reason 与档案一致 --as qian.jun
    """
    from yishu.pipeline.custody import release_row  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline()
        with here.ledger.transaction() as connection:
            actor = world.actor(connection, as_)
        checks = release_row(entry, run_id, row, here, actor=actor, reason=reason, at=here.clock())
    text = f"row {row} passes from the next run on, in spite of {', '.join(checks)}"
    show({"row": row, "checks": checks}, as_json, lambda: console.print(text, markup=False))


def sample(
    entry: EntryArgument,
    as_: As,
    rows: Annotated[int, typer.Option(min=1, max=1_000, help="How many rows to draw.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same rows.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Draw published rows and compare them with their source anew; the result goes on record.

    Example: yishu quality sample taxation.taxpayer --rows 50 --seed 7 --as qian.jun
    """
    from yishu.pipeline.sampling import draw_and_compare, record_sample  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline_for(entry)
        with here.ledger.transaction() as connection:
            actor = world.actor(connection, as_)
        require(actor, Action.CHECK_SAMPLE, entry)
        found = draw_and_compare(entry, rows, seed, here, at=here.clock())
        with here.ledger.transaction() as connection:
            record_sample(connection, found, actor)
    lines = [
        {"key": one.key, "columns": ", ".join(one.columns) or "(gone)"} for one in found.findings
    ]
    title = f"{found.equal:,} of {found.drawn:,} rows are as at the source"
    show(asdict(found), as_json, lambda: print_table(title, lines))


COMMANDS = (reject, quarantine, release, sample)
