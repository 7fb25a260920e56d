"""``make bench``: run the benchmarks, one script a claim, by the rules of README.md.

make bench                                           every script at the size of its claim
make bench ARGS="--list"                             which there are
make bench ARGS="--only governed_run --size 200000 --rounds 1"
make bench ARGS="--write"                            put the sections into RESULTS.md
"""

import argparse
import importlib
import re
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from harness import Options, Section, machine

SCRIPTS = (
    "governed_run",
    "governed_scale",
    "pull",
    "catalog_scale",
    "validation",
    "small_entries",
    "clocks_scale",
    "sharing",
    "portal_search",
    "portal_load",
    "quality_figures",
    "library_speed",
    "lineage_queries",
    "journal",
    "catalog_process",
)
RESULTS = Path(__file__).with_name("RESULTS.md")
INTRODUCTION = """# Results

Written by `make bench ARGS="--write"`, by [these rules](README.md): a section a script, each with
its machine, date and command. A script that runs again replaces its own section only.
"""


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    if asked.list:
        for name in SCRIPTS:
            first = (importlib.import_module(name).__doc__ or "").splitlines()[0]
            print(f"{name:16}{first}")
        return
    options = Options(asked.size, asked.rounds, lambda line: print(line, flush=True))
    print(machine(), flush=True)
    for name in asked.only or SCRIPTS:
        options.say(f"-- {name}")
        found = importlib.import_module(name).run(options)
        print(f"\n## {found.title}\n\n{found.body}\n", flush=True)
        if asked.write:
            write(RESULTS, found, shlex.join(sys.argv[1:]))


def write(path: Path, found: Section, arguments: str) -> None:
    """Put a section into the results, in place of the one of the same title."""
    command = f'make bench ARGS="{arguments}"'
    about = f"{machine()}. {datetime.now(UTC):%Y-%m-%d}, `{command}`."
    section = f"## {found.title}\n\n{about}\n\n{found.body}\n"
    text = path.read_text("utf-8") if path.exists() else ""
    sections = {part.splitlines()[0]: part for part in re.split(r"(?m)^(?=## )", text)[1:]}
    sections[f"## {found.title}"] = section
    body = "\n".join(part.strip() + "\n" for part in sections.values())
    path.write_text(f"{INTRODUCTION}\n{body}", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--list", action="store_true", help="list the scripts and stop")
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, help="these scripts instead of all")
    parser.add_argument("--size", type=int, help="scale; default: the size of each claim")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each contender; default 5")
    parser.add_argument("--write", action="store_true", help="write the sections into RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
