"""Names of data sets, jobs and runs, after OpenLineage's naming rules.

A department's data set is named as every other tool names it (``postgres://host:port`` and
``database.schema.table``), so that lineage joins up beyond us. Our own are named by layer and
entry in the namespace ``yishu``, wherever the files lie. No name holds a credential.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from openlineage.client.naming.dataset import LocalFileSystem, MySQL, Oracle, Postgres
from sqlalchemy.engine import URL, make_url

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind

NAMESPACE = "yishu"

_RUNS = uuid5(NAMESPACE_URL, "urn:yishu:openlineage:runs")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "mssql": 1433}


@dataclass(frozen=True)
class DatasetName:
    """A data set as OpenLineage names it."""

    namespace: str
    name: str


def source_dataset(spec: SourceSpec, url: str) -> DatasetName:
    """The data set of a department system that an entry is pulled from.

    Args:
        spec: The source as the catalog describes it.
        url: Its connection's URL; credentials in it do not reach the name.
    """
    if spec.kind in {SystemKind.CSV, SystemKind.XLSX, SystemKind.PARQUET}:
        return _dropped(url, spec.path or "")
    if spec.kind is SystemKind.REST:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        path = f"{parts.path.rstrip('/')}/{(spec.endpoint or '').lstrip('/')}"
        return DatasetName(f"{parts.scheme}://{parts.hostname}{port}", path)
    return _table(make_url(url), spec.table or "")


def landing(entry_id: str) -> DatasetName:
    """What pulls of an entry bring."""
    return DatasetName(NAMESPACE, f"landing/{entry_id}")


def quarantine(entry_id: str) -> DatasetName:
    """Rows of an entry that were set aside."""
    return DatasetName(NAMESPACE, f"quarantine/{entry_id}")


def unified(entry_id: str) -> DatasetName:
    """An entry's table of the unified database."""
    return DatasetName(NAMESPACE, f"unified/{entry_id}")


def subject_table(subject_id: str) -> DatasetName:
    """A table of the subject library."""
    return DatasetName(NAMESPACE, f"subject/{subject_id}")


def run_uuid(run_id: str, job: str) -> str:
    """OpenLineage's id of a run: the same for the same run and job, also after a kill."""
    return str(uuid5(_RUNS, f"{run_id}\n{job}"))


def _dropped(url: str, pattern: str) -> DatasetName:
    if "://" not in url:
        return _file(str(PurePosixPath(url) / pattern))
    parts = urlsplit(url)
    path = str(PurePosixPath(unquote(parts.path)) / pattern)
    if parts.scheme == "file":
        return _file(path)
    # OpenLineage has no rule for SFTP: as for other servers of files, host and port, then the path.
    return DatasetName(f"{parts.scheme}://{parts.hostname}:{parts.port or 22}", path)


def _file(path: str) -> DatasetName:
    named = LocalFileSystem(path)
    return DatasetName(named.get_namespace(), named.get_name())


def _table(url: URL, table: str) -> DatasetName:
    backend = url.get_backend_name()
    database = url.database or ""
    if backend == "sqlite":
        # OpenLineage has no rule for SQLite: the file, and the table in it as a fragment.
        return _file(f"{database}#{table}")
    host, port = url.host or "localhost", str(url.port or _PORTS.get(backend, 0))
    schema, _, name = table.rpartition(".")
    named: Postgres | MySQL | Oracle
    if backend == "postgresql":
        named = Postgres(host, port, database, schema or "public", name)
    elif backend in {"mysql", "mariadb"}:
        named = MySQL(host, port, database, name)
    elif backend == "oracle":
        named = Oracle(host, port, database, schema or (url.username or "").upper(), name)
    else:
        place = ".".join(part for part in (database, schema, name) if part)
        return DatasetName(f"{backend}://{host}:{port}", place)
    return DatasetName(named.get_namespace(), named.get_name())
