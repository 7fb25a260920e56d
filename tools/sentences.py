"""Sentences of errors and findings, read from the code: which have no Chinese yet.

An error says what it found, what it expected and what to do in English, where it is raised.
``yishu/sentences`` has the Chinese of those that reach people on pages and in workbooks.

    python tools/sentences.py            list those without Chinese, and Chinese without a sentence
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from yishu.sentences import areas

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    "catalog", "yishu/clocks", "yishu/governance", "yishu/sharing", "yishu/portal",
    "yishu/interchange", "yishu/ledger", "yishu/library", "yishu/lineage", "expectations",
)  # fmt: skip
"""Whose errors and findings people meet on pages."""

PARTS = frozenset({"found", "expected", "remedy"})
GAP = "{}"
_ENGLISH = re.compile(r"\b[A-Za-z][a-z]+\b")
_MOST = 64
"""Of the ways in which the parts of one sentence can be put together."""

Names = Mapping[str, Sequence[ast.expr]]


def sentences(root: Path = ROOT, folders: Sequence[str] = FOLDERS) -> dict[str, str]:
    """Each sentence with gaps for what is put in -> the first place where it stands."""
    found: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        for line, text in of_code(path.read_text("utf-8")):
            found.setdefault(text, f"{path.relative_to(root)}:{line}")
    return found


def of_code(code: str) -> Iterator[tuple[int, str]]:
    """Line and sentence of all that a module says in errors and findings."""
    tree = ast.parse(code)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    outside = set(calls)
    everywhere = _assigned(tree.body)
    for scope in (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)):
        names = everywhere | _handed(scope, calls) | _assigned(list(ast.walk(scope)))
        inside = [node for node in ast.walk(scope) if isinstance(node, ast.Call)]
        outside -= set(inside)
        for call in inside:
            yield from _of_call(call, names)
    for call in outside:
        yield from _of_call(call, everywhere)


_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _of_call(call: ast.Call, names: Names) -> Iterator[tuple[int, str]]:
    parts = [one.value for one in call.keywords if one.arg in PARTS]
    for text in (text for part in parts for text in _texts(part, names)):
        if _ENGLISH.search(text):
            yield call.lineno, text


def _handed(function: _Function, calls: Sequence[ast.Call]) -> dict[str, list[ast.expr]]:
    """Parameters of a function, and what its own module hands to them."""
    names = [one.arg for one in function.args.args]
    if names[:1] == ["self"]:
        names = names[1:]
    found: dict[str, list[ast.expr]] = {}
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == function.name:
            by_name = [(one.arg, one.value) for one in call.keywords if one.arg]
            for name, value in [*zip(names, call.args, strict=False), *by_name]:
                found.setdefault(name, []).append(value)
    return found


def _assigned(nodes: Sequence[ast.AST]) -> dict[str, list[ast.expr]]:
    """Names and the texts that they are given."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            for target, value in _pairs(node.targets[0], node.value):
                found.setdefault(target.id, []).append(value)
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, its)


def _texts(node: ast.expr, names: Names) -> list[str]:
    """All texts that an expression may be, with a gap for each part that only a run knows."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return _joined([_texts(part, {}) for part in parts])
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([_texts(left, names), _texts(right, names)])
        case ast.IfExp() | ast.BoolOp() | ast.Name():
            return [
                text for choice, known in _choices(node, names) for text in _texts(choice, known)
            ] or [GAP]
        case _:
            return [GAP]


def _choices(node: ast.expr, names: Names) -> Iterator[tuple[ast.expr, Names]]:
    match node:
        case ast.IfExp(body=body, orelse=other):
            yield from ((body, names), (other, names))
        case ast.BoolOp(op=ast.Or(), values=values):
            yield from ((value, names) for value in values)
        case ast.Name(id=name):
            # A name may be given what it stood for before.
            others = {one: values for one, values in names.items() if one != name}
            yield from ((value, others) for value in names.get(name, ()))


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    ways = product(*parts)
    return list(dict.fromkeys("".join(way) for way, _ in zip(ways, range(_MOST), strict=False)))


def main() -> int:
    """List what does not match; 1 if anything."""
    said = sentences()
    have = {text for name, area in areas().items() if name != "pydantic" for text in area}
    for text in sorted(said.keys() - have):
        print(f"{said[text]}: no Chinese for {text!r}")
    for text in sorted(have - said.keys()):
        print(f"nobody says {text!r}")
    return int(said.keys() != have)


if __name__ == "__main__":
    sys.exit(main())
