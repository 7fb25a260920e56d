"""``yishu backup``, ``yishu restore``, ``yishu drill``: keep an installation, and practise it."""

from pathlib import Path
from typing import Annotated

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, print_table, reported, show
from yishu.embedded import ledger_url

Folder = Annotated[Path, typer.Argument(help="The folder of the backup.")]


def backup(folder: Folder, as_json: AsJson = False) -> None:
    """Back up ledger, releases, tables and kept seals into a new folder; keys stay apart.

    Example: yishu backup /mnt/backups/2026-11-25
    """
    from yishu.ledger.backup import back_up  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        made = back_up(ledger_url(here), here, folder, world.clock())
    facts = {"folder": str(folder), "tables": len(made.tables), "files": len(made.files)}
    show(facts, as_json, lambda: print_table("Backed up", [facts]))


def restore(folder: Folder, as_json: AsJson = False) -> None:
    """Bring a backup into an empty database and an empty installation, and prove it equal.

    Example: yishu restore /mnt/backups/2026-11-25
    """
    from yishu.ledger import migrate  # noqa: PLC0415
    from yishu.ledger.backup import restore as bring_back  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        url = ledger_url(here)
        made = bring_back(url, here, folder)
        migrate.upgrade(url)
    facts = {"folder": str(folder), "tables": len(made.tables), "files": len(made.files)}
    show(facts, as_json, lambda: print_table("Restored, all equal", [facts]))


def drill(as_json: AsJson = False) -> None:
    """Practise a restore beside the installation, compare everything, and keep the date.

    Example: yishu drill
    """
    from yishu.ledger.backup import drill as practise  # noqa: PLC0415

    here = world.settings()
    with reported(as_json):
        done = practise(ledger_url(here), here, world.clock())
    facts = vars(done)
    show(facts, as_json, lambda: print_table("Restore drill", [facts]))
