"""From an Airflow Connection to the one that a source opens.

Airflow keeps the credentials (a secrets backend, its database or its environment); the pipeline
is handed a URL and looks nothing up.
"""

from airflow.sdk import Connection as AirflowConnection

from catalog.model import SourceSpec
from yishu.secrets import url_of
from yishu.sources.protocol import Connection


def connection_of(spec: SourceSpec) -> Connection:
    """The connection that an entry's source names.

    Raises:
        AirflowNotFoundException: Airflow knows no connection of that id.
    """
    found = AirflowConnection.get(spec.connection)
    return Connection(id=spec.connection, kind=spec.kind, url=airflow_url(found))


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
