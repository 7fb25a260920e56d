"""Resolve requirements/*.in into lock files with hashes: ``make lock``.

``lock.txt`` is what the project runs and is tested on, ``bench-lock.txt`` what it is compared with.
Each serves Python 3.11 to 3.13 on every Linux, through environment markers. The resolver (uv) is
fetched into a temporary environment by pip, from wherever pip is configured to look; what comes out
names no index and no host, so that it fits any mirror.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "requirements/dev.in": "requirements/lock.txt",
    "requirements/bench.in": "requirements/bench-lock.txt",
}
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--system-certs",
)


def index_settings() -> Mapping[str, str]:
    """Where pip looks, in the resolver's own terms; empty when pip has only its default."""
    shown = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    pairs = (line.split("=", 1) for line in shown.splitlines() if "=" in line)
    found = {name.split(".", 1)[-1]: value.strip("'") for name, value in pairs}
    return {"UV_DEFAULT_INDEX": found["index-url"]} if "index-url" in found else {}


def main() -> int:
    """Write the locks anew; versions that still fit stay as they are."""
    with tempfile.TemporaryDirectory(prefix="yishu-lock-") as place:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--target", place, "uv"], check=True)
        command = [str(Path(place) / "bin" / "uv"), "pip", "compile", "--quiet", *OPTIONS]
        for source, lock in LOCKS.items():
            asked = [*command, *sys.argv[1:], "--output-file", lock, source]
            subprocess.run(asked, check=True, cwd=ROOT, env={**os.environ, **index_settings()})
            print(f"{lock} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
