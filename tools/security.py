"""Security rules are tests, and a failing one stops a release (S004 Art.34).

A security policy is a test that cites a requirement ``SEC-…``. Here they run, all of them and
nothing else; one that fails, cannot run or is skipped is a policy that does not hold. ``bundle.py``
asks here first, so no archive is made of a tree whose policies do not hold.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from requirements import citations

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "SEC-"
_TOLD = 3_000


def policies(root: Path) -> list[str]:
    """The tests of a tree that hold its security policies, as pytest names them."""
    cited = (one.test for one in citations(root) if one.requirement.startswith(PREFIX))
    return list(dict.fromkeys(cited))


def broken(root: Path, tests: Sequence[str]) -> list[str]:
    """Run them; what did not pass, each with what became of it."""
    with tempfile.TemporaryDirectory(prefix="yishu-security-") as place:
        report = Path(place) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--junit-xml={report}", *tests]
        done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
        # pytest wrote the report just now: it is nobody else's XML.
        cases = ET.parse(report).getroot().findall(".//testcase") if report.exists() else []  # noqa: S314
    found = [
        f"{case.get('classname')}::{case.get('name')}: {result.tag}"
        for case in cases
        for result in case
        if result.tag in ("failure", "error", "skipped")
    ]
    if found or (done.returncode == 0 and cases):
        return found
    return [f"pytest: exit {done.returncode}\n{done.stdout[-_TOLD:]}{done.stderr[-_TOLD:]}"]


def main() -> int:
    """Check the tree named, else this one; 1 when a policy does not hold or there is none."""
    root = Path(sys.argv[1]) if sys.argv[1:] else ROOT
    tests = policies(root)
    if not tests:
        print(f"security: {root}: found no test that cites {PREFIX}…; expected the policies")
        return 1
    found = broken(root, tests)
    for one in found:
        print(f"security: {one}")
    print(f"security: {len(tests)} policies, {'NOT ' if found else ''}all hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
