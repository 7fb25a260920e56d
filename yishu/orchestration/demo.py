"""The whole city once, through Airflow's real scheduler: nothing is called past it.

    result = run(settings, build_city, say)     # safe to repeat; Airflow stays up afterwards
    stop(settings)                              # ends every process that was started
    clean(settings)                             # and removes what was made

A newly published entry is pulled by its own schedule at once. When the demo is repeated, the same
DAGs are triggered through Airflow's API, as an engineer would.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.faults import CatalogFaults
from catalog.load import load_catalog
from catalog.release import Release, compile_release, write_release
from yishu.embedded import EmbeddedPostgres, embedded_postgres, ledger_url
from yishu.governance import publication
from yishu.governance.candidate import load_rules
from yishu.ledger import migrate
from yishu.orchestration import services, watch
from yishu.orchestration.environment import USER, password, password_file
from yishu.orchestration.errors import DiskFull, NotADemo
from yishu.orchestration.processes import Processes
from yishu.orchestration.rest import AirflowApi, DagRun
from yishu.settings import Settings, project_root

MINIMUM_FREE_BYTES = 2 * 1024**3
"""Airflow's database, the city at 50 thousand entities and its library take about half of it."""

_MARK = "demo"
_STOP_SECONDS = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class World:
    """What the builder of the city gets.

    Attributes:
        postgres: The running embedded server.
        children: Starts services of the city (a REST system) that ``stop`` ends again.
        say: Tells the person who waits what is done now.
    """

    settings: Settings
    postgres: EmbeddedPostgres
    children: Processes
    say: Say


@dataclass(frozen=True)
class DemoResult:
    """What the demo did.

    Attributes:
        url: Where Airflow's UI is.
        user: Who signs in there.
        password_file: Where that user's password is; it is never printed into a log.
        release_id: The catalog release that ran.
        entries: The run of each entry that the demo waited for, by entry id.
        subjects: The last run of each subject, by subject id.
        released: The run that released the library; None where there was nothing to release.
        seconds: How long each step took, by its name, in order.
    """

    url: str
    user: str
    password_file: Path
    release_id: str
    entries: Mapping[str, DagRun]
    subjects: Mapping[str, DagRun]
    released: DagRun | None
    seconds: Mapping[str, float]

    @property
    def failed(self) -> tuple[DagRun, ...]:
        """Runs that ended badly; Airflow's UI shows their logs."""
        runs = [*self.entries.values(), *self.subjects.values()]
        runs += [self.released] if self.released else []
        return tuple(run for run in runs if run.state != "success")


def run(
    settings: Settings,
    build_city: Callable[[World], None],
    say: Say,
    *,
    show: Callable[[watch.Progress], None] = lambda _: None,
    port: int | None = None,
    portal_url: Callable[[], str | None] = lambda: None,
) -> DemoResult:
    """Build the city, publish its catalog, start Airflow and wait until all of it is published.

    Args:
        settings: Places of the demo; ``var_dir`` must be empty or of an earlier demo.
        build_city: Makes the department systems and their connections; called once, idempotent.
        say: Told each step in a few words.
        show: Told how far the runs are, about once a second.
        port: Port of Airflow's UI; None takes the first free one from 8080.
        portal_url: Where the portal will be, to which Airflow's pages lead.

    Raises:
        NotADemo: ``var_dir`` holds an installation that no demo made.
        DiskFull: too little free disk.
        OrchestrationError: Airflow did not start, or died; what it left running is stopped.
    """
    _mark(settings)
    _require_disk(settings)
    settings = settings.model_copy(update={"portal_url": portal_url()})
    clock = _StopWatch()
    try:
        say("Starting the embedded PostgreSQL")
        postgres = _start_postgres(settings)
        clock.lap("database")
        say("Building the department systems of the city")
        build_city(World(settings, postgres, services.processes(settings), say))
        clock.lap("city")
        say("Publishing the catalog release")
        release = _publish(settings, datetime.now(UTC))
        clock.lap("release")
        url = services.start(settings, services.airflow_url(settings), port=port, progress=say)
        clock.lap("airflow")
        say(f"Running {len(release.entries)} entries; Airflow's UI is at {url}")
        outcome = watch.until_published(
            AirflowApi(url, USER, password(settings)),
            release,
            since=clock.began,
            alive=lambda: services.require_alive(settings),
            show=show,
        )
        clock.lap("runs")
    except BaseException:
        # Half a city that keeps running behind an error message would only confuse.
        say("Stopping what was started")
        stop(settings)
        raise
    return _result(settings, url, release, outcome, clock.laps)


