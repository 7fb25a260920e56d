"""``yishu quality``: what validations found, read from the ledger; ``yishu quality ENTRY`` shows.

Each further question about quality is a command of this group.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from catalog.vocabulary import QualityDimension
from yishu.cli import world
from yishu.cli.output import AsJson, console, print_table, reported, show

if TYPE_CHECKING:
    from yishu.ledger import VerdictFacts
    from yishu.ledger.rows import CheckDifference, RunQuality

_BAR = 24
_TREND = "▁▂▃▄▅▆▇█"


class _ShowsByDefault(TyperGroup):
    """A group in which a word that names no command is an entry to show."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``show`` before arguments that begin with something else than a command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


app = typer.Typer(
    cls=_ShowsByDefault,
    no_args_is_help=True,
    help="What validations found: checks, trend, differences, reports. "
    "`yishu quality ENTRY` shows an entry.",
)

EntryArgument = Annotated[str, typer.Argument(help="Entry id, e.g. taxation.taxpayer")]


@app.command("show")
def show_entry(
    entry: EntryArgument,
    run_id: Annotated[str | None, typer.Option(help="Which run; default: the latest.")] = None,
    runs: Annotated[int, typer.Option(min=1, max=400, help="Runs of the trend.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what a validation of an entry found: checks, dimensions as bars, trend over the runs.

    Example: yishu quality show market_regulation.enterprise_registration
    """
    with reported(as_json):
        here = world.pipeline()
        known = here.release.entry(entry).id
        verdict = here.ledger.verdict(known, run_id)
        trend = here.ledger.quality_trend(known, runs) if verdict else []
    found = None
    if verdict:
        found = {**asdict(verdict), "trend": [{**asdict(r), "score": r.score} for r in trend]}
    show(found, as_json, lambda: _print_verdict(entry, verdict, trend))
    raise typer.Exit(0 if verdict else 1)


def _print_verdict(
    entry: str, verdict: "VerdictFacts | None", trend: Sequence["RunQuality"]
) -> None:
    if verdict is None:
        console.print(f"{entry}: not validated yet; run `yishu pull {entry}` or its DAG")
        return
    state = "passed" if verdict.passed else "blocked"
    console.print(
        f"{entry}, run {verdict.run_id}: {state}; "
        f"{verdict.quarantined:,} of {verdict.rows:,} rows quarantined"
    )
    columns = {
        "check_id": "check",
        "dimension": "dimension",
        "severity": "severity",
        "counted": "counted",
        "failed": "failed",
        "text_zh": "要求",
    }
    print_table("Checks", [asdict(check) for check in verdict.checks], columns)
    _print_bars(verdict)
    _print_trend(trend)


def _print_bars(verdict: "VerdictFacts") -> None:
    for dimension in QualityDimension:
        own = [check for check in verdict.checks if check.dimension == dimension]
        counted, failed = sum(c.counted for c in own), sum(c.failed for c in own)
        if counted:
            right = counted - failed
            full = _BAR * right // counted
            bar = "█" * full + "░" * (_BAR - full)
            text = f"  {dimension.label_zh:　<5}{bar} {right / counted:8.4%}  {right:,}/{counted:,}"
            console.print(text, markup=False, highlight=False)


def _print_trend(trend: Sequence["RunQuality"]) -> None:
    scores = [one.score for one in trend if one.score is not None]
    if len(scores) < 2:  # noqa: PLR2004  one run is no trend
        return
    low, high = min(scores), max(scores)
    span = (high - low) or 1
    steps = (int((score - low) / span * (len(_TREND) - 1)) for score in scores)
    line = "".join(_TREND[step] for step in steps)
    text = f"  trend of {len(scores)} runs  {line}  {low:.4%} to {high:.4%}"
    console.print(text, markup=False, highlight=False)


@app.command()
def compare(
    before: Annotated[str, typer.Argument(metavar="RUN", help="The earlier run.")],
    after: Annotated[str, typer.Argument(metavar="RUN", help="The later run.")],
    entry: Annotated[
        str | None, typer.Option(help="Only this entry; without it all that both runs checked.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which checks came out otherwise in a later run: more failed, fewer, new, gone.

    Example: yishu quality compare scheduled__2026-11-19 scheduled__2026-11-20
    """
    with reported(as_json):
        ledger = world.pipeline().ledger
        found = ledger.compare_runs(before, after, entry)
    rows = [{**asdict(one), "change": one.change} for one in found]
    show(rows, as_json, lambda: _print_differences(before, after, found, rows))


def _print_differences(
    before: str, after: str, found: Sequence["CheckDifference"], rows: list[dict[str, Any]]
) -> None:
    if not found:
        console.print(f"no check came out otherwise in {after} than in {before}")
        return
    columns = {
        "entry_id": "entry",
        "check_id": "check",
        "change": "change",
        "failed_before": "failed before",
        "failed_after": "failed after",
        "text_zh": "要求",
    }
    print_table(f"{before} to {after}", rows, columns)
