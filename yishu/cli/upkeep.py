"""``yishu backfill``, ``end-abandoned``: an entry's past in batches, runs that were killed."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from yishu.cli import world
from yishu.cli.output import AsJson, console, errors, print_table, reported, show

_COUNTS = ("read", "inserted", "updated", "unchanged", "quarantined", "superseded", "removals")


def backfill(
    entry: Annotated[str, typer.Argument(help="Entry id; one that is pulled by changes.")],
    *,
    first: Annotated[
        str, typer.Option("--from", help="Day, moment or batch number that history begins with.")
    ],
    last: Annotated[str, typer.Option("--to", help="The first one that is left out.")],
    every: Annotated[
        str, typer.Option(help="Length of a batch: day, week, month, year; or how many numbers.")
    ] = "month",
    run_id: Annotated[
        str | None, typer.Option(help="Name of the back-fill; the same name resumes it.")
    ] = None,
    airflow: Annotated[
        bool, typer.Option("--airflow", help="Let Airflow do it, a run a date of the schedule.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fill in an entry's past in batches, each a run with its own counts.

    The same command goes on after a kill; batches that are done are not done again.

    Example: yishu backfill taxation.taxpayer --from 2020-01-01 --to 2024-01-01 --every year
    """
    from yishu.pipeline.backfill import bounds_between, run_backfill  # noqa: PLC0415  heavy

    with reported(as_json):
        here = world.pipeline_for(entry)
        bounds = bounds_between(here.release.entry(entry), first, last, every)
        if airflow:
            asked = _ask_airflow(entry, first, last)
            show(asked, as_json, lambda: console.print(f"back-fill {asked['id']}: {asked['url']}"))
            return
        run = run_id or f"backfill__{first}__{last}__{every}"
        with errors.status(f"{entry}: {len(bounds)} batches") as status:
            done = run_backfill(
                *(entry, run, bounds, here),
                since=first,
                told=lambda one: status.update(f"{entry}: done up to {one['until']}"),
            )
    columns = {name: name for name in ("until", *_COUNTS, "rows")}
    show(done, as_json, lambda: print_table(f"{entry}, back-fill {run}", done, columns))


def _ask_airflow(entry: str, first: str, last: str) -> dict[str, Any]:
    from transforms.parsing import LOCAL_ZONE  # noqa: PLC0415
    from yishu.orchestration import services  # noqa: PLC0415
    from yishu.orchestration.environment import USER, password  # noqa: PLC0415
    from yishu.orchestration.rest import AirflowApi  # noqa: PLC0415

    here = world.settings()
    services.require_alive(here)
    days = [datetime.fromisoformat(text) for text in (first, last)]
    begin, end = (day if day.tzinfo else day.replace(tzinfo=LOCAL_ZONE) for day in days)
    url = services.ui_url(here)
    number = AirflowApi(url, USER, password(here)).backfill(entry, begin, end)
    return {"id": number, "url": f"{url}/dags/{entry}/backfills"}


def end_abandoned(as_json: AsJson = False) -> None:
    """End runs on record that were killed for good; the hourly alarms do it too.

    Example: yishu end-abandoned
    """
    from yishu.pipeline.abandoned import end_abandoned_runs  # noqa: PLC0415  heavy

    with reported(as_json):
        ended = [asdict(run) for run in end_abandoned_runs(world.pipeline())]
    columns = {"object_id": "of", "run_id": "run", "started_at": "began"}
    show(
        ended, as_json, lambda: print_table("Ended, since their process was killed", ended, columns)
    )