def _result(
    settings: Settings,
    url: str,
    release: Release,
    outcome: watch.Outcome,
    seconds: Mapping[str, float],
) -> DemoResult:
    return DemoResult(
        url=url,
        user=USER,
        password_file=password_file(settings),
        release_id=release.id,
        **vars(outcome),
        seconds=seconds,
    )


def stop(settings: Settings) -> None:
    """End Airflow, the services of the city and the embedded database; nothing is left running."""
    children = services.processes(settings)
    services.stop(settings)
    children.stop(children.names(), _STOP_SECONDS)
    if settings.postgres_dir.exists():
        embedded_postgres(settings).stop()


def clean(settings: Settings) -> None:
    """Stop everything and remove all that the demo made; what was there before it stays.

    Raises:
        NotADemo: ``var_dir`` holds files and no demo was ever run there; nothing is touched.
    """
    mark = settings.var_dir / _MARK
    if not settings.var_dir.exists():
        return
    if not mark.exists():
        found = ", ".join(sorted(path.name for path in settings.var_dir.iterdir()))
        if found:
            raise _not_a_demo(settings, found)
    stop(settings)
    before = mark.read_text("utf-8").splitlines()[1:] if mark.exists() else []
    if mark.exists() and settings.connections_path.is_relative_to(settings.var_dir):
        settings.connections_path.unlink(missing_ok=True)  # There was none before the demo.
    for path in settings.var_dir.iterdir():
        # The mark goes last, so that a removal that was killed can be repeated.
        if path.name not in (*before, _MARK):
            _remove(path)
    mark.unlink(missing_ok=True)
    if not before:
        settings.var_dir.rmdir()


def publish_catalog(settings: Settings, now: datetime) -> Release:
    """Publish the catalog's rule files as the release in force.

    Raises:
        CatalogFaults: the rule files have faults.
    """
    catalog, faults = load_catalog(settings.catalog_dir)
    if faults:
        raise CatalogFaults.of(str(settings.catalog_dir), faults)
    return write_release(settings.releases_dir, compile_release(catalog, now.date()))


def _publish(settings: Settings, now: datetime) -> Release:
    """Publish what the ledger has, once the entries are taken over; at first the rule files."""
    engine = create_engine(make_url(ledger_url(settings)).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        is_adopted = publication.has_published(connection)
    if not is_adopted:
        return publish_catalog(settings, now)
    place = publication.Place(engine, settings, lambda _: False)
    return publication.write(place, load_rules(settings.catalog_dir, now.date()), now).release


def _start_postgres(settings: Settings) -> EmbeddedPostgres:
    postgres = embedded_postgres(settings)
    if postgres.start():
        services.stop(settings)  # An Airflow without its database is of no use.
    migrate.upgrade(ledger_url(settings))
    return postgres


def _mark(settings: Settings) -> None:
    """Make the folder a demo's; what commands that only look or release left there is no hindrance.

    The names of what was there before are kept in the mark, so that `clean` leaves it alone.
    """
    mark = settings.var_dir / _MARK
    if mark.exists():
        return
    owned = (settings.library_dir, settings.landing_dir, settings.postgres_dir)
    found = sorted(path.name for path in owned if path.exists())
    # The demo would write its own connections over those of an installation.
    if settings.connections_path.exists():
        found.append(settings.connections_path.name)
    if found:
        raise _not_a_demo(settings, ", ".join(found))
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    before = sorted(path.name for path in settings.var_dir.iterdir())
    told = f"Made by the demo of {project_root()}; removed by its --clean, but for what is below.\n"
    mark.write_text(told + "".join(f"{name}\n" for name in before), "utf-8")


def _not_a_demo(settings: Settings, found: str) -> NotADemo:
    return NotADemo(
        str(settings.var_dir),
        found=f"{found}, which no demo made",
        expected="an empty folder, or that of an earlier demo",
        remedy="set YISHU_VAR_DIR to another folder; nothing was touched",
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _require_disk(settings: Settings) -> None:
    free = shutil.disk_usage(settings.var_dir).free
    if free < MINIMUM_FREE_BYTES:
        raise DiskFull(
            str(settings.var_dir),
            found=f"{free // 1024**2} MB free",
            expected=f"at least {MINIMUM_FREE_BYTES // 1024**2} MB",
            remedy="free some disk, or set YISHU_VAR_DIR to a folder on another one",
        )


class _StopWatch:
    """Seconds between the steps."""

    def __init__(self) -> None:
        self.began = datetime.now(UTC)
        self.laps: dict[str, float] = {}
        self._last = self.began

    def lap(self, name: str) -> None:
        now = datetime.now(UTC)
        self.laps[name] = (now - self._last).total_seconds()
        self._last = now
