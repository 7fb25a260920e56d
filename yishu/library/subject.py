"""Build a subject table from the unified database: union over scopes, join over elements.

Only an element's source entry writes it, in its scope (S004 Art.15). Every row of every
contributing entry is counted as contributed or as not linked; those not linked are listed by key,
for their owner's eyes only. Other entries' copies of a value are compared and never used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.model import CatalogView, DataElement, Subject
from catalog.vocabulary import LateDepartment
from transforms.types import arrow_type, standard_type
from yishu.library.commit import Commit, commit_of, recorded
from yishu.library.copies import CopyDifference, CopyFinding, compare_copies, list_differences
from yishu.library.engine import DEFAULT_MEMORY, connect, discreet, literal, one, quote, scan
from yishu.library.errors import (
    CountsDoNotAddUp,
    SubjectGateClosed,
    SubjectNotReady,
    SubjectUnbuildable,
)
from yishu.library.feed import Feed, Plan, plan_subject
from yishu.library.opened import Opened, open_entry
from yishu.library.place import Place, file_name, subject_table, unified_table, write_private
from yishu.library.provenance import ENTRY_ID, LANDED_ROW, PROVIDER_ORG, RUN_ID, joined_run
from yishu.library.publish import publish_snapshot
from yishu.library.weave import Source, Weave

VERSION_OF = "version_of."
"""Begins the names of facts beside a commit that say which version of an entry was read."""


@dataclass(frozen=True)
class Contribution:
    """What an entry gave to a subject: ``rows_in = contributed + not_linked``.

    Attributes:
        version: Version of the entry's unified table that was read.
        reasons: Why rows were not linked, reason -> rows; adds up to ``not_linked``.
    """

    entry_id: str
    version: int
    rows_in: int
    contributed: int
    not_linked: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class SubjectCommit:
    """One publication of a subject.

    Attributes:
        missing: Source entries that have not been published yet; their columns are empty.
        not_linked_path: Parquet of the rows not linked: entry, key, landed row, reason.
    """

    commit: Commit
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...]
    copies: tuple[CopyFinding, ...]
    not_linked_path: str


def build_subject(
    root: Path,
    subject: Subject,
    catalog: CatalogView,
    *,
    run_id: str,
    committed_at: datetime,
    is_due: bool = False,
    memory: str = DEFAULT_MEMORY,
    wait: float = 600,
) -> SubjectCommit:
    """Build a subject from the newest published versions and publish it as one commit.

    A run that was committed before is built again from the versions that it read then. A subject
    that waits for all its sources waits no longer once it ``is_due``.

    Raises:
        SubjectNotReady, LibraryConflict: a needed entry is late, another writer; retryable.
        SubjectUnbuildable: the catalog does not fit the subject.
        EngineFailed, LibraryUnwritable: a step failed, no space; the latter is retryable.
        CountsDoNotAddUp: rows of an entry are not all accounted for.
        SubjectGateClosed: too many rows of an entry give nothing.
    """
    plan = plan_subject(subject, catalog)
    place = Place(root, subject_table(subject.id))
    with place.locked(wait):
        place.clean()
        pinned = _pinned(place, run_id)
        schema = _schema(plan, catalog)
        sources = _open_sources(root, plan, schema, pinned)
        missing = _missing(plan, sources)
        _require_ready(subject, sources, missing, is_due=is_due)
        weave = Weave(subject.key, schema, sources)
        with discreet(place.table), connect(place.staging, memory) as connection:
            woven = _weave(connection, weave, place)
            contributions, listed = _account(connection, weave, woven, place)
            _require_linked(subject, contributions)
            copies, versions = compare_copies(connection, root, plan, weave, pinned)
        versions |= {source.feed.entry.id: source.version for source in sources}
        commit = publish_snapshot(
            root,
            place.table,
            weave.schema,
            woven,
            key=subject.key,
            run_id=run_id,
            committed_at=committed_at,
            read=_rows(woven),
            metadata={f"{VERSION_OF}{entry}": str(number) for entry, number in versions.items()},
            memory=memory,
            is_locked=True,
        )
        target = root / "not_linked" / subject.id / f"{file_name(run_id)}.parquet"
        write_private(listed, target)
        place.clean()
    return SubjectCommit(commit, contributions, missing, copies, str(target))


def copy_differences(
    root: Path, subject: Subject, catalog: CatalogView, *, limit: int, memory: str = DEFAULT_MEMORY
) -> list[CopyDifference]:
    """Values that copies have otherwise than their source, at most ``limit`` for each pair.

    Args:
        root: Folder of the library.
        subject: Whose elements are compared.
        catalog: Says who is the source of what, in which scope.
        limit: At most so many of each copy and source.
        memory: What the comparison may hold in memory.

    Raises:
        SubjectUnbuildable: the catalog does not fit the subject.
    """
    plan = plan_subject(subject, catalog)
    schema = _schema(plan, catalog)
    weave = Weave(subject.key, schema, _open_sources(root, plan, schema, None))
    if not weave.bases:
        return []
    with discreet(subject_table(subject.id)), connect(memory=memory) as connection:
        for statement in weave.prepare():
            connection.execute(statement)
        return list_differences(connection, root, plan, weave, limit)


def _pinned(place: Place, run_id: str) -> dict[str, int] | None:
    """The versions that this run has read already; None when it has not been committed."""
    done = commit_of(recorded(place.open()), run_id) if place.exists() else None
    if done is None:
        return None
    return {
        name.removeprefix(VERSION_OF): int(version)
        for name, version in done.metadata.items()
        if name.startswith(VERSION_OF)
    }


def _open_sources(
    root: Path, plan: Plan, schema: pa.Schema, pinned: Mapping[str, int] | None
) -> tuple[Source, ...]:
    sources = []
    for feed in plan.feeds:
        opened = open_entry(root, feed.entry.id, pinned)
        if opened:
            _require_items(feed, opened)
            _require_types(plan.subject, feed, opened, schema)
            sources.append(Source(feed, opened.version, opened.rows, opened.columns))
    return tuple(sources)


def _require_items(feed: Feed, opened: Opened) -> None:
    scopes = [*feed.base, *(scopes for _, scopes in feed.items.values())]
    needed = {*feed.key, *(scope.by for group in scopes for scope in group if scope)}
    lacking = sorted(needed.difference(opened.columns))
    if lacking:
        raise SubjectNotReady(
            unified_table(feed.entry.id),
            found=f"version {opened.version} without {', '.join(lacking)}",
            expected="the key and the discriminators of the present catalog entry",
            remedy="publish the entry by its present catalog version first",
        )


def _require_types(subject: Subject, feed: Feed, opened: Opened, schema: pa.Schema) -> None:
    """The table holds what the subject's columns can take, so that no value has to be forced.

    Raises:
        SubjectUnbuildable: the catalog itself gives item and column different types.
        SubjectNotReady: only the table does, being of an older version of the entry.
    """
    carried = dict(zip(subject.key, feed.key, strict=True))
    carried |= {column: item for column, (item, _) in feed.items.items()}
    for column, item in carried.items():
        wanted = schema.field(column).type
        promised = arrow_type(feed.entry.item(item))
        if not _fits(promised, wanted):
            raise SubjectUnbuildable(
                subject_table(subject.id),
                found=f"{feed.entry.id} gives {item} ({promised}) to {column} ({wanted})",
                expected="an item of the type of its data element",
                remedy="correct the item or the data element in the catalog",
            )
        there = opened.schema.field(item).type if item in opened.columns else wanted
        if not _fits(there, wanted):
            raise SubjectNotReady(
                unified_table(feed.entry.id),
                found=f"version {opened.version} with {item} of type {there}",
                expected=f"{wanted}, as the present catalog entry says",
                remedy="publish the entry by its present catalog version first",
            )


def _fits(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of one type are values of the other: the same, or fewer decimals."""
    if pa.types.is_decimal(given) and pa.types.is_decimal(wanted):
        return bool(given.scale <= wanted.scale)
    return bool(given == wanted)


