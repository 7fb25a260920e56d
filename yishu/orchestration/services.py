"""Airflow on one machine: scheduler, DAG processor and API server as child processes.

The triggerer is started only when an entry of the release waits for its deliveries: no other task
is deferred. The log servers of scheduler and triggerer are not: the API server reads the tasks'
logs from the same disk.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from sqlalchemy import NullPool, create_engine, inspect

from catalog.errors import ReleaseDamaged
from catalog.release import NoRelease, current_file, load_release
from yishu import ports
from yishu.embedded import embedded_postgres
from yishu.orchestration.environment import airflow_environment, base_url
from yishu.orchestration.errors import ComponentFailed, NotReady, PortTaken
from yishu.orchestration.processes import Processes
from yishu.orchestration.rest import AirflowApi
from yishu.settings import Settings, project_root

COMPONENTS = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "api-server": ("api-server", "--workers", "1"),
}
"""What runs always, and with which arguments of the ``airflow`` command."""

TRIGGERER = {"triggerer": ("triggerer", "--skip-serve-logs")}
"""What waits for deliveries."""

AIRFLOW_DATABASE = "airflow"
FIRST_PORT = 8080
_PORTS_TRIED = 50
_READY_SECONDS = 120.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class ComponentStatus:
    """One process of Airflow; ``pid`` is None when it does not run."""

    name: str
    pid: int | None
    log: Path


def components(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What runs for the release in force."""
    try:
        waits = _has_waits(current_file(settings.releases_dir))
    except (NoRelease, ReleaseDamaged):
        return COMPONENTS
    return COMPONENTS | TRIGGERER if waits else COMPONENTS


@lru_cache(maxsize=1)
def _has_waits(file: Path) -> bool:
    # A release never changes, and this is asked again and again while a run is watched.
    return any(entry.source.arrival is not None for entry in load_release(file).entries.values())


def processes(settings: Settings) -> Processes:
    """Where the pid files and logs of Airflow's processes are."""
    return Processes(settings.var_dir / "run", settings.var_dir / "logs")


