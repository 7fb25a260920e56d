"""``yishu journal``: seal, export and prove the record of what people did."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, console, print_table, reported, show

app = typer.Typer(help="The journal: who did what, chained and signed.", no_args_is_help=True)


@app.command()
def seal(as_json: AsJson = False) -> None:
    """Link and sign every record that waits, and keep the last seal outside the database.

    Example: yishu journal seal
    """
    from yishu.ledger.upkeep import seal_all  # noqa: PLC0415  cryptography, only needed here

    here = world.settings()
    with reported(as_json):
        sealed = seal_all(world.engine(here), here, world.clock())
    show(asdict(sealed), as_json, lambda: print_table("Sealed", [asdict(sealed)]))


@app.command("export")
def export_(
    file: Annotated[Path, typer.Argument(help="Where to write; one JSON object a line.")],
    as_json: AsJson = False,
) -> None:
    """Write the journal with its chain and seals, to be proven without the database.

    Example: yishu journal export journal.jsonl
    """
    from yishu.ledger.upkeep import export_to  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        lines = export_to(world.engine(here), file)
    facts = {"file": str(file), "lines": lines}
    show(facts, as_json, lambda: print_table("Exported", [facts]))


@app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An export; without it: the journal in the database.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Public key; default: this installation's.")
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--seal", help="Seal kept outside; default: the newest kept.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove the journal: every link, every seal, and that its tail is not cut off.

    Exit code 1 and the first broken link when it was tampered with.

    Example: yishu journal verify journal.jsonl --key journal_key.pub --seal 2026-11-20.json
    """
    from yishu.ledger import seal as seals  # noqa: PLC0415
    from yishu.ledger import upkeep  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        public = seals.read_public_key(key or here.secrets_dir / seals.PUBLIC_KEY_FILE)
        last = seals.read_seal(kept) if kept else seals.kept_outside(here.seals_path)
        if file:
            proof = upkeep.verify_file(file, public, last)
        else:
            proof = upkeep.verify_database(world.engine(here), public, last)
    facts = asdict(proof) | {"last": proof.last.sealed_at if proof.last else None}
    show(facts, as_json, lambda: print_table("Journal", [facts]))
    if last is None and not as_json:
        console.print("No seal was kept outside, so a tail cut off with its seals cannot be seen")
    raise typer.Exit(1 if proof.broken else 0)
