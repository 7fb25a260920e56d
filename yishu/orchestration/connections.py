"""From an Airflow Connection to the one that a source opens.

Airflow keeps the credentials (a secrets backend, its database or its environment); the pipeline
is handed a URL and looks nothing up.
"""

import logging

from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

from catalog.model import SourceSpec
from yishu.secrets import url_of
from yishu.sources.protocol import Connection

logger = logging.getLogger(__name__)


def connection_of(spec: SourceSpec) -> Connection | None:
    """The connection that an entry's source names; None when Airflow has none that can be used."""
    try:
        url = airflow_url(AirflowConnection.get(spec.connection))
    except (AirflowNotFoundException, ValueError) as error:
        # Its text may quote what is in the connection.
        logger.error("Connection %s cannot be used: %s", spec.connection, type(error).__name__)
        return None
    return Connection(id=spec.connection, kind=spec.kind, url=url)


async def connection_for(spec: SourceSpec) -> Connection:
    """As ``connection_of``, for a caller that runs in an event loop."""
    found = await AirflowConnection.async_get(spec.connection)
    return Connection(id=spec.connection, kind=spec.kind, url=airflow_url(found))


def airflow_url(connection: AirflowConnection) -> str:
    """The URL that an Airflow connection means; drop folders are ``fs`` connections.

    Raises:
        ValueError: a drop folder without ``path`` in its extra, or a database without a host.
    """
    return url_of(
        connection.conn_type or "",
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        extra=connection.extra,
    )
