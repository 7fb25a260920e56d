"""Run an entry and its subject in a process of their own that may be killed; see test_kills.

``kill_before`` names a file: the process kills itself when that file is about to be put in place.
"""

import os
import signal
import sys
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


if task.get("kill_before"):
    sys.addaudithook(kill_before)
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
