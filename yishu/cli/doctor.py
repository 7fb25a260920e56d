"""``yishu doctor``: what is running, what is missing, what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

import typer
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from catalog.errors import YishuError
from catalog.release import current_release
from yishu import secrets
from yishu.cli import world
from yishu.cli.output import AsJson, print_table, show
from yishu.cli.trouble import DATABASE_ERRORS, address, unreachable
from yishu.embedded import LEDGER_DATABASE, EmbeddedPostgres
from yishu.pipeline import PipelineContext
from yishu.settings import Settings

_DRIVER = "postgresql+psycopg"
_LOW_DISK_BYTES = 2 * 1024**3
_PATIENCE_SECONDS = 5
_AIRFLOW_SILENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``remedy`` is empty when all is well."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


def doctor(as_json: AsJson = False) -> None:
    """Look at disk, database, release, connections and Airflow; say what to do.

    It only looks: nothing is started, made or changed.

    Example: yishu doctor
    """
    here = world.settings()
    looks = (
        _disk, _database, _release, _connections, _airflow, _library, _runs, _drill, _calendar
    )  # fmt: skip
    findings = [finding for look in looks for finding in _safely(look, here)]
    rows = [asdict(finding) for finding in findings]
    show(rows, as_json, lambda: print_table("Doctor", rows))
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def _safely(look: Callable[[Settings], Iterator[Finding]], here: Settings) -> Iterator[Finding]:
    try:
        yield from look(here)
    except YishuError as error:
        yield Finding(look.__name__.removeprefix("_"), False, error.found, error.remedy)
    except ProgrammingError:
        found = "the ledger's database has no ledger of this version"
        yield Finding(look.__name__.removeprefix("_"), False, found, "`yishu runs` brings it there")
    except DATABASE_ERRORS as error:
        known = unreachable(error, here)
        found = f"{known.obj}: {known.found}"
        yield Finding(look.__name__.removeprefix("_"), False, found, known.remedy)


def _disk(here: Settings) -> Iterator[Finding]:
    folder = next(path for path in (here.var_dir, *here.var_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    ok = free >= _LOW_DISK_BYTES
    remedy = "" if ok else "free some disk, or set YISHU_VAR_DIR to a folder on another one"
    yield Finding("disk", ok, f"{free / 1024**3:.1f} GB free at {folder}", remedy)


def _database(here: Settings) -> Iterator[Finding]:
    if here.database_url is not None:
        yield Finding("database", True, _answer(here.database_url.get_secret_value()))
        return
    running = _embedded(here).status()
    if running:
        yield Finding("database", True, f"embedded PostgreSQL on port {running.port}")
    else:
        yield Finding(
            "database",
            False,
            "embedded PostgreSQL does not run",
            "any command that needs it starts it, or `yishu demo`",
        )


def _answer(url: str) -> str:
    target = make_url(url).set(drivername=_DRIVER)
    wait = {"connect_timeout": _PATIENCE_SECONDS}
    with create_engine(target, poolclass=NullPool, connect_args=wait).connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    return f"an outer server answers: PostgreSQL {version} at {address(url)}"


def _embedded(here: Settings) -> EmbeddedPostgres:
    """The embedded server, to look at: its password is read where there is one, never made."""
    kept = here.secrets_dir / secrets.POSTGRES_PASSWORD
    known = secrets.postgres_password(here.secrets_dir) if kept.exists() else ""
    return EmbeddedPostgres(here.postgres_dir, known, here.postgres_port)


def _release(here: Settings) -> Iterator[Finding]:
    release = current_release(here.releases_dir)
    yield Finding("release", True, f"{release.id}: {len(release.entries)} entries")


def _drill(here: Settings) -> Iterator[Finding]:
    from yishu.ledger.backup import last_drill  # noqa: PLC0415

    done = last_drill(here)
    if done is None:
        yield Finding("restore drill", True, "never practised", "practise it: `yishu drill`")
    else:
        found = f"{done.at[:10]}: {done.tables} tables and {done.files} files equal"
        yield Finding("restore drill", done.is_equal, found)


def _connections(here: Settings) -> Iterator[Finding]:
    known = secrets.read_connections(here.connections_path)
    release = current_release(here.releases_dir)
    needed = {entry.source.connection for entry in release.entries.values()}
    missing = sorted(needed - set(known))
    remedy = f"add them to {here.connections_path.name}, or to Airflow's connections"
    yield Finding(
        "connections",
        not missing,
        f"missing: {', '.join(missing)}" if missing else f"{len(needed)} known",
        remedy if missing else "",
    )


def _airflow(here: Settings) -> Iterator[Finding]:
    from yishu.orchestration import services  # noqa: PLC0415

    parts = services.status(here)
    if here.airflow_database_url is not None and not any(part.pid for part in parts):
        yield _supervised_airflow(services.ui_url(here))
        return
    for part in parts:
        running = part.pid is not None
        found = f"process {part.pid}" if running else "does not run"
        remedy = "" if running else f"`yishu airflow start`; its log is {part.log.name}"
        yield Finding(f"airflow {part.name}", running, found, remedy)


def _supervised_airflow(url: str) -> Finding:
    """Airflow under a service manager has no pid file of ours; its API tells who is alive."""
    from yishu.orchestration.rest import AirflowApi  # noqa: PLC0415

    silent = AirflowApi(url).not_healthy(world.clock() - _AIRFLOW_SILENCE)
    if not silent:
        return Finding("airflow", True, f"all parts are alive at {url}")
    found = f"no sign of life at {url}: {', '.join(silent)}"
    return Finding("airflow", False, found, "start its services, or `yishu airflow start`")


def _looking(here: Settings) -> PipelineContext:
    """What readings of ledger and library need; no database is started for it."""
    if here.database_url is not None:
        url = here.database_url.get_secret_value()
    else:
        url = _embedded(here).url(LEDGER_DATABASE)
    return PipelineContext(here, current_release(here.releases_dir), url, {}, world.clock)


def _runs(here: Settings) -> Iterator[Finding]:
    from yishu.pipeline.abandoned import abandoned_runs  # noqa: PLC0415

    found = abandoned_runs(_looking(here))
    for run in found:
        yield Finding(
            f"run {run.run_id}",
            False,
            f"{run.object_id}: begun {run.started_at:%Y-%m-%d %H:%M} UTC, killed, never ended",
            "`yishu end-abandoned` ends it on record, as the hourly alarms do; then pull again",
        )
    if not found:
        yield Finding("runs", True, "none was killed and left")


def _calendar(here: Settings) -> Iterator[Finding]:
    from yishu.clocks import beijing_day  # noqa: PLC0415
    from yishu.governance.supervise import missing_text  # noqa: PLC0415
    from yishu.governance.working_calendar import calendar_in_force, days_folder  # noqa: PLC0415

    target = make_url(_looking(here).ledger_url).set(drivername=_DRIVER)
    wait = {"connect_timeout": _PATIENCE_SECONDS}
    with create_engine(target, poolclass=NullPool, connect_args=wait).connect() as connection:
        calendar = calendar_in_force(connection, days_folder(here))
    year = calendar.missing_year(beijing_day(world.clock()))
    covered = f"notices for {min(calendar.covered)} to {max(calendar.covered)}"
    # Limits run on with provisional days, so this is to be seen to and breaks nothing.
    found = f"{covered}; {year} is missing" if year else covered
    yield Finding("calendar", True, found, missing_text(year) if year else "")


def _library(here: Settings) -> Iterator[Finding]:
    from yishu.pipeline.reconcile import reconcile  # noqa: PLC0415

    if not here.library_dir.exists():
        yield Finding("library", True, "nothing is published yet")
        return
    found = reconcile(_looking(here))
    for one in found:
        yield Finding(
            f"library {one.table}",
            False,
            f"version {one.version} is by no run on record",
            "find out who wrote it; publish the table again from its source",
        )
    if not found:
        yield Finding("library", True, "every version is by a run on record")
