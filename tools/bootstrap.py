"""Make .venv and install the locked packages and the project into it: ``make setup``.

Standard library only, because it runs before anything is installed. Doing nothing is the common
case: a stamp inside .venv says which lock, project file and Python it was made from.

Packages come from wherever pip is configured to look. A folder of wheels (``YISHU_WHEELHOUSE``,
or ``wheelhouse/`` beside this project, as the bundle has it) is used instead, and alone, if there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".yishu-stamp"
LOCK = ROOT / "requirements" / "lock.txt"
STAMPED = (LOCK, ROOT / "requirements" / "runtime.in", ROOT / "pyproject.toml")

OLDEST, NEWEST = (3, 11), (3, 13)
#: Measured: .venv takes 1.3 GB; pip unpacks one package at a time beside it.
NEEDED_GB = 2.0
#: Seconds between two lines of progress.
HEARTBEAT = 10.0


class SetupError(Exception):
    """Setup cannot go on; the message says what to do."""


def main() -> int:
    """Bring .venv up to date; 0 when it is."""
    try:
        if stamp_is_current():
            return 0
        reexec_on_supported_python()
        setup()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


def setup() -> None:
    """Create or complete .venv, then stamp it."""
    started = time.monotonic()
    check_disk()
    wheels = wheelhouse()
    STAMP.unlink(missing_ok=True)
    ensure_venv(wheels)
    count = sum(1 for line in LOCK.read_text("utf-8").splitlines() if "==" in line.split("#")[0])
    where = f"from {wheels}, no network" if wheels else "from where pip is configured to look"
    say(f"installing up to {count} packages {where}; first time 1 to 5 minutes")
    offline = ["--no-index", "--find-links", str(wheels)] if wheels else []
    pip("install", *offline, "--require-hashes", "--requirement", str(LOCK))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(fingerprint(), "utf-8")
    say(f"ready in {time.monotonic() - started:.0f} s: {VENV}")


def fingerprint() -> str:
    """Digest of everything that .venv was made from: locks, project file, Python, its own place."""
    digest = hashlib.sha256()
    for path in STAMPED:
        digest.update(path.read_bytes())
    digest.update(str(VENV).encode())
    digest.update(venv_python_version().encode())
    return digest.hexdigest()


def venv_python_version() -> str:
    """Version written in .venv's own record, so that no process has to be started to ask."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return "none"
    return next((line for line in lines if line.startswith("version")), "unknown")


def stamp_is_current() -> bool:
    """Whether .venv was made from exactly what is here now."""
    try:
        return VENV_PYTHON.exists() and STAMP.read_text("utf-8") == fingerprint()
    except OSError:
        return False


def reexec_on_supported_python() -> None:
    """Go on under another Python when this one is too old or too new.

    Raises:
        SetupError: no supported Python is on the PATH.
    """
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and runs(other):
            say(f"this is Python {sys.version.split()[0]}; going on with {other}")
            os.execv(other, [other, __file__, *sys.argv[1:]])  # noqa: S606  a path from which()
    raise SetupError(
        f"found Python {sys.version.split()[0]}; expected 3.11, 3.12 or 3.13. Install one, e.g. "
        "`sudo apt-get install python3.11 python3.11-venv`, or name it: `make setup PYTHON=...`."
    )


