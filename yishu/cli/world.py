"""The world of a command: settings, release, connections and clock, read here and handed down."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from catalog.release import Release, current_release
from yishu.clocks import BEIJING
from yishu.embedded import ledger_url
from yishu.governance import accounts
from yishu.governance.candidate import Rules, load_rules
from yishu.ledger import Ledger, migrate
from yishu.ledger.journal import Actor
from yishu.pipeline import PipelineContext
from yishu.secrets import read_connections
from yishu.settings import Settings
from yishu.sources.protocol import Connection


def clock() -> datetime:
    """The present moment, UTC: the only clock of the command line."""
    return datetime.now(UTC)


def settings() -> Settings:
    """This installation's settings, from the environment."""
    return Settings()


def release(here: Settings) -> Release:
    """The catalog release in force."""
    return current_release(here.releases_dir)


def ledger(here: Settings) -> Ledger | None:
    """The ledger, to be read; None where nothing can be on record, as no server was ever made."""
    found = recorded(here)
    return Ledger(found) if found else None


def recorded(here: Settings) -> Engine | None:
    """The ledger's database where there can be one; None: no server was ever made."""
    if here.database_url is None and not here.postgres_dir.exists():
        return None
    return engine(here)


def engine(here: Settings, **more: Any) -> Engine:
    """The ledger's database, started and brought up to date; ``more`` as SQLAlchemy takes it."""
    url = ledger_url(here)
    migrate.upgrade(url)
    driven = make_url(url).set(drivername="postgresql+psycopg")
    return create_engine(driven, pool_pre_ping=True, hide_parameters=True, **more)


def today() -> date:
    """The present day in the city."""
    return clock().astimezone(BEIJING).date()


def actor(connection: SqlConnection, account: str) -> Actor:
    """Who acts through an account today; ``deputy:account`` stands in for another one."""
    return accounts.find(connection, account, today())


def rules(here: Settings) -> Rules:
    """What entries are compiled against today."""
    return load_rules(here.catalog_dir, today())


def pipeline(connections: Mapping[str, Connection] | None = None) -> PipelineContext:
    """What stages and readings need; the ledger's database is started and brought up to date."""
    here = settings()
    in_force = release(here)
    url = ledger_url(here)
    migrate.upgrade(url)
    return PipelineContext(here, in_force, url, connections or {}, clock)


def pipeline_for(entry_id: str) -> PipelineContext:
    """What the stages of one entry need, its connection included where there is one.

    An entry that is not in the release has none: the pull refuses it, and puts that on record.
    """
    here = settings()
    in_force = release(here)
    connections = {}
    if entry_id in in_force.entries:
        spec = in_force.entries[entry_id].source
        urls = read_connections(here.connections_path)
        if spec.connection in urls:
            url = urls[spec.connection]
            connections[spec.connection] = Connection(spec.connection, spec.kind, url)
    return pipeline(connections)
