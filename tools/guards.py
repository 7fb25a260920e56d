"""The project's own rules, each a function from a tree to what breaks it there.

``tests/project/`` runs every rule on this tree, and on a planted violation to show that it can
fail. Import directions are the tables below, and nowhere else. A finding names file, line, what
was found and the remedy.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

RULES = ("catalog", "expectations", "transforms")
PACKAGES = (*RULES, "yishu", "example")
FOLDERS = {
    *PACKAGES, ".ci", "bench", "dags", "docs", "interop", "requirements", "sql", "tests", "tools",
}  # fmt: skip

#: Who may import what of the project: the longest matching importer decides. A name allows its
#: submodules too. The order inside yishu is the order of this table: downward only.
_RULE_PACKAGES = (*RULES, "sql")
_PLAIN = ("yishu.ahead", "yishu.settings", "yishu.secrets", "yishu.redact", "yishu.embedded")
_BASE = (*_RULE_PACKAGES, *_PLAIN)
_STAGES = ("yishu.sources", "yishu.library", "yishu.lineage", "yishu.ledger")
_DUTIES = ("yishu.clocks", "yishu.governance", "yishu.sharing")
EDGES: dict[str, tuple[str, ...]] = {
    "catalog": (),
    "expectations": ("catalog",),
    "transforms": ("catalog",),
    "example": ("catalog",),
    "yishu": (),
    "yishu.ahead": (),
    "yishu.settings": _RULE_PACKAGES,
    "yishu.secrets": _BASE,
    "yishu.redact": _BASE,
    "yishu.embedded": _BASE,
    "yishu.ports": (),
    "yishu.sentences": ("catalog",),
    "yishu.sources": _BASE,
    "yishu.library": _BASE,
    "yishu.lineage": _BASE,
    "yishu.ledger": _BASE,
    "yishu.clocks": _BASE,
    "yishu.governance": (*_BASE, "yishu.ledger", "yishu.clocks"),
    "yishu.sharing": (
        *_BASE,
        "yishu.sources",
        "yishu.library",
        "yishu.lineage",
        "yishu.ledger",
        "yishu.clocks",
        "yishu.governance",
    ),
    "yishu.inventory": (*_BASE, "yishu.sources", "yishu.ledger"),
    "yishu.pipeline": (*_BASE, *_STAGES, *_DUTIES),
    "yishu.orchestration": (*_BASE, *_STAGES, *_DUTIES, "yishu.pipeline", "yishu.ports"),
    "yishu.interchange": (*_BASE, "yishu.sources", "yishu.sentences"),
    "yishu.portal": (
        *_BASE,
        *_STAGES,
        *_DUTIES,
        "yishu.interchange",
        "yishu.pipeline",
        "yishu.sentences",
    ),
    "yishu.cli": (*_RULE_PACKAGES, "example", "yishu"),
    "dags": ("yishu.orchestration",),
    "sql.migrations": ("yishu.ledger", "yishu.settings"),
}
#: Exceptions to EDGES: the example must not know how the product checks what it corrupts.
FORBIDDEN_EDGES = {"example": ("catalog.identifiers",)}

#: Other people's packages that a rule package may import; a folder that is not named may import
#: any. Rules stay light, because parsing a DAG imports them.
THIRD_PARTY: dict[str, set[str]] = {
    "catalog": {"pydantic", "pydantic_core", "yaml", "numpy"},
    "expectations": {"pydantic", "yaml", "numpy", "pandas", "pyarrow", "great_expectations"},
    "transforms": {"numpy", "pandas", "pyarrow"},
}
#: Packages that only these parts may import.
RESERVED = {"airflow": ("yishu.orchestration", "dags")}

#: Logic takes time as an argument; these folders never read a clock.
TIMELESS = (
    "catalog", "expectations", "transforms", "yishu/library", "yishu/ledger", "yishu/clocks",
    "yishu/governance", "yishu/sharing", "yishu/inventory",
)  # fmt: skip
CLOCK_READS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
}  # fmt: skip

MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_DAG_LINES = 450, 60, 80
TEXT_SUFFIXES = {
    "", ".cfg", ".css", ".csv", ".html", ".in", ".ini", ".js", ".json", ".md", ".py", ".sh", ".sql",
    ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip

# A bracket in each word keeps this file from breaking the rules that it states.
_MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:[h]ome/\w|[U]sers/\w|[r]oot/|[w]ork/|[f]arm/)")
_REGISTRY = re.compile(
    r"(?:[p]ypi|[p]ythonhosted|[n]pmjs)\.org|[d]eb\.debian\.org|^--(?:extra-)?[i]ndex-url"
)
_LEFT_TO_DO = re.compile(r"\b(?:[T]ODO|[F]IXME|[X]XX|[N]otImplementedError)\b")
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE [K]EY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\bxox[abp]-[A-Za-z0-9-]{20,}"
    r"|(?i:\b(?:password|passwd|secret|token|fernet_key))\s*[=:]\s*[\"'](?![a-z_]+[\"'])[^\"'{}$<>\s]{12,}[\"']"
)


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule; ``line`` 0 means the whole file or folder."""

    path: Path
    line: int
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: found {self.found}. Remedy: {self.remedy}"