def _missing(plan: Plan, sources: tuple[Source, ...]) -> tuple[str, ...]:
    there = {source.feed.entry.id for source in sources}
    wanted = {feed.entry.id for feed in plan.feeds}
    return tuple(sorted({*plan.absent, *wanted} - there))


def _require_ready(
    subject: Subject, sources: tuple[Source, ...], missing: tuple[str, ...], *, is_due: bool
) -> None:
    has_base = any(source.feed.base for source in sources)
    is_patient = subject.late_department is LateDepartment.WAIT_FOR_ALL
    waits = is_patient and missing and not is_due
    if has_base and not waits:
        return
    raise SubjectNotReady(
        subject_table(subject.id),
        found=f"not published yet: {', '.join(missing) or 'nothing'}",
        expected="all source entries" if waits else "at least one source entry of the key",
        remedy="run the pipelines of these entries; the subject follows by itself",
    )


def _schema(plan: Plan, catalog: CatalogView) -> pa.Schema:
    """The subject's columns: elements, then where each row and each joined value came from."""
    fields = [
        pa.field(column.field, _element_type(catalog.elements[column.element], catalog))
        for column in plan.subject.columns
    ]
    fields += [pa.field(name, pa.string()) for name in (PROVIDER_ORG, ENTRY_ID, RUN_ID)]
    fields.append(pa.field(LANDED_ROW, pa.int64()))
    joined = (joined_run(feed.entry.id) for feed in plan.feeds if feed.joins)
    return pa.schema([*fields, *(pa.field(name, pa.string()) for name in joined)])


