"""Ask one department system how it stands: does it answer, what is it, what may we read, how old.

Nothing is written and no value is read; counts are the database's own estimates where it keeps
them. What cannot be told is None, never a guess.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from catalog.model import CatalogView, SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import open_source
from yishu.sources.errors import SourceError
from yishu.sources.protocol import Connection

TIMEOUT = timedelta(seconds=10)
MOST_PLACES = 500

_POSTGRESQL_PLACES = """
select n.nspname || '.' || c.relname, c.reltuples::bigint
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
    and has_any_column_privilege(c.oid, 'select')
order by 1 limit %s
"""
_POSTGRESQL_MAY_WRITE = """
select
    (select rolsuper from pg_roles where rolname = current_user)
    or exists (
        select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'f')
            and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_'
            and (
                has_table_privilege(c.oid, 'insert, update, delete, truncate')
                or has_any_column_privilege(c.oid, 'insert, update')
            )
    )
    or exists (
        select from pg_namespace
        where nspname !~ '^pg_' and has_schema_privilege(oid, 'create')
    )
"""
_POSTGRESQL_LAG = (
    "select case when pg_is_in_recovery() then now() - pg_last_xact_replay_timestamp() end"
)


@dataclass(frozen=True)
class Place:
    """A table, view, file or endpoint.

    Attributes:
        rows: How many; an estimate unless ``is_exact``; None when the system keeps no count.
        trouble: Why it cannot be read, for places that entries name.
    """

    name: str
    rows: int | None = None
    is_exact: bool = False
    changed_at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class Probe:
    """How a system stands.

    Attributes:
        trouble: Why it is not reachable, without a credential.
        version: What the system calls itself.
        is_read_only: Whether this account can only read; None when that cannot be told.
        milliseconds: How long all of it took.
        lag: How far what we read is behind: of a replica its delay, of a drop folder the age of
            the newest file.
    """

    connection_id: str
    kind: SystemKind
    is_reachable: bool
    trouble: str | None = None
    version: str | None = None
    is_read_only: bool | None = None
    milliseconds: int | None = None
    lag: timedelta | None = None
    places: tuple[Place, ...] = field(default=())


def probe(connection: Connection, catalog: CatalogView, now: datetime) -> Probe:
    """Ask a system; what goes wrong is part of the answer.

    Args:
        connection: How to reach it.
        catalog: Entries that name it; each of their places is tried.
        now: The moment against which ages are counted.
    """
    specs = [
        entry.source
        for entry in catalog.entries.values()
        if entry.source.connection == connection.id
    ]
    began = time.monotonic()
    try:
        found = _PROBES[connection.kind](connection, specs, now)
    except SourceError as error:
        found = _unreachable(connection, f"{error.code}: {error.found}")
    except (psycopg.Error, exc.SQLAlchemyError, ImportError, OSError) as error:
        # A driver's own text may hold an account or an address; its class says enough.
        found = _unreachable(connection, type(error).__name__)
    return replace(found, milliseconds=int(1000 * (time.monotonic() - began)))


def _unreachable(connection: Connection, trouble: str) -> Probe:
    return Probe(connection.id, connection.kind, is_reachable=False, trouble=trouble)


def _postgresql(connection: Connection, specs: Sequence[SourceSpec], _: datetime) -> Probe:
    session = psycopg.connect(
        connection.url,
        connect_timeout=int(TIMEOUT.total_seconds()),
        options="-c default_transaction_read_only=on -c statement_timeout=10s",
        autocommit=True,
    )
    with closing(session):
        places = [
            Place(name, rows if rows >= 0 else None)
            for name, rows in session.execute(_POSTGRESQL_PLACES, [MOST_PLACES])
        ]
        may_write = _one(session.execute(_POSTGRESQL_MAY_WRITE).fetchone())
        lag = _one(session.execute(_POSTGRESQL_LAG).fetchone())
        version = session.info.parameter_status("server_version")
    return Probe(
        connection.id,
        connection.kind,
        is_reachable=True,
        version=f"PostgreSQL {version}",
        is_read_only=not may_write,
        lag=lag,
        places=_with_named(places, connection, specs),
    )


def _one(row: Sequence[Any] | None) -> Any:
    return row[0] if row else None


def _sql(connection: Connection, specs: Sequence[SourceSpec], _: datetime) -> Probe:
    url = sa.make_url(connection.url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite:
        # Read-only and only if it is there: SQLite would create the file otherwise.
        url = sa.URL.create("sqlite", database=f"file:{url.database}", query={"mode": "ro"})
        url = url.update_query_dict({"uri": "true"})
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    try:
        with engine.connect() as session:
            looked = sa.inspect(session)
            names = [*looked.get_table_names(), *looked.get_view_names()][:MOST_PLACES]
            places = [Place(name) for name in sorted(names)]
            version = ".".join(map(str, session.dialect.server_version_info or ()))
            name = session.dialect.name
            grants = _grants(session) if name in ("mysql", "mariadb") else None
    finally:
        engine.dispose()
    return Probe(
        connection.id,
        connection.kind,
        is_reachable=True,
        version=f"{name} {version}".strip(),
        # Whatever the file allows, pulls open SQLite for reading alone.
        is_read_only=True if is_sqlite else grants,
        places=_with_named(places, connection, specs),
    )


def _grants(session: sa.Connection) -> bool:
    """Whether a MySQL account holds no privilege but to read and to see."""
    harmless = ("GRANT USAGE ", "GRANT SELECT ", "GRANT SELECT, SHOW VIEW ", "GRANT SHOW VIEW ")
    rows = session.execute(sa.text("show grants")).scalars()
    return all(str(row).startswith(harmless) for row in rows)


def _drop(connection: Connection, specs: Sequence[SourceSpec], now: datetime) -> Probe:
    """A drop folder on this machine by its files; one behind SFTP by the places of its entries."""
    if "://" in connection.url:
        return _by_places(connection, specs)
    folder = Path(connection.url)
    files = [path for path in sorted(folder.iterdir()) if path.is_file()][:MOST_PLACES]
    changed = {path: datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files}
    places = [Place(path.name, changed_at=at) for path, at in changed.items()]
    newest = max(changed.values(), default=None)
    return Probe(
        connection.id,
        connection.kind,
        is_reachable=True,
        version="drop folder",
        # Its files are opened for reading alone; who may write there is the department's matter.
        is_read_only=True,
        lag=now - newest if newest else None,
        places=_with_named(places, connection, specs),
    )


def _by_places(connection: Connection, specs: Sequence[SourceSpec], _: object = None) -> Probe:
    """A system that cannot be listed: what its entries name is all that can be tried."""
    places = _with_named([], connection, specs)
    answered = [place for place in places if place.trouble is None]
    if places and not answered:
        return replace(_unreachable(connection, places[0].trouble or ""), places=places)
    return Probe(
        connection.id,
        connection.kind,
        is_reachable=bool(answered),
        trouble=None if answered else "no entry names a place to try",
        # A pull only ever asks with GET; what the credential could do besides, nobody can see.
        is_read_only=None,
        places=places,
    )


def _with_named(
    places: Sequence[Place], connection: Connection, specs: Sequence[SourceSpec]
) -> tuple[Place, ...]:
    """The places that were found, and those that entries name, each tried."""
    found = {place.name: place for place in places}
    for spec in specs:
        name = spec.table or spec.path or spec.endpoint or ""
        trouble = _trouble(spec, connection)
        found[name] = replace(found.get(name, Place(name)), trouble=trouble)
    return tuple(found.values())


def _trouble(spec: SourceSpec, connection: Connection) -> str | None:
    try:
        with open_source(spec, connection) as source:
            source.columns()
    except SourceError as error:
        return f"{error.code}: {error.found}"
    return None


_PROBES: dict[SystemKind, Callable[[Connection, Sequence[SourceSpec], datetime], Probe]] = {
    SystemKind.POSTGRESQL: _postgresql,
    SystemKind.SQL: _sql,
    SystemKind.REST: _by_places,
    SystemKind.CSV: _drop,
    SystemKind.XLSX: _drop,
    SystemKind.PARQUET: _drop,
}
