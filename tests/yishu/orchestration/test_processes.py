"""Child processes: started once, found again, and ended with all that they started."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from yishu.orchestration.processes import Processes

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN_PARENT = [
    sys.executable,
    "-c",
    """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
""",
]


@pytest.fixture
def children(tmp_path: Path) -> Processes:
    return Processes(tmp_path / "run", tmp_path / "logs")


def wait_for_output(children: Processes, name: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if text := children.log(name).read_text():
            return text
        time.sleep(0.05)
    raise AssertionError("no output")


def test_a_child_that_runs_is_not_started_twice(children: Processes, tmp_path: Path) -> None:
    first = children.start("one", SLEEP, os.environ, tmp_path)
    again = children.start("one", SLEEP, os.environ, tmp_path)
    children.stop(["one"], 5)

    assert first == again
    assert not psutil.pid_exists(first) or psutil.Process(first).status() == "zombie"
    assert children.find("one") is None


def test_a_child_that_ignores_the_request_is_killed_with_all_it_started(
    children: Processes, tmp_path: Path
) -> None:
    children.start("one", STUBBORN_PARENT, os.environ, tmp_path)
    grandchild = int(wait_for_output(children, "one"))

    children.stop(["one"], 0.5)

    assert children.find("one") is None
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == "zombie"


def test_a_pid_that_belongs_to_another_process_now_is_left_alone(
    children: Processes, tmp_path: Path
) -> None:
    children.run_dir.mkdir()
    (children.run_dir / "one.pid").write_text(f'{{"pid": {os.getpid()}, "started": 1.0}}')

    children.stop(["one"], 0.5)

    assert psutil.pid_exists(os.getpid())
    assert children.names() == []


def test_logs_are_their_owners_only_and_the_last_one_is_kept(
    children: Processes, tmp_path: Path
) -> None:
    for text in ("first", "second"):
        children.start("one", [sys.executable, "-c", f"print('{text}')"], os.environ, tmp_path)
        assert text in wait_for_output(children, "one")
        children.stop(["one"], 5)

    assert (children.log_dir / "one.log.1").read_text() == "first\n"
    assert children.tail("one") == "second"
    assert children.log("one").stat().st_mode & 0o777 == 0o600


def test_the_tail_of_a_log_that_is_not_there_says_so(children: Processes) -> None:
    assert children.tail("nobody") == "(no output)"