def runs(python: str) -> bool:
    """Whether that interpreter starts; version managers leave stubs that do not."""
    command = [python, "-c", "import venv"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def check_disk() -> None:
    """Stop before half an installation.

    Raises:
        SetupError: less disk is free than an installation takes.
    """
    free = shutil.disk_usage(ROOT).free / 1e9
    needed = NEEDED_GB if not STAMP.exists() else NEEDED_GB / 4
    if free < needed:
        raise SetupError(
            f"found {free:.1f} GB free on the disk of {ROOT}; expected at least {needed:.1f} GB. "
            "Free some space and run `make setup` again."
        )


def wheelhouse() -> Path | None:
    """The folder of wheels to install from, if there is one.

    Raises:
        SetupError: ``YISHU_WHEELHOUSE`` names no folder.
    """
    named = os.environ.get("YISHU_WHEELHOUSE")
    if named and not Path(named).is_dir():
        raise SetupError(
            f"YISHU_WHEELHOUSE is {named}; expected a folder of wheels. Correct it or unset it."
        )
    folder = Path(named) if named else ROOT / "wheelhouse"
    return folder.resolve() if folder.is_dir() else None


def ensure_venv(wheels: Path | None) -> None:
    """Create .venv with a working pip in it, whatever this Python lacks.

    Debian ships Python without ensurepip: then virtualenv, a pip wheel of the wheelhouse, or a pip
    outside, in this order, does the work.

    Raises:
        SetupError: none of them is there.
    """
    if VENV_PYTHON.exists() and runs_pip():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    say(f"creating .venv with Python {sys.version.split()[0]}")
    attempts = [[sys.executable, "-m", "venv", str(VENV)]]
    virtualenv = shutil.which("virtualenv")
    if virtualenv:
        attempts.append([virtualenv, "--quiet", "--python", sys.executable, str(VENV)])
    attempts.append([sys.executable, "-m", "virtualenv", "--quiet", str(VENV)])
    for command in attempts:
        subprocess.run(command, check=False, capture_output=True)
        if runs_pip():
            return
        shutil.rmtree(VENV, ignore_errors=True)
    if not install_pip_without_ensurepip(wheels):
        shutil.rmtree(VENV, ignore_errors=True)
        major, minor = sys.version_info[:2]
        raise SetupError(
            f"found a Python {major}.{minor} without ensurepip, as Debian ships it; expected a way "
            f"to make a virtual environment. Install one: `sudo apt-get install "
            f"python{major}.{minor}-venv` (or `virtualenv`), then run `make setup` again."
        )


def install_pip_without_ensurepip(wheels: Path | None) -> bool:
    """Put pip into a bare .venv from a wheel, or by a pip outside; whether it runs then."""
    bare = [sys.executable, "-m", "venv", "--without-pip", str(VENV)]
    if subprocess.run(bare, check=False, capture_output=True).returncode != 0:
        return False
    wheel = next(iter(sorted(wheels.glob("pip-*.whl"))), None) if wheels else None
    if wheel:
        found = ["--no-index", "--find-links", str(wheel.parent)]
        command = [str(VENV_PYTHON), f"{wheel}/pip", "install", "--quiet", *found, "pip"]
    else:
        outside = [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]
        command = [*outside, "install", "--quiet", "pip"]
    subprocess.run(command, check=False, capture_output=True)
    return runs_pip()


def runs_pip() -> bool:
    """Whether .venv's Python starts and has pip."""
    if not VENV_PYTHON.exists():
        return False
    command = [str(VENV_PYTHON), "-m", "pip", "--version"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def pip(verb: str, *arguments: str) -> None:
    """Run .venv's pip, with a line of progress now and then.

    Raises:
        SetupError: pip failed; its own words are on the terminal above.
    """
    quiet = ["--quiet", "--progress-bar", "off", "--disable-pip-version-check"]
    command = [str(VENV_PYTHON), "-m", "pip", verb, *quiet, *arguments]
    process = subprocess.Popen(command)
    started = time.monotonic()
    while True:
        try:
            code = process.wait(timeout=HEARTBEAT)
            break
        except subprocess.TimeoutExpired:
            done = sum(1 for _ in VENV.glob("lib/python3*/site-packages/*.dist-info"))
            say(f"  {time.monotonic() - started:4.0f} s: {done} packages unpacked")
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if code:
        raise SetupError(
            f"pip {verb} failed with code {code}; its message is above. Without a way to a package "
            "index, use the bundle: docs/how-to/install-without-internet.md. Running `make setup` "
            "again goes on where it stopped."
        )


def say(text: str) -> None:
    """One line of progress, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
