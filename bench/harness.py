"""Run a command again and again and say how long it took and how much memory its tree held.

Memory is the peak of the summed PSS (proportional set size) of the command's process tree, so
pages that forks share are counted once; the source database is not part of that tree.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var" / "bench"
"""Where benchmarks write; each script empties its own folder in it."""

SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Options:
    """What the command line asks of every script.

    Attributes:
        size: The scale; each script says of what. None: the size of its claim.
        rounds: How often each contender runs.
        say: Told of progress, line by line.
    """

    size: int | None
    rounds: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Section:
    """What a script found, for a reader: a heading and Markdown below it."""

    title: str
    body: str


@dataclass(frozen=True)
class Run:
    """One run of a contender.

    Attributes:
        seconds: Wall time of the whole process, start and end included.
        cpu_seconds: Processor time of its tree, on all cores.
        peak_mb: Peak PSS of its tree.
        result: What its last line of output said, and what was found out about its result.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    result: Mapping[str, Any]

    @property
    def without_imports(self) -> float:
        """Wall seconds from the end of the imports to the end of the work, where it says them.

        Clearing away at the end what was imported is no part of them: a task of Airflow is a fork
        that does neither.
        """
        whole = self.seconds - self.result.get("imports", 0)
        return float(self.result.get("after_imports", whole))


@dataclass(frozen=True)
class Series:
    """All runs of one contender."""

    name: str
    runs: tuple[Run, ...]

    @property
    def median(self) -> float:
        """Median wall seconds."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def without_imports(self) -> float:
        """Median wall seconds of the work without imports."""
        return statistics.median(run.without_imports for run in self.runs)

    @property
    def cpu(self) -> float:
        """Median processor seconds."""
        return statistics.median(run.cpu_seconds for run in self.runs)

    @property
    def spread(self) -> str:
        """Fastest and slowest run in seconds."""
        times = [run.seconds for run in self.runs]
        return f"{min(times):.1f} to {max(times):.1f}"

    @property
    def peak_mb(self) -> float:
        """Largest peak of all runs, in MB."""
        return max(run.peak_mb for run in self.runs)


def measure(
    command: Sequence[str], env: Mapping[str, str] | None = None, *, tells: bool = True
) -> Run:
    """Run a command in the project's folder.

    Args:
        command: Program and arguments.
        env: Environment variables besides our own.
        tells: The last line of output is a JSON object about its result.

    Raises:
        SystemExit: it failed.
    """
    os.sync()  # so that it does not wait for what the one before it left to be written
    before = _cpu_of_children()
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}, text=True, cwd=ROOT
    )
    peak = _PeakSampler(process.pid)
    peak.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    peak_mb = peak.stop()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}")
    lines = output.strip().splitlines()
    cpu = _cpu_of_children() - before
    return Run(seconds, cpu, peak_mb, json.loads(lines[-1]) if tells else {})


def compare(contenders: Mapping[str, Callable[[int], Run]], options: Options) -> list[Series]:
    """Run every contender as often as asked, in turn, so that a noisy minute hits all alike.

    Args:
        contenders: By name, what runs one; it is told the number of the round, from 1.
        options: How many rounds, and whom to tell.
    """
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for number in range(1, options.rounds + 1):
        for name, run in contenders.items():
            runs[name].append(run(number))
            last = runs[name][-1]
            options.say(f"round {number}: {name} {last.seconds:.1f} s, {last.peak_mb:.0f} MB")
    return [Series(name, tuple(done)) for name, done in runs.items()]


def require_equal(series: Sequence[Series], fact: str) -> Any:
    """The fact, which is the same in every run of these contenders.

    Raises:
        SystemExit: it is not, so they did not do the same work.
    """
    said = {
        s.name: {json.dumps(run.result.get(fact), sort_keys=True) for run in s.runs} for s in series
    }
    every = set().union(*said.values())
    if len(every) != 1:
        lines = "\n".join(f"  {name}: {sorted(facts)}" for name, facts in said.items())
        raise SystemExit(f"not comparable, {fact} differs:\n{lines}")
    return json.loads(every.pop())


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; floats get one decimal."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def machine() -> str:
    """The machine in a line: processors, memory, system, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {sys.version.split()[0]}"
    )


class _PeakSampler(threading.Thread):
    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._peak = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, sum(map(_pss_kb, _tree(self._pid))))

    def stop(self) -> float:
        self._done.set()
        self.join()
        return self._peak / 1024


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text("ascii").split()
        except OSError:
            continue
        for child in children:
            found.extend(_tree(int(child)))
    return found


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0
