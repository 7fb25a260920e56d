"""Library: publish, merge and look up, beside the bare Delta writer and its bare merge.

A table of 12 business columns and four of origin. Every task runs in a process of its own on files
that were made before; ``--size`` is its number of rows. Unless it is said, 5,000,000, and keys are
also looked up in ten times as many.
"""

import shutil
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from harness import VAR, Options, Run, Section, Series, compare, markdown, measure

TITLE = "Library"
SIZE = 5_000_000
MANY_ROWS = 50_000_000
FOLDER = VAR / "library_speed"
TASKS = (
    "bare_publish", "publish", "unchanged", "bare_merge", "merge", "equal", "changed_snapshot",
    "lookup",
)  # fmt: skip
GOALS = (("publish", "bare_publish", 1.2), ("merge", "bare_merge", 1.0))


def run(options: Options) -> Section:
    """Run every task, in this order, as often as asked, on fresh tables each time."""
    size = options.size or SIZE
    shutil.rmtree(FOLDER, ignore_errors=True)
    contenders: dict[str, Callable[[int], Run]] = {
        name: partial(_task, name, size) for name in TASKS
    }
    found = compare(contenders, options)
    last = next(one for one in found if one.name == "lookup").runs[-1]
    body = [_about(size), _table(found), _goals(found), _lookups(last)]
    if options.size is None:
        options.say("ten times as many")
        body.append(_many())
    return Section(TITLE, "\n\n".join(body))


def _task(name: str, size: int, _: int) -> Run:
    if name == TASKS[0]:
        measure(_command("prepare", size))
    return measure(_command(name, size))


def _command(name: str, size: int, folder: Path = FOLDER) -> list[str]:
    return [sys.executable, "bench/contenders/library_task.py", name, str(folder), str(size)]


def _many() -> str:
    shutil.rmtree(FOLDER)
    folder = FOLDER / "many"
    _, published, looked = (
        measure(_command(name, MANY_ROWS, folder)) for name in ("prepare", "publish", "lookup")
    )
    shutil.rmtree(FOLDER)
    return (
        f"{MANY_ROWS:,} rows: first publication {published.result['seconds']:.0f} s, "
        f"{published.peak_mb:.0f} MB. {_lookups(looked)}"
    )


def _about(size: int) -> str:
    return (
        f"{size:,} rows of 16 columns. `publish` checks keys, counts, commits and indexes keys; "
        f"`merge` brings {size // 10:,} changes; `unchanged` is the whole snapshot again; "
        f"`changed_snapshot` the whole snapshot with one row in a hundred changed. After the "
        "merges both tables have one content digest. Seconds are those of the task, without "
        "imports."
    )


def _median(series: Series, unit: str = "seconds") -> float:
    return float(statistics.median(run.result[unit] for run in series.runs))


def _table(found: list[Series]) -> str:
    lines = []
    for one in found:
        if one.name == "equal":
            continue
        seconds = [run.result["seconds"] for run in one.runs]
        spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
        lines.append([one.name, _median(one), spread, _median(one, "cpu"), f"{one.peak_mb:.0f}"])
    return markdown(["task", "median s", "spread s", "CPU s", "peak MB"], lines)


def _goals(found: list[Series]) -> str:
    by_name = {one.name: one for one in found}
    lines = []
    for ours, bare, most in GOALS:
        both = by_name[ours], by_name[bare]
        ratios = [_median(both[0], unit) / _median(both[1], unit) for unit in ("seconds", "cpu")]
        lines.append([f"{ours} to {bare}", f"at most {most}", *(f"{one:.2f}" for one in ratios)])
    return markdown(["goal", "wanted", "found", "found, CPU"], lines)


def _lookups(last: Run) -> str:
    found = last.result["found"].items()
    times = ", ".join(f"{share} {milliseconds} ms" for share, milliseconds in found)
    return f"One key of a thousand, the index open: {times}."