def start(
    settings: Settings,
    database_url: str,
    *,
    port: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> str:
    """Start what does not run yet and wait until all of it is ready; the URL of Airflow's UI.

    The current release is announced as well.

    Args:
        settings: Places and secrets of this installation.
        database_url: SQLAlchemy URL of Airflow's own database, ``postgresql+psycopg://...``.
        port: Port of UI and API; None takes the one of the last start or the first free one.
        progress: Told in a few words what is done now.

    Raises:
        PortTaken: the port asked for, or every port tried, is taken.
        ComponentFailed: a process ended; the error carries the end of its log.
        NotReady: something is still not ready after two minutes.
    """
    children = processes(settings)
    wanted = components(settings)
    running = [name for name in wanted if children.find(name)]
    if len(running) < len(wanted):
        # They must agree on port and secrets, so a half-running Airflow is started anew.
        children.stop(running, _STOP_SECONDS)
        port = _choose_port(settings, port)
        environment = airflow_environment(settings, database_url, port, os.environ)
        progress("Preparing Airflow's database")
        _run("db-migrate", ["-m", "airflow", "db", "migrate"], environment, children)
        progress("Starting Airflow")
        for name, arguments in wanted.items():
            argv = [sys.executable, "-m", "airflow", *arguments]
            children.start(name, argv, environment, project_root())
    announce_release(settings, database_url)
    url = ui_url(settings)
    _wait_until_ready(children, wanted, AirflowApi(url), progress)
    return url


def stop(settings: Settings) -> list[str]:
    """Stop Airflow and every task it runs; the names of what was running."""
    children = processes(settings)
    known = [*COMPONENTS, *TRIGGERER]
    running = [name for name in known if children.find(name)]
    children.stop(known, _STOP_SECONDS)
    return running


def status(settings: Settings) -> tuple[ComponentStatus, ...]:
    """What of Airflow runs and where its logs are."""
    children = processes(settings)
    found = {name: children.find(name) for name in components(settings)}
    return tuple(
        ComponentStatus(name, process.pid if process else None, children.log(name))
        for name, process in found.items()
    )


def announce_release(settings: Settings, database_url: str | None = None) -> bool:
    """Tell Airflow of a newly published release: its pools are made, its DAGs read at once.

    Args:
        settings: Places and secrets of this installation.
        database_url: Airflow's own database; None means the one that the settings name.

    Returns:
        False when there is no Airflow to tell: starting it announces the release as well.

    Raises:
        ComponentFailed: Airflow's database cannot be written.
    """
    if database_url is None:
        if not _is_prepared(settings):
            return False
        database_url = airflow_url(settings)
    environment = airflow_environment(settings, database_url, _kept_port(settings), os.environ)
    _run("announce", ["-m", "yishu.orchestration.announce"], environment, processes(settings))
    return True


def airflow_url(settings: Settings) -> str:
    """SQLAlchemy URL of Airflow's own database; it holds a password, so never log it.

    Unless the settings name another server, the embedded one is started and the database made.
    """
    if settings.airflow_database_url is not None:
        url = settings.airflow_database_url.get_secret_value()
    else:
        postgres = embedded_postgres(settings)
        postgres.start()
        url = postgres.ensure_database(AIRFLOW_DATABASE)
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def run_command(settings: Settings, arguments: Sequence[str]) -> NoReturn:
    """Become one command of Airflow, as this installation's Airflow would run it.

    It takes the place of this process, so whoever supervises this one supervises Airflow itself.
    """
    port = _kept_port(settings)
    environment = airflow_environment(settings, airflow_url(settings), port, os.environ)
    os.chdir(project_root())
    argv = [sys.executable, "-m", "airflow", *arguments]
    os.execve(sys.executable, argv, environment)  # noqa: S606  our own interpreter, no shell


def ui_url(settings: Settings) -> str:
    """Where Airflow's UI is, or was last."""
    return base_url(_kept_port(settings))


def require_alive(settings: Settings) -> None:
    """Make sure that every process of Airflow still runs.

    Raises:
        ComponentFailed: one has ended; the error carries the end of its log.
    """
    children = processes(settings)
    for name in components(settings):
        if children.find(name) is None:
            raise _died(name, children)


def _run(
    name: str, arguments: Sequence[str], environment: dict[str, str], children: Processes
) -> None:
    with children.new_log(name) as output:
        done = subprocess.run(  # noqa: S603  our own interpreter, fixed arguments
            [sys.executable, *arguments],
            env=environment,
            cwd=project_root(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise _died(name, children, f"exit code {done.returncode}")


def _died(name: str, children: Processes, found: str = "it is not running") -> ComponentFailed:
    return ComponentFailed(
        f"airflow {name}",
        found=f"{found}; its log ends with:\n{children.tail(name)}\n",
        expected="to run",
        remedy=f"mend what the log says ({children.log(name)}), then start again",
    )


def _wait_until_ready(
    children: Processes,
    wanted: Collection[str],
    api: AirflowApi,
    progress: Callable[[str], None],
) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    # A heartbeat of the time before says nothing about the processes that run now.
    since = datetime.fromtimestamp(_latest_start(children, wanted), UTC)
    missing: list[str] = []
    while time.monotonic() < deadline:
        for name in wanted:
            if children.find(name) is None:
                raise _died(name, children)
        missing = api.not_healthy(since, triggerer="triggerer" in wanted)
        if not missing:
            return
        progress(f"Waiting for {', '.join(missing)}")
        time.sleep(0.5)
    raise NotReady(
        "Airflow",
        found=f"after {_READY_SECONDS:.0f} s still not ready: {', '.join(missing)}",
        expected=f"{', '.join(wanted)} ready",
        remedy=f"see the logs in {children.log_dir}; on a busy machine start again",
    )


def _latest_start(children: Processes, wanted: Collection[str]) -> float:
    found = (children.find(name) for name in wanted)
    return max((process.create_time() for process in found if process), default=0.0)


def _choose_port(settings: Settings, asked: int | None) -> int:
    first = asked or _kept_port(settings)
    candidates = [first] if asked else [first, *range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED)]
    port = ports.claim(f"{settings.var_dir} airflow", candidates)
    if port is not None:
        _port_file(settings).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _port_file(settings).write_text(str(port), "ascii")
        return port
    raise PortTaken(
        "Airflow's UI",
        found=f"port {candidates[0]}{f' to {candidates[-1]}' if len(candidates) > 1 else ''} taken",
        expected="one free port on the loopback interface",
        remedy="end what listens there, or name another port",
    )


def _is_prepared(settings: Settings) -> bool:
    """Whether Airflow's own database is there to be told something."""
    if settings.airflow_database_url is None and embedded_postgres(settings).status() is None:
        return False
    engine = create_engine(airflow_url(settings), poolclass=NullPool, hide_parameters=True)
    return inspect(engine).has_table("slot_pool")


def _kept_port(settings: Settings) -> int:
    try:
        return int(_port_file(settings).read_text("ascii"))
    except (OSError, ValueError):
        return FIRST_PORT


def _port_file(settings: Settings) -> Path:
    return settings.var_dir / "run" / "airflow.port"
