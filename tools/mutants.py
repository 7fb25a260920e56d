"""Apply small breaking patches, one at a time, and see that the tests notice: ``make mutants``.

The patches are kept in ``tests/mutants/*.yaml``. A patch that the named tests let pass, or that no
longer fits its file, fails the run; so does a core requirement (tier A) that is done and has no
patch. All happens in a copy, so the tree is never touched.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path("tests/mutants")
REQUIREMENTS = Path("docs/reference/requirements.yaml")
#: Seconds after which a test counts as hanging, which a patch may cause.
TEST_TIMEOUT = 300
_PYTEST_PASSED, _PYTEST_FAILED = 0, 1


class Outcome(StrEnum):
    """What became of a patch; only ``killed`` is good."""

    KILLED = "killed"
    SURVIVED = "survived"
    STALE = "no longer applies"
    BROKEN = "tests could not run"


@dataclass(frozen=True)
class Mutant:
    """One patch: ``old`` stands exactly once in ``file`` and becomes ``new``."""

    id: str
    file: str
    old: str
    new: str
    requirements: tuple[str, ...]
    tests: tuple[str, ...]


def load(folder: Path) -> tuple[Mutant, ...]:
    """The kept patches of a folder, by file name and then as written.

    Raises:
        ValueError: two patches share an id, or one changes nothing or names no test.
    """
    mutants: list[Mutant] = []
    for path in sorted(folder.glob("*.yaml")):
        for row in yaml.safe_load(path.read_text("utf-8")) or ():
            lists = {name: tuple(row[name]) for name in ("requirements", "tests")}
            mutant = Mutant(**{**row, **lists})
            if mutant.id in {other.id for other in mutants}:
                raise ValueError(f"{path}: found the id {mutant.id} twice; give each its own")
            if mutant.old == mutant.new or not mutant.tests:
                raise ValueError(f"{path}: {mutant.id} changes nothing or names no test")
            mutants.append(mutant)
    return tuple(mutants)


def uncovered(mutants: Sequence[Mutant], requirements: Path) -> list[str]:
    """Ids of tier A that are done without a patch, and ids that patches name but no list has."""
    rows = yaml.safe_load(requirements.read_text("utf-8"))
    named = {name for mutant in mutants for name in mutant.requirements}
    core = {row["id"] for row in rows if row["tier"] == "A" and row["status"] == "done"}
    unknown = named - {row["id"] for row in rows}
    return [
        f"{name} is done and of tier A, but no patch names it" for name in sorted(core - named)
    ] + [
        f"{name} is named by a patch, but {REQUIREMENTS} has no such id" for name in sorted(unknown)
    ]


def copy_tree(root: Path, target: Path) -> None:
    """Copy what git knows or would know of ``root``; everything but caches where git is absent."""
    listing = ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
    done = subprocess.run(listing, check=False, capture_output=True, text=True)
    if done.returncode or not (root / ".git").exists():
        unwanted = shutil.ignore_patterns(".venv", "var", "dist", "wheelhouse", "__pycache__", ".*")
        shutil.copytree(root, target, dirs_exist_ok=True, ignore=unwanted)
        return
    for name in filter(None, done.stdout.split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)


def environment(copy: Path) -> dict[str, str]:
    """Variables for tests in the copy: its packages come before the installed project.

    No bytecode is written: a patch in the same second and of the same size would not be seen.
    """
    return {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def check_isolation(copy: Path) -> None:
    """Make sure that tests in the copy import the copy and not the tree.

    Raises:
        RuntimeError: they would not, so every patch would seem to survive.
    """
    command = [sys.executable, "-c", "import catalog; print(catalog.__file__)"]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment(copy), cwd=copy
    )
    found = Path(done.stdout.strip())
    if not found.is_relative_to(copy):
        raise RuntimeError(f"tests would import {found}; expected a file of {copy}")


def run_tests(copy: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run tests of the copy, stopping at the first failure."""
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--timeout={TEST_TIMEOUT}"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        check=False,
        capture_output=True,
        text=True,
        cwd=copy,
        env=environment(copy),
    )


def try_mutant(copy: Path, mutant: Mutant) -> Outcome:
    """Apply a patch in the copy, run its tests and take it back."""
    path = copy / mutant.file
    text = path.read_text("utf-8") if path.is_file() else ""
    if text.count(mutant.old) != 1:
        return Outcome.STALE
    path.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        code = run_tests(copy, mutant.tests).returncode
    finally:
        path.write_text(text, "utf-8")
    known = {_PYTEST_PASSED: Outcome.SURVIVED, _PYTEST_FAILED: Outcome.KILLED}
    return known.get(code, Outcome.BROKEN)


def run(root: Path, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Outcome, float]]:
    """Try every patch in one copy of ``root``; gives each with its outcome and seconds.

    Raises:
        RuntimeError: the tests fail without any patch, or would not see the copy.
    """
    with tempfile.TemporaryDirectory(prefix="yishu-mutants-") as place:
        copy = Path(place).resolve()
        copy_tree(root, copy)
        check_isolation(copy)
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        baseline = run_tests(copy, tests)
        if baseline.returncode != _PYTEST_PASSED:
            output = (baseline.stdout + baseline.stderr)[-3000:]
            raise RuntimeError(f"the tests fail without any patch:\n{output}")
        for mutant in mutants:
            started = time.monotonic()
            yield mutant, try_mutant(copy, mutant), time.monotonic() - started


def main() -> int:
    """Try the asked patches, or all; 1 when a patch was not noticed or a requirement has none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ids", nargs="*", help="only these patches")
    asked = parser.parse_args().ids
    kept = load(ROOT / KEPT)
    chosen = [mutant for mutant in kept if not asked or mutant.id in asked]
    outcomes = []
    for mutant, outcome, seconds in run(ROOT, chosen) if chosen else ():
        print(f"{outcome:20} {seconds:5.1f} s  {mutant.id}  {mutant.file}", flush=True)
        outcomes.append(outcome)
    missing = [] if asked else uncovered(kept, ROOT / REQUIREMENTS)
    print("\n".join(missing), end="\n" if missing else "")
    killed = outcomes.count(Outcome.KILLED)
    print(f"{killed} of {len(outcomes)} patches noticed; {len(missing)} gaps")
    return 0 if killed == len(outcomes) and outcomes and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
