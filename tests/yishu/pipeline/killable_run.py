"""Run an entry and its subject in a process of their own that may be killed; see test_kills.

``kill_before`` names a file: the process kills itself when that file is about to be put in place.
``kill_at`` is a number of steps and of seconds: it kills itself so long after the step that it has
come to, whatever it is doing then. A step is a touch of the file system; ``steps`` names a file
that is told how many there were.
"""

import itertools
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

from catalog.release import current_release
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_subject, run_validate
from yishu.settings import Settings
from yishu.sources.protocol import Connection

task = globals()["task"]


def kill_before(event: str, args: tuple) -> None:
    """Kill this process when the named file is about to be renamed into place."""
    if event == "os.rename" and Path(os.fsdecode(args[1])).name == task["kill_before"]:
        os.kill(os.getpid(), signal.SIGKILL)


counted = itertools.count(1)


def count_steps(event: str, _: tuple) -> None:
    """Count the step; at the one that was asked for let a kill be under way."""
    if event == "open" or event.startswith("os."):
        number, (deadly, delay) = next(counted), task.get("kill_at", (0, 0))
        if number == deadly:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()


sys.addaudithook(kill_before if task.get("kill_before") else count_steps)
release = current_release(Path(task["releases"]))
spec = release.entry(task["entry"]).source
context = PipelineContext(
    Settings(var_dir=Path(task["var_dir"])),
    release,
    task["ledger"],
    {spec.connection: Connection(spec.connection, spec.kind, task["url"])},
    lambda: datetime.fromisoformat(task["now"]),
)
for stage in (run_pull, run_validate, run_publish):
    stage(task["entry"], task["run_id"], context)
run_subject(task["subject"], task["run_id"], context)
if task.get("steps"):
    Path(task["steps"]).write_text(str(next(counted) - 1))
