"""One archive that installs without a network, and the proof that it does: ``make bundle``.

The archive holds the project's committed files and a wheelhouse: every wheel that
requirements/lock.txt pins, for the Python and the platform that build it. The set-up script that
every checkout uses installs from it. ``test`` unpacks it in an empty folder and installs it in a
network namespace of its own, where nothing can be reached, and does the first work there.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
LOCK = ROOT / "requirements" / "lock.txt"
HEAVY = ("airflow", "great_expectations", "adbc_driver_postgresql", "deltalake", "duckdb")
"""Packages of many parts: a wheel that is missing or does not fit shows when they are imported."""
INSTALL = """#!/bin/sh
# Install Yishu from this folder alone; no network is used. Then: .venv/bin/yishu --help
set -eu
cd "$(dirname "$0")"
fitting=$(command -v python@VERSION@ || echo python3)
exec "${PYTHON:-$fitting}" tools/bootstrap.py
"""


def name() -> str:
    """Name of the bundle: version, Python and platform, since its wheels fit only those."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"yishu-{project['version']}-{python}-{platform.system().lower()}_{platform.machine()}"


def build() -> Path:
    """Write the archive to dist/; gives its path.

    Raises:
        RuntimeError: a security policy does not hold; nothing was written.
    """
    require_security()
    started = time.monotonic()
    DIST.mkdir(exist_ok=True)
    wheels = DIST / "wheelhouse"
    download_wheels(wheels)
    with tempfile.TemporaryDirectory(prefix="yishu-bundle-") as place:
        top = Path(place) / name()
        top.mkdir()
        export_commit(top)
        installer = top / "install.sh"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        installer.write_text(INSTALL.replace("@VERSION@", version), "utf-8")
        installer.chmod(0o755)
        archive = DIST / f"{name()}.tar.gz"
        partial = archive.with_suffix(".part")
        # Wheels are compressed already: more effort would cost minutes and save nothing.
        with tarfile.open(partial, "w:gz", compresslevel=1) as tar:
            tar.add(top, arcname=top.name)
            tar.add(wheels, arcname=f"{top.name}/wheelhouse")
        partial.replace(archive)
    size = archive.stat().st_size / 1e6
    print(f"bundle: {archive.relative_to(ROOT)}, {size:.0f} MB, {time.monotonic() - started:.0f} s")
    return archive


def require_security() -> None:
    """Let only a tree be released whose security policies hold (S004 Art.34).

    Raises:
        RuntimeError: one does not.
    """
    gate = Path(__file__).with_name("security.py")
    if subprocess.run([sys.executable, str(gate), str(ROOT)], check=False).returncode:
        raise RuntimeError("a security policy does not hold: no bundle is made; see above")


def download_wheels(wheels: Path) -> None:
    """Bring the wheelhouse up to date; wheels that are there and whole are not fetched again."""
    fresh = wheels.with_name("wheelhouse.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    print("bundle: collecting wheels", flush=True)
    quiet = ["--quiet", "--progress-bar", "off", "--disable-pip-version-check"]
    exact = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    near = ["--find-links", str(wheels)] if wheels.exists() else []
    command = [sys.executable, "-m", "pip", "download", *quiet, *exact, *near]
    subprocess.run([*command, "--dest", str(fresh), "--requirement", str(LOCK)], check=True)
    shutil.rmtree(wheels, ignore_errors=True)
    fresh.replace(wheels)


def export_commit(target: Path) -> None:
    """Unpack what is committed; a bundle never holds somebody's unfinished work."""
    command = ["git", "-C", str(ROOT), "archive", "--format=tar", "HEAD"]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            tar.extractall(target, filter="data")


def test() -> dict[str, object]:
    """Install the archive in an empty folder with networking off; gives what was measured.

    Raises:
        subprocess.CalledProcessError: the installation or the installed command failed.
        RuntimeError: the installed command does not show its usage.
    """
    archive = DIST / f"{name()}.tar.gz"
    with tempfile.TemporaryDirectory(prefix="yishu-bundle-test-") as place:
        with tarfile.open(archive) as tar:
            tar.extractall(place, filter="data")
        top = Path(place) / name()
        prefix, isolation = no_network()
        started = time.monotonic()
        run([*prefix, "./install.sh"], top)
        seconds = time.monotonic() - started
        first_work(prefix, top)
        installed = sum(path.stat().st_size for path in top.rglob("*") if path.is_file())
    return {
        "archive_mb": round(archive.stat().st_size / 1e6),
        "installed_mb": round(installed / 1e6),
        "install_seconds": round(seconds),
        "isolation": isolation,
    }


def first_work(prefix: Sequence[str], top: Path) -> None:
    """What somebody does first with the installed bundle, still without a network.

    Raises:
        subprocess.CalledProcessError: a command failed.
        RuntimeError: a command does not say what it should.
    """
    yishu = [*prefix, ".venv/bin/yishu"]
    variables = {"YISHU_VAR_DIR": str(top / "var-of-the-test")}
    for arguments, expected in (
        (["--help"], "Usage"),
        (["catalog", "check"], "no fault"),
        (["catalog", "release", "--json"], '"entries"'),
    ):
        shown = run([*yishu, *arguments], top, variables)
        if expected not in shown:
            said = f"yishu {' '.join(arguments)} said {shown[:200]!r}"
            raise RuntimeError(f"{said}; expected {expected!r} in it")
    if not (top / "var-of-the-test" / "releases" / "current").exists():
        raise RuntimeError("yishu catalog release wrote no release")
    imports = f"import {', '.join(HEAVY)}"
    # Airflow writes its home when it is imported: it stays in the folder that is removed.
    home = {"AIRFLOW_HOME": str(top / "var-of-the-test" / "airflow")}
    run([*prefix, ".venv/bin/python", "-c", imports], top, {**variables, **home})


def no_network() -> tuple[list[str], str]:
    """Command prefix that takes the network away, and what it does in words.

    Where namespaces are not allowed, pip alone is cut off: it gets no index.
    """
    for prefix in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        probe = [*prefix, "true"]
        if (
            shutil.which("unshare")
            and subprocess.run(probe, check=False, capture_output=True).returncode == 0
        ):
            return prefix, "network namespace without interfaces"
    return [], "pip without index"


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run in the unpacked bundle with nobody's pip configuration; gives the standard output.

    Args:
        command: What to run.
        folder: Where to run it.
        variables: Added to the environment.
    """
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "HOME") if key in os.environ}
    python = f"{sys.base_prefix}/bin/python3"
    env = {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PYTHON": python}
    env |= variables or {}
    done = subprocess.run(command, check=False, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-3000:], done.stderr[-3000:], file=sys.stderr)
        done.check_returncode()
    return done.stdout


def main() -> int:
    """``build`` or ``test``."""
    if sys.argv[1:] == ["build"]:
        try:
            build()
        except RuntimeError as error:
            print(f"bundle: {error}", file=sys.stderr)
            return 1
    elif sys.argv[1:] == ["test"]:
        try:
            print(f"bundle-test: {json.dumps(test())}")
        except (subprocess.CalledProcessError, RuntimeError) as error:
            print(f"bundle-test: {error}", file=sys.stderr)
            return 1
    else:
        print("usage: bundle.py build|test", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