def files(root: Path) -> Iterator[Path]:
    """Files of the project below ``root``, without what .gitignore names and git's own."""
    listed = root / ".gitignore"
    lines = listed.read_text("utf-8").split() if listed.exists() else []
    ignored = {".git", "wheelhouse", *(line.strip("/") for line in lines if line.endswith("/"))}
    stack = [root]
    while stack:
        for path in sorted(stack.pop().iterdir()):
            if path.name in ignored or path.match("*.egg-info"):
                continue
            if path.is_dir() and not path.is_symlink():
                stack.append(path)
            elif path.is_file():
                yield path


def import_directions(root: Path) -> Iterator[Finding]:
    """Rules never import machinery, and inside the machinery imports point downward."""
    for path, tree in _modules(root, *PACKAGES, "dags", "sql"):
        module = _module_name(root, path)
        importer = _longest(module, EDGES)
        if importer is None:
            continue
        for line, target in _imports(tree, module, is_package=path.name == "__init__.py"):
            reason = _edge_fault(module, importer, target)
            if reason:
                yield Finding(path, line, f"{module} importing {target}", reason)


def _edge_fault(module: str, importer: str, target: str) -> str | None:
    top = target.split(".", maxsplit=1)[0]
    if top in (*PACKAGES, "sql", "dags", "tests", "tools", "bench"):
        return _own_edge_fault(module, importer, target)
    if top in RESERVED and not _longest(module, RESERVED[top]):
        return f"only {' and '.join(RESERVED[top])} import {top}; take what you need as an argument"
    light = THIRD_PARTY.get(importer)
    if light is not None and top not in light and top not in sys.stdlib_module_names:
        return f"{importer} may import only {', '.join(sorted(light))} of other people's packages"
    return None


def _own_edge_fault(module: str, importer: str, target: str) -> str | None:
    own = module if importer == "yishu" else importer
    forbidden = _longest(target, FORBIDDEN_EDGES.get(importer, ()))
    if _within(target, own) or (_longest(target, EDGES[importer]) and not forbidden):
        return None
    allowed = ", ".join(EDGES[importer]) or "nothing of the project"
    return (
        f"{importer} may import {allowed} (EDGES in tools/guards.py); pass the value in as an "
        "argument, or move the code"
    )


def folder_rules(root: Path) -> Iterator[Finding]:
    """Closed set of folders; no package markers that shadow packages; sql/ is SQL."""
    folders = {path.relative_to(root).parts[0] for path in files(root) if path.parent != root}
    for name in sorted(folders - FOLDERS):
        yield Finding(
            root / name, 0, f"a top-level folder {name}/", "put it where the README's map has it"
        )
    for path in files(root):
        top, *rest = path.relative_to(root).parts
        if path.name == "__init__.py" and top in ("tests", "dags"):
            remedy = "delete it: it makes the folder a package that shadows ours"
            yield Finding(path, 0, f"__init__.py under {top}/", remedy)
        if top == "sql" and path.suffix == ".py" and rest[:1] != ["migrations"]:
            remedy = "sql/ holds one SQL statement a file; Python goes to sql/migrations or yishu/"
            yield Finding(path, 0, "Python in sql/", remedy)


