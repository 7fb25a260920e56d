"""Long-running child processes: one pid file, one log, and a sure end for each.

A child gets a session of its own, so that Ctrl-C in the terminal reaches only who started it. The
pid file holds the start time too: a pid that was given to another process is never touched.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil  # type: ignore[import-untyped]

_START_TOLERANCE_SECONDS = 1.0
"""Clock ticks are coarse; a pid is not used again within a second."""


@dataclass(frozen=True)
class Processes:
    """The child processes of one installation.

    Attributes:
        run_dir: Where pid files are.
        log_dir: Where each child's output is, ``<name>.log``.
    """

    run_dir: Path
    log_dir: Path

    def log(self, name: str) -> Path:
        """Where a child's output is."""
        return self.log_dir / f"{name}.log"

    def start(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> int:
        """Start a child unless it runs already; its pid."""
        running = self.find(name)
        if running is not None:
            return int(running.pid)
        self.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.new_log(name) as output:
            child = subprocess.Popen(  # noqa: S603  our own interpreter, fixed arguments
                argv,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = psutil.Process(child.pid).create_time()
        self._pid_file(name).write_text(json.dumps({"pid": child.pid, "started": started}))
        return child.pid

    def new_log(self, name: str) -> BinaryIO:
        """Begin a log, readable by its owner only; the one before is kept as ``<name>.log.1``."""
        self.log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log(name).exists():
            self.log(name).replace(self.log_dir / f"{name}.log.1")
        descriptor = os.open(self.log(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "wb")

    def find(self, name: str) -> psutil.Process | None:
        """The running child of that name; None when there is none."""
        try:
            kept = json.loads(self._pid_file(name).read_text("utf-8"))
            process = psutil.Process(kept["pid"])
            same = abs(process.create_time() - kept["started"]) < _START_TOLERANCE_SECONDS
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, KeyError, psutil.Error):
            return None
        return process if same and alive else None

    def names(self) -> list[str]:
        """Names of all children that have a pid file, running or not."""
        return sorted(path.stem for path in self.run_dir.glob("*.pid"))

    def stop(self, names: Sequence[str], grace_seconds: float) -> None:
        """End children and all that they started; whoever ignores the request is killed."""
        asked = [process for name in names if (process := self.find(name))]
        tree = {child for process in asked for child in _descendants(process)}
        for process in asked:
            _signal(process, kill=False)
        deadline = time.monotonic() + grace_seconds
        _, alive = psutil.wait_procs([*asked, *tree], timeout=grace_seconds)
        late = {child for process in alive for child in _descendants(process)}
        for process in {*alive, *late}:
            _signal(process, kill=True)
        psutil.wait_procs([*alive, *late], timeout=max(1.0, deadline - time.monotonic()))
        for name in names:
            self._pid_file(name).unlink(missing_ok=True)

    def tail(self, name: str, lines: int = 20) -> str:
        """The last lines of a child's output."""
        try:
            text = self.log(name).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return "(no output)"
        return "\n".join(text.splitlines()[-lines:])

    def _pid_file(self, name: str) -> Path:
        return self.run_dir / f"{name}.pid"


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = process.children(recursive=True)
    except psutil.Error:
        return []
    return found


def _signal(process: psutil.Process, *, kill: bool) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill() if kill else process.terminate()