def _element_type(element: DataElement, catalog: CatalogView) -> pa.DataType:
    """The element's standard type, with the most decimals that one of its sources has."""
    known = (catalog.entries.get(source.entry) for source in element.sources)
    items = (item for entry in known if entry for item in entry.items)
    scales = [item.scale for item in items if item.element == element.id and item.scale is not None]
    return standard_type(element.type, max(scales, default=None))


def _weave(connection: duckdb.DuckDBPyConnection, weave: Weave, place: Place) -> Path:
    for statement in weave.prepare():
        connection.execute(statement)
    woven = place.staging / "woven.parquet"
    connection.execute(f"COPY ({weave.rows()}) TO {literal(str(woven))} (FORMAT parquet)")
    return woven


def _account(
    connection: duckdb.DuckDBPyConnection, weave: Weave, woven: Path, place: Place
) -> tuple[tuple[Contribution, ...], Path]:
    """Count what each entry gave, and list the rows that gave nothing."""
    rows = scan([str(woven)], weave.schema)
    listed = place.staging / "not_linked.parquet"
    parts = " UNION ALL ".join(weave.not_linked(source, rows) for source in weave.sources)
    connection.execute(f"COPY ({parts}) TO {literal(str(listed))} (FORMAT parquet)")
    found = connection.execute(
        f"SELECT entry_id, reason, count(*) FROM read_parquet({literal(str(listed))}) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    reasons: dict[str, dict[str, int]] = {}
    for entry_id, reason, count in found:
        reasons.setdefault(entry_id, {})[reason] = count
    return tuple(
        _contribution(connection, weave, source, rows, reasons.get(source.feed.entry.id, {}))
        for source in weave.sources
    ), listed


def _contribution(
    connection: duckdb.DuckDBPyConnection,
    weave: Weave,
    source: Source,
    rows: str,
    reasons: Mapping[str, int],
) -> Contribution:
    entry_id = source.feed.entry.id
    run = joined_run(entry_id)
    joined = f"count({quote(run)})" if run in weave.schema.names else "0"
    own = f"count(*) FILTER ({ENTRY_ID} = {literal(entry_id)})"
    (rows_in,) = one(connection, f"SELECT count(*) FROM {source.rows}")
    (contributed,) = one(connection, f"SELECT {own} + {joined} FROM {rows}")
    not_linked = sum(reasons.values())
    if rows_in != contributed + not_linked:
        raise CountsDoNotAddUp(
            unified_table(entry_id),
            found=f"{contributed} contributed + {not_linked} not linked",
            expected=f"{rows_in} rows of version {source.version}",
            remedy="the subject is unchanged; report this with the catalog release",
        )
    return Contribution(entry_id, source.version, rows_in, contributed, not_linked, reasons)


def _require_linked(subject: Subject, contributions: tuple[Contribution, ...]) -> None:
    worst = max(contributions, key=lambda one: one.not_linked / max(one.rows_in, 1))
    share = worst.not_linked / max(worst.rows_in, 1)
    if share > subject.max_not_linked_share:
        raise SubjectGateClosed(
            subject_table(subject.id),
            found=f"{worst.not_linked} of {worst.rows_in} rows of {worst.entry_id} not linked "
            f"({share:.1%})",
            expected=f"at most {subject.max_not_linked_share:.1%}",
            remedy="look at the reasons of the contributions; readers keep the version before",
        )


def _rows(woven: Path) -> int:
    return int(pq.ParquetFile(woven).metadata.num_rows)