def machine_paths(root: Path) -> Iterator[Finding]:
    """No absolute path of anybody's machine."""
    yield from _grep(root, _MACHINE_PATH, "use a path relative to the project or a setting")


def registry_hosts(root: Path) -> Iterator[Finding]:
    """No package registry's host and no index address: a government network has its own."""
    yield from _grep(root, _REGISTRY, "leave the address to the user's pip configuration")


def secrets(root: Path) -> Iterator[Finding]:
    """No key, token or password, not even of the demo: they are generated under var/."""
    hidden = "a secret"  # the value itself must not reach a log
    remedy = "generate it under var/ and pass it by environment"
    yield from _grep(root, _SECRET, remedy, show=hidden, skip=("tests",))


def left_to_do(root: Path) -> Iterator[Finding]:
    """No note that something is still to be done."""
    yield from _grep(root, _LEFT_TO_DO, "do it, or write an issue and take the note out")


def sizes(root: Path) -> Iterator[Finding]:
    """Files, functions and DAG files that one can still read."""
    for path, tree in _modules(root):
        top = path.relative_to(root).parts[0]
        lines = path.read_text("utf-8").count("\n")
        most = MAX_DAG_LINES if top == "dags" else MAX_FILE_LINES
        if lines > most:
            yield Finding(path, 0, f"{lines} lines", f"split it: at most {most} lines a file")
        if top == "tests":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > MAX_FUNCTION_LINES:
                    remedy = f"split it: at most {MAX_FUNCTION_LINES} lines a function"
                    yield Finding(path, node.lineno, f"{node.name} with {size} lines", remedy)


def docstrings(root: Path) -> Iterator[Finding]:
    """Every module, public class and public function outside tests/ says what it is."""
    remedy = "say what it is, its units and what it raises"
    for path, tree in _modules(root):
        if path.relative_to(root).parts[0] == "tests":
            continue
        if not ast.get_docstring(tree):
            yield Finding(path, 1, "a module without docstring", remedy)
        for node in _public_definitions(tree):
            if not ast.get_docstring(node):
                yield Finding(path, node.lineno, f"{node.name} without docstring", remedy)


def clock_reads(root: Path) -> Iterator[Finding]:
    """Time is an argument of logic, never read inside it."""
    for path, tree in _modules(root):
        place = path.relative_to(root).as_posix()
        if not place.startswith(tuple(f"{folder}/" for folder in TIMELESS)):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                name = ".".join(ast.unparse(node).split(".")[-2:])
                if name in CLOCK_READS:
                    yield Finding(path, node.lineno, name, "take the time as an argument")


ALL_RULES: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    import_directions,
    folder_rules,
    machine_paths,
    registry_hosts,
    secrets,
    left_to_do,
    sizes,
    docstrings,
    clock_reads,
)


def _modules(root: Path, *tops: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in files(root):
        top = path.relative_to(root).parts[0]
        if path.suffix == ".py" and (not tops or top in tops):
            yield path, ast.parse(path.read_text("utf-8"), str(path))


def _module_name(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[tuple[int, str]]:
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, node.module] if node.module else base)
            for alias in node.names:
                yield node.lineno, f"{stem}.{alias.name}"


def _public_definitions(
    tree: ast.Module,
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                is_function = isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
                if is_function and not member.name.startswith("_"):
                    yield member


def _grep(
    root: Path,
    pattern: re.Pattern[str],
    remedy: str,
    *,
    show: str | None = None,
    skip: tuple[str, ...] = (),
) -> Iterator[Finding]:
    for path in files(root):
        parts = path.relative_to(root).parts
        if path.suffix not in TEXT_SUFFIXES or parts[0] in skip or "vendor" in parts:
            continue
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # data in another encoding, e.g. a GB18030 drop
        for number, line in enumerate(lines, 1):
            hit = pattern.search(line)
            if hit:
                yield Finding(path, number, show or hit.group(), remedy)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _longest(name: str, packages: dict[str, tuple[str, ...]] | tuple[str, ...]) -> str | None:
    return max((p for p in packages if _within(name, p)), key=len, default=None)
