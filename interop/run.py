"""``make interop``: unmodified clients read what Yishu publishes, and must all get the same.

make interop                                   every client
make interop ARGS="--only read_polars"         some of them
make interop ARGS="--lock"                     resolve environments/*.in again

A *stage* sets something up and says what every client must answer; a *client* is one file that runs
in an environment of its own, which has nothing of Yishu. See README.md.
"""

import argparse
import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent / "var" / "interop"
_QUIET = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")


@dataclass(frozen=True)
class Client:
    """One client: its file, the stage that it reads, where it runs and what it needs there."""

    path: Path
    stage: str
    environment: str
    programs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def absent(self) -> str:
        """Why the client cannot run on this machine; empty when it can."""
        lacking = [program for program in self.programs if shutil.which(program) is None]
        return f"this machine has no {', '.join(lacking)}" if lacking else ""


@dataclass(frozen=True)
class Outcome:
    """What became of a client: it agrees, or why not; ``skipped`` says why it did not run."""

    client: str
    fault: str = ""
    skipped: str = ""


def clients() -> list[Client]:
    """Every client, by name."""
    found = []
    for path in sorted((HERE / "clients").glob("*.py")):
        facts = _constants(path)
        if "STAGE" in facts:
            programs = tuple(facts.get("PROGRAMS", ()))
            found.append(Client(path, facts["STAGE"], facts["ENVIRONMENT"], programs))
    return found


def _constants(path: Path) -> Mapping[str, Any]:
    """Constants of a client, read without running it: it may import what we do not have."""
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [name.id for name in node.targets[0].elts if isinstance(name, ast.Name)]
            found |= zip(names, ast.literal_eval(node.value), strict=True)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def python_of(environment: str) -> Path:
    """The interpreter of an environment, made from its lock when it is not there or not the same.

    Raises:
        subprocess.CalledProcessError: the lock could not be installed.
    """
    lock = HERE / "environments" / f"{environment}.txt"
    wanted = sha256(lock.read_bytes()).hexdigest()
    folder = ENVIRONMENTS / environment
    stamp, python = folder / "installed", folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, *_QUIET, "--require-hashes", "-r", lock], check=True)
        stamp.write_text(wanted, "ascii")
    return python


@contextmanager
def staged(name: str, folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """A stage, set up in a folder: its request and the answer that is expected."""
    path = HERE / "stages" / f"{name}.py"
    described = importlib.util.spec_from_file_location(f"stage_{name}", path)
    if described is None or described.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    with module.stage(folder) as (request, expected):
        yield request, expected


def ask(client: Client, python: Path, folder: Path, request: dict[str, Any], expected: Any) -> str:
    """Run a client; what is wrong with its answer, empty when it is the expected one."""
    question, target = folder / f"{client.name}.request.json", folder / f"{client.name}.json"
    question.write_text(json.dumps(request, ensure_ascii=False), "utf-8")
    command = [str(python), str(client.path), str(question), str(target)]
    # The client must not find Yishu, so neither the path nor the environment of this process.
    world = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, capture_output=True, text=True, env=world)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it failed"
    answer = json.loads(target.read_text("utf-8"))
    return "" if answer == expected else f"it answered {answer}, expected {expected}"


def outcomes(chosen: list[Client]) -> Iterator[Outcome]:
    """Set each stage up once and ask its clients, one after another."""
    for name in sorted({client.stage for client in chosen}):
        with tempfile.TemporaryDirectory(prefix="yishu-interop-") as place:
            folder = Path(place)
            with staged(name, folder) as (request, expected):
                for client in (one for one in chosen if one.stage == name):
                    if client.absent:
                        yield Outcome(client.name, skipped=client.absent)
                        continue
                    python = python_of(client.environment)
                    yield Outcome(client.name, ask(client, python, folder, request, expected))


def lock() -> None:
    """Resolve every environment again, with the project's own rules for locks."""
    sys.path.insert(0, str(HERE.parent / "tools"))
    from lock import OPTIONS, index_settings

    with tempfile.TemporaryDirectory(prefix="yishu-lock-") as place:
        subprocess.run([sys.executable, *_QUIET, "--target", place, "uv"], check=True)
        for source in sorted((HERE / "environments").glob("*.in")):
            target = source.with_suffix(".txt")
            command = [f"{place}/bin/uv", "pip", "compile", "--quiet", *OPTIONS]
            subprocess.run(
                [*command, "--output-file", target, source],
                check=True,
                env={**os.environ, **index_settings()},
            )
            print(f"{target.relative_to(HERE.parent)} is written")


def main() -> int:
    """Run what the command line asks for; 1 when a client disagrees."""
    parser = argparse.ArgumentParser(prog="make interop", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    known = clients()
    names = [client.name for client in known]
    parser.add_argument("--only", nargs="+", choices=names, help="these clients instead of all")
    parser.add_argument("--lock", action="store_true", help="resolve the environments and stop")
    asked = parser.parse_args()
    if asked.lock:
        lock()
        return 0
    bad = 0
    for found in outcomes([one for one in known if not asked.only or one.name in asked.only]):
        bad += bool(found.fault)
        word = "DIFFERS" if found.fault else "skipped" if found.skipped else "agrees"
        print(f"{found.client:20}{word:10}{found.fault or found.skipped}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
