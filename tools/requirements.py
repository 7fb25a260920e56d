"""Which test shows which requirement: ``make requirements``.

Reads ``docs/reference/requirements.yaml`` and the ``@pytest.mark.requirement(...)`` marks of
tests/, by syntax alone. Fails for a requirement that is marked done without a test, and for a
test that cites an id that does not exist.
"""

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
LIST = Path("docs/reference/requirements.yaml")


@dataclass(frozen=True)
class Requirement:
    """One line of the list: what must be true, how central it is, whether it is shown."""

    id: str
    tier: str
    status: str
    title: str


@dataclass(frozen=True)
class Citation:
    """A test that says it shows a requirement; ``test`` is a pytest node id."""

    requirement: str
    test: str
    line: int


def load(path: Path) -> tuple[Requirement, ...]:
    """The requirements of a list file, in its order.

    Raises:
        ValueError: an id stands twice, or a tier or status is none of the known ones.
    """
    rows = tuple(Requirement(**row) for row in yaml.safe_load(path.read_text("utf-8")))
    for row in rows:
        if row.tier not in ("A", "B", "C") or row.status not in ("open", "done"):
            raise ValueError(
                f"{path}: {row.id} has tier {row.tier!r} and status {row.status!r}; expected tier "
                "A, B or C and status open or done"
            )
    twice = [name for name, count in Counter(row.id for row in rows).items() if count > 1]
    if twice:
        raise ValueError(f"{path}: found {', '.join(twice)} twice; keep one line an id")
    return rows


def citations(root: Path) -> tuple[Citation, ...]:
    """Every citation of the test files below ``root``/tests, in file order."""
    found: list[Citation] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        place = path.relative_to(root).as_posix()
        found += _cited_in(ast.parse(path.read_text("utf-8"), place), place)
    return tuple(found)


def _cited_in(tree: ast.Module, place: str) -> Iterator[Citation]:
    owners = {id(mark): name for name, node in _definitions(tree) for mark in _marks(node)}
    for mark in _marks(tree):
        node_id = f"{place}::{owners[id(mark)]}" if id(mark) in owners else place
        for argument in mark.args:
            if isinstance(argument, ast.Constant):
                yield Citation(str(argument.value), node_id, mark.lineno)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Classes and their methods after them, so that the innermost owner of a mark wins."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}::{member.name}", member


def _marks(node: ast.AST) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in (
            "pytest.mark.requirement",
            "mark.requirement",
        ):
            yield call


def faults(rows: Sequence[Requirement], cited: Sequence[Citation]) -> list[str]:
    """What the list and the tests disagree about; each line says where and what to do."""
    known = {row.id for row in rows}
    shown = {citation.requirement for citation in cited}
    found = [
        f"{citation.test} (line {citation.line}): found {citation.requirement!r}; expected an id "
        f"of {LIST}. Remedy: correct the mark."
        for citation in cited
        if citation.requirement not in known
    ]
    found += [
        f"{LIST}: {row.id} is done; expected a test that cites it. Remedy: mark the test with "
        f'@pytest.mark.requirement("{row.id}"), or set the status to open.'
        for row in rows
        if row.status == "done" and row.id not in shown
    ]
    return found


def report(rows: Sequence[Requirement], cited: Sequence[Citation]) -> Iterator[str]:
    """The table: each requirement that is done or cited, with its tests; the rest as a count."""
    tests: Mapping[str, list[str]] = defaultdict(list)
    for citation in cited:
        if citation.test not in tests[citation.requirement]:
            tests[citation.requirement].append(citation.test)
    for row in rows:
        if row.status == "done" or tests[row.id]:
            yield f"{row.id} [{row.tier}] {row.status:4} {row.title}"
            yield from (f"    {test}" for test in tests[row.id])
    done = Counter(row.tier for row in rows if row.status == "done")
    total = Counter(row.tier for row in rows)
    yield ", ".join(f"tier {tier}: {done[tier]} of {total[tier]} done" for tier in sorted(total))


def main() -> int:
    """Print the table and the faults; 1 when there are any."""
    rows, cited = load(ROOT / LIST), citations(ROOT)
    print("\n".join(report(rows, cited)))
    found = faults(rows, cited)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
