"""The world of a stage, handed in: settings, release, ledger, connections, clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from openlineage.client.transport import Transport
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from catalog.model import Subject
from catalog.release import Release
from yishu.ledger import Ledger
from yishu.lineage import open_transport
from yishu.pipeline.errors import ConnectionUnknown, SubjectUnknown
from yishu.settings import Settings
from yishu.sources.protocol import Connection


@dataclass(frozen=True)
class PipelineContext:
    """Everything a stage may touch.

    Attributes:
        ledger_url: SQLAlchemy URL of the ledger's PostgreSQL database.
        connections: Connections to department systems by id; only those that the stage opens.
        clock: Gives the present moment, UTC.
    """

    settings: Settings
    release: Release
    ledger_url: str
    connections: Mapping[str, Connection]
    clock: Callable[[], datetime]

    @cached_property
    def engine(self) -> Engine:
        """The ledger's database, connected on first use."""
        url = make_url(self.ledger_url).set(drivername="postgresql+psycopg")
        return create_engine(url, pool_pre_ping=True)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger itself."""
        return Ledger(self.engine)

    @cached_property
    def lineage(self) -> Transport:
        """Where lineage events go."""
        here = self.settings
        return open_transport(
            here.lineage_file, here.lineage_url, here.lineage_api_key, self.ledger.record_lineage
        )

    def connection(self, connection_id: str) -> Connection:
        """The connection of that id.

        Raises:
            ConnectionUnknown: it was not handed in.
        """
        if connection_id not in self.connections:
            raise ConnectionUnknown(
                connection_id,
                found=f"connections {sorted(self.connections) or 'none'}",
                expected=f"a connection called {connection_id}",
                remedy="add it to Airflow's connections, or to var/secrets/connections.json",
            )
        return self.connections[connection_id]

    def subject(self, subject_id: str) -> Subject:
        """The subject of that id in the release.

        Raises:
            SubjectUnknown: it has none.
        """
        if subject_id not in self.release.subjects:
            raise SubjectUnknown(
                subject_id,
                found=f"no such subject among {', '.join(self.release.subjects)}",
                expected="a subject of the current release",
                remedy="add it under catalog/subjects/, then `yishu catalog release`",
            )
        return self.release.subjects[subject_id]
