"""Second-hand copies against their source (S004 Art.15): counted at each build, listed on demand.

The source is right by rule, in its scope; a copy never decides. A difference is a reason to ask the
department that holds the copy, or to object to the source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from yishu.library.engine import one
from yishu.library.feed import Copy, Plan
from yishu.library.opened import Opened, open_entry
from yishu.library.weave import Source, Weave


@dataclass(frozen=True)
class CopyFinding:
    """A second-hand copy against its source, as counts: only copies that hold a value count."""

    element: str
    entry_id: str
    source_entry_id: str
    compared: int
    different: int


@dataclass(frozen=True)
class CopyDifference:
    """One value that a copy and its source have otherwise; in clear, for its owners' eyes only.

    Attributes:
        key: Columns of the subject's key and their values, as text.
        source_value: What the source says; right by rule.
    """

    element: str
    column: str
    entry_id: str
    source_entry_id: str
    key: Mapping[str, str]
    source_value: str | None
    copy_value: str


def compare_copies(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    plan: Plan,
    weave: Weave,
    pinned: Mapping[str, int] | None,
) -> tuple[tuple[CopyFinding, ...], dict[str, int]]:
    """Findings, and the versions of the tables that hold the copies; the weave is prepared."""
    findings, versions = [], {}
    for copy, opened, source in _pairs(root, plan, weave, pinned):
        versions[copy.entry.id] = opened.version
        if source is not None:
            compared, different = one(connection, weave.agreement(copy, opened.rows, source))
            findings.append(
                CopyFinding(copy.element, copy.entry.id, source.feed.entry.id, compared, different)
            )
    return tuple(findings), versions


def list_differences(
    connection: duckdb.DuckDBPyConnection, root: Path, plan: Plan, weave: Weave, limit: int
) -> list[CopyDifference]:
    """Values that copies and sources have otherwise, at most ``limit`` for each pair."""
    found = []
    for copy, opened, source in _pairs(root, plan, weave, None):
        if source is not None:
            query = f"{weave.differing(copy, opened.rows, source)} LIMIT {limit:d}"
            found += [
                _difference(copy, source, weave.key, row)
                for row in connection.execute(query).fetchall()
            ]
    return found


def _pairs(
    root: Path, plan: Plan, weave: Weave, pinned: Mapping[str, int] | None
) -> Iterator[tuple[Copy, Opened, Source | None]]:
    """Every copy that is published, with each source of its column; None: no source is there."""
    for copy in plan.copies:
        opened = open_entry(root, copy.entry.id, pinned)
        if opened is None or not {copy.item, *copy.key} <= set(opened.columns):
            continue
        sources = [source for source in weave.sources if copy.column in source.feed.items]
        if not sources:
            yield copy, opened, None
        for source in sources:
            yield copy, opened, source


def _difference(
    copy: Copy, source: Source, key: tuple[str, ...], row: tuple[Any, ...]
) -> CopyDifference:
    *keys, right, given = row
    return CopyDifference(
        copy.element,
        copy.column,
        copy.entry.id,
        source.feed.entry.id,
        dict(zip(key, keys, strict=True)),
        right,
        given,
    )
