"""Run one pull by changes in a process of its own that may be killed; see test_backfill."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

task = globals()["task"]
sys.path.insert(0, str(Path(task["tests"])))

import changing  # noqa: E402


def kill_before(event: str, args: tuple) -> None:
    """Kill this process when the named file is about to be renamed into place."""
    if event == "os.rename" and Path(os.fsdecode(args[1])).name == task["kill_before"]:
        os.kill(os.getpid(), signal.SIGKILL)


if task.get("kill_before"):
    sys.addaudithook(kill_before)
department = changing.Department.__new__(changing.Department)
department.path = Path(task["department"])
bureau = changing.Bureau(Path(task["bureau"]), department, changing.entry_of(changing.INCREMENTAL))
bureau.now = datetime.fromisoformat(task["now"])
bureau.pull_again(task["run_id"])
bureau.publish(task["run_id"])
