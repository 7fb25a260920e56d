"""Links between subjects: which rows point to a row that is not there (a rating without its case).

A link never stops a publication: the row is what its department said, and the other department may
only be late. It is counted and, for the eyes of those who mend it, listed by key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb
import pyarrow as pa

from catalog.model import CatalogView, Subject, SubjectLink
from yishu.library.engine import connect, discreet, literal, names, one, quote, scan, stream
from yishu.library.place import Place, open_version, subject_table

NEWEST: Mapping[str, int] = MappingProxyType({})
"""No versions named: the newest of every table."""


@dataclass(frozen=True)
class LinkFinding:
    """One link of one version of a subject: rows that point somewhere are linked or dangling.

    Attributes:
        link: Name of the link.
        target: The subject pointed to.
        target_version: Version of its table that was looked at; None: not published, and then
            all rows that point there dangle.
    """

    subject_id: str
    version: int
    link: str
    target: str
    target_version: int | None
    linked: int
    dangling: int


def check_links(
    root: Path, subject: Subject, catalog: CatalogView, versions: Mapping[str, int] = NEWEST
) -> tuple[LinkFinding, ...]:
    """Count, for each link of a subject, what it leads to.

    Args:
        root: Folder of the library.
        subject: Whose links.
        catalog: Has the subjects that they lead to.
        versions: Table -> version to look at; of a table that is not named, the newest.

    Raises:
        TableMissing, VersionMissing: the subject or such a version was never published.
    """
    opened = _opened(root, subject, catalog, versions)
    return tuple(_finding(found, subject, link) for link, found in opened)


def dangling_rows(
    root: Path, subject: Subject, catalog: CatalogView, link_name: str, limit: int
) -> pa.Table:
    """Keys of rows whose link leads nowhere, and what they point to, at most ``limit``.

    Raises:
        TableMissing: the subject was never published.
        KeyError: the subject has no such link.
    """
    for link, found in _opened(root, subject, catalog):
        if link.name == link_name:
            columns = list(dict.fromkeys([*subject.key, *link.columns]))
            schema = pa.schema([found.schema.field(name) for name in columns])
            query = f"SELECT {names(columns, 's')} FROM {found.rows} AND NOT {found.is_linked}"
            with connect() as connection:
                return stream(connection, f"{query} LIMIT {limit:d}", schema).read_all()
    raise KeyError(link_name)


@dataclass(frozen=True)
class _Found:
    """The SQL of one link."""

    version: int
    target_version: int | None
    schema: pa.Schema
    rows: str
    is_linked: str


def _opened(
    root: Path, subject: Subject, catalog: CatalogView, versions: Mapping[str, int] = NEWEST
) -> Iterator[tuple[SubjectLink, _Found]]:
    place = Place(root, subject_table(subject.id))
    opened = open_version(place, versions.get(place.table))
    schema = pa.schema(opened.schema())
    for link in subject.links:
        if set(link.columns) <= set(schema.names):
            rows = f"{scan(place.files(opened), schema)} s WHERE {_points(link)}"
            version, is_linked = _target(root, link, catalog.subjects[link.subject], versions)
            yield link, _Found(opened.version(), version, schema, rows, is_linked)


def _points(link: SubjectLink) -> str:
    """The condition under which a row points somewhere."""
    tests = [f"s.{quote(name)} IS NOT NULL" for name in link.columns]
    if link.when is not None:
        values = ", ".join(map(literal, link.when.values))
        tests.append(f"s.{quote(link.when.by)} IN ({values})")
    return " AND ".join(tests)


def _target(
    root: Path, link: SubjectLink, target: Subject, versions: Mapping[str, int]
) -> tuple[int | None, str]:
    """Version of the target's table, and the condition under which a row leads to one of its."""
    place = Place(root, subject_table(target.id))
    to: Sequence[str] = link.to or target.key
    if not place.exists():
        return None, "false"
    opened = open_version(place, versions.get(place.table))
    schema = pa.schema(opened.schema())
    if not set(to) <= set(schema.names):
        return opened.version(), "false"
    same = " AND ".join(
        f"t.{quote(there)} = s.{quote(here)}" for here, there in zip(link.columns, to, strict=True)
    )
    rows = scan(place.files(opened), schema)
    return opened.version(), f"EXISTS (SELECT 1 FROM {rows} t WHERE {same})"


def _finding(found: _Found, subject: Subject, link: SubjectLink) -> LinkFinding:
    with discreet(subject_table(subject.id)), connect() as connection:
        linked, dangling = _counts(connection, found)
    return LinkFinding(
        subject.id, found.version, link.name, link.subject, found.target_version, linked, dangling
    )


def _counts(connection: duckdb.DuckDBPyConnection, found: _Found) -> tuple[int, ...]:
    told = f"SELECT {found.is_linked} AS is_linked FROM {found.rows}"
    return one(
        connection,
        f"SELECT count(*) FILTER (is_linked), count(*) FILTER (NOT is_linked) FROM ({told})",
    )
