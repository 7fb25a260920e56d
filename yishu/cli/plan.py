"""``yishu quality plan``, ``suite``, ``docs``: what will be checked, and how others see it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from transforms.parsing import LOCAL_ZONE
from yishu.cli import world
from yishu.cli.output import AsJson, console, print_table, reported, show

if TYPE_CHECKING:
    from expectations.plan import Check
    from expectations.rulebook import Rulebook
    from yishu.pipeline import PipelineContext

EntryArgument = Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer")]
OnDay = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="The day whose rules count; default: today."),
]


def plan(entry: EntryArgument, on: OnDay = None, as_json: AsJson = False) -> None:
    """Print what a validation of an entry will check, how strictly, and who decided so.

    Example: yishu quality plan market_regulation.enterprise_registration
    """
    from expectations.rulebook import rulebook  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.settings()
        known = world.release(here).entry(entry)
        at = _moment(on)
        book = rulebook(known.id)
        checks = _planned(known.id, at)
    found = {
        "entry": known.id,
        "on": f"{at:%Y-%m-%d}",
        "checks": [_told(check) for check in checks],
        "waivers": _waivers(book, at),
    }
    show(found, as_json, lambda: _print(found))


def suite(
    entry: EntryArgument,
    out: Annotated[Path, typer.Option(help="File to write.")],
    on: OnDay = None,
) -> None:
    """Write an entry's checks as a suite that plain Great Expectations loads.

    Example: yishu quality suite taxation.taxpayer --out taxpayer.suite.json
    """
    from expectations.datadocs import write_suite  # noqa: PLC0415  seconds

    with reported(as_json=False):
        checks = _planned(entry, _moment(on))
        write_suite([one for one in checks if _is_complete(one)], entry, out)
    console.print(
        f"{out} is written; `import expectations.fields` before you load it", markup=False
    )


def docs(
    entry: EntryArgument,
    out: Annotated[Path, typer.Option(help="Folder of the site.")],
    run_id: Annotated[str | None, typer.Option(help="Which run; default: the latest.")] = None,
) -> None:
    """Build Great Expectations' Data Docs of an entry's checks and of a run, without any value.

    Example: yishu quality docs taxation.taxpayer --out var/docs
    """
    from expectations.datadocs import build_docs  # noqa: PLC0415  seconds

    with reported(as_json=False):
        here = world.pipeline()
        verdict = here.ledger.verdict(here.release.entry(entry).id, run_id)
        checks = [one for one in _planned(entry, here.clock(), here) if _is_complete(one)]
        page = build_docs(
            checks,
            entry,
            out,
            run_id=verdict.run_id if verdict else None,
            decided_at=verdict.decided_at if verdict else None,
            outcomes=verdict.checks if verdict else (),
        )
    console.print(f"{page}", markup=False)


def _moment(on: datetime | None) -> datetime:
    return on.replace(hour=12, tzinfo=LOCAL_ZONE) if on else world.clock()


def _planned(
    entry_id: str, at: datetime, here: "PipelineContext | None" = None
) -> "Sequence[Check]":
    from expectations import plan as planning  # noqa: PLC0415  heavy
    from expectations.rulebook import rulebook  # noqa: PLC0415  heavy

    release = here.release if here else world.release(world.settings())
    entry = release.entry(entry_id)
    return planning.plan(entry, release, at=at, book=rulebook(entry.id))


def _is_complete(check: "Check") -> bool:
    """Whether the check says all that its class needs: of other tables the files are not known."""
    return "tables" not in check.args


def _told(check: "Check") -> dict[str, Any]:
    decided = check.decided
    return {
        "check_id": check.id,
        "dimension": check.dimension.value,
        "severity": check.severity.value,
        "threshold": check.threshold,
        "text_zh": check.text_zh,
        "text_en": check.text_en,
        "decided": decided and f"{decided.author}, {decided.since}: {decided.reason}",
        "waivers": [one.id for one in check.waivers],
    }


def _waivers(book: "Rulebook", at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "check_id": one.check,
            "scope": one.scope and f"{one.scope.by} in {', '.join(one.scope.values)}",
            "reason": one.reason,
            "author": one.author,
            "since": f"{one.since}",
            "until": f"{one.until}",
            "state": "in force" if one.holds_on(at.date()) else "not in force",
        }
        for one in book.waivers
    ]


def _print(found: dict[str, Any]) -> None:
    columns = {
        "check_id": "check",
        "dimension": "dimension",
        "severity": "severity",
        "threshold": "threshold",
        "text_zh": "要求",
        "text_en": "demand",
        "decided": "decided by",
    }
    title = f"{found['entry']} on {found['on']}: {len(found['checks'])} checks"
    print_table(title, found["checks"], columns)
    if found["waivers"]:
        print_table("Waivers", found["waivers"])
