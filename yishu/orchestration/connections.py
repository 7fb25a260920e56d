"""From an Airflow Connection to the one that a source opens.

Airflow keeps the credentials (a secrets backend, its database or its environment); the pipeline
is handed a URL and looks nothing up.
"""

from urllib.parse import quote, urlencode

from airflow.sdk import Connection as AirflowConnection

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources.protocol import Connection

_SCHEMES = {"postgres": "postgresql"}
"""Airflow's connection types that are called otherwise in a database URL."""


def connection_of(spec: SourceSpec) -> Connection:
    """The connection that an entry's source names.

    Raises:
        AirflowNotFoundException: Airflow knows no connection of that id.
    """
    found = AirflowConnection.get(spec.connection)
    return Connection(id=spec.connection, kind=spec.kind, url=source_url(spec.kind, found))


def source_url(kind: SystemKind, connection: AirflowConnection) -> str:
    """The URL of a department system.

    An ``url`` among the extras is taken as it is. Otherwise the parts are put together: folders
    are ``fs`` connections with a ``path`` among the extras, as in Airflow's own file hooks.
    """
    extra = connection.extra_dejson
    if "url" in extra:
        return str(extra["url"])
    if kind in {SystemKind.CSV, SystemKind.XLSX}:
        return str(extra.get("path") or connection.host or connection.schema)
    return _url(connection)


def _url(connection: AirflowConnection) -> str:
    scheme = _SCHEMES.get(connection.conn_type, connection.conn_type)
    if scheme == "sqlite":
        return f"sqlite:///{connection.host or connection.schema}"
    login = ""
    if connection.login is not None:
        login = quote(connection.login, safe="")
        if connection.password is not None:
            login += f":{quote(connection.password, safe='')}"
        login += "@"
    port = f":{connection.port}" if connection.port else ""
    path = f"/{connection.schema}" if connection.schema else ""
    query = f"?{urlencode(connection.extra_dejson)}" if connection.extra_dejson else ""
    return f"{scheme}://{login}{connection.host or ''}{port}{path}{query}"
