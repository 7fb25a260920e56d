"""Validation: twelve checks over landed Parquet, beside plain GX, pandera and hand-written SQL.

Check digits and uniqueness are among them. Frames just below and just above 1 GB, since Great
Expectations hashes every cell of those below only to name the batch. Every contender names the same
failing rows for every check, asserted before a ratio is printed. Hand-written DuckDB is the limit.
Check digits alone are measured on one core, and what an entry of ten thousand rows costs.

Fifty million rows are for Yishu and the limit alone.

``--size`` replaces all numbers of rows.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from checks import landed
from governed_run import peers_python
from harness import (
    ROOT,
    VAR,
    Options,
    Run,
    Section,
    Series,
    compare,
    markdown,
    measure,
    require_equal,
)

TITLE = "Validation"
FOLDER = VAR / "validation"
SCRIPTS = ROOT / "bench" / "checks"
GIGABYTE = 1_000_000_000
"""Great Expectations hashes frames smaller than this."""

OURS, PROFILED = "Yishu", "Yishu, with column profiles"
GX, PANDERA, LIMIT = "plain GX, whole frame", "pandera, Polars", "DuckDB by hand (limit)"
DIGIT_VALUES = 10_000_000
MANY_ROWS = 50_000_000
ENTRIES, ENTRY_ROWS = 300, 10_000


def run(options: Options) -> Section:
    """Measure every contender on every file and compare those that found the same."""
    parts = [_digits(options), _entries(options)]
    for name, rows in _sizes(options).items():
        path = FOLDER / f"{rows}.parquet"
        options.say(f"{name}: {rows:,} rows")
        landed.write(path, rows)
        series = compare(_contenders(path, rows), options)
        require_equal(series, "failing")
        parts.append(_table(name, rows, series))
    return Section(TITLE, "\n\n".join(parts))


def _sizes(options: Options) -> dict[str, int]:
    if options.size:
        return {"asked": options.size}
    sample = FOLDER / "100000.parquet"
    landed.write(sample, 100_000)
    width = pq.read_table(sample).nbytes / 100_000
    below, above = int(0.97 * GIGABYTE / width), int(1.03 * GIGABYTE / width)
    return {
        "frame just below 1 GB": below,
        "frame just above 1 GB": above,
        "5 million x 12": 5_000_000,
        "ten times as many": MANY_ROWS,
    }


def _contenders(path: Path, rows: int) -> dict[str, Callable[[int], Run]]:
    found = {
        OURS: partial(_run, ["ours.py"], path),
        PROFILED: partial(_run, ["ours.py", "--profiled"], path),
        LIMIT: partial(_run, ["by_duckdb.py"], path),
    }
    if rows < MANY_ROWS:
        found[PANDERA] = partial(_run, ["by_pandera.py"], path, python=str(peers_python()))
        found[GX] = partial(_run, ["by_gx.py"], path)
    return found


def _run(script: list[str], path: Path, _: int = 0, *, python: str = sys.executable) -> Run:
    name, *options = script
    env = {"PYTHONPATH": f"{SCRIPTS}:{ROOT}", "GX_ANALYTICS_ENABLED": "false"}
    return measure([python, str(SCRIPTS / name), str(path), *options], env)


def _table(name: str, rows: int, series: list[Series]) -> str:
    ours = next(one for one in series if one.name == OURS)
    lines = [
        (
            one.name,
            one.median,
            one.spread,
            one.without_imports,
            one.cpu,
            f"{one.peak_mb:.0f}",
            f"{one.median / ours.median:.2f}",
            f"{one.without_imports / ours.without_imports:.2f}",
        )
        for one in series
    ]
    header = ("contender", "s", "spread", "s without imports", "cpu s", "peak MB")
    header += ("times Yishu", "times Yishu, without imports")
    return f"### {name}: {rows:,} rows\n\n{markdown(header, lines)}"


def _digits(options: Options) -> str:
    options.say("check digits")
    path = FOLDER / f"{options.size or DIGIT_VALUES}.digits"
    found = _run(["digits.py"], path).result
    lines = [(name, f"{found[name] / 1e6:.1f}") for name in ("uscc", "resident_id")]
    return "### Check digits\n\n" + markdown(("kind", "million values a second, one core"), lines)


def _entries(options: Options) -> str:
    options.say("small entries")
    path = FOLDER / f"{ENTRY_ROWS}.parquet"
    landed.write(path, ENTRY_ROWS)
    many = min(ENTRIES, max(1, (options.size or 10**9) // ENTRY_ROWS))
    found = _run(["entries.py", str(many)], path)
    seconds = found.result["seconds"]
    text = (
        f"{many} entries of {ENTRY_ROWS:,} rows and 12 checks, one after the other in one process"
    )
    return f"### Small entries\n\n{text}: {seconds:.2f} s an entry."


if __name__ == "__main__":
    raise SystemExit("run it with `make bench`")
