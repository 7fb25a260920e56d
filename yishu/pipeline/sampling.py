"""Sampling checks (抽查): published rows, drawn by a seed, compared with their source anew.

The same seed on the same version draws the same rows, so anybody can draw them again. The source
is read as by a pull, into a folder that is removed; what stays is counts and masked keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import insert

from catalog.masks import shown
from catalog.model import CatalogEntry
from catalog.roles import Action
from transforms.standard import standardise
from yishu.governance.permission import require
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.models import SamplingCheck
from yishu.library import unified_table
from yishu.library.read import by_key, read
from yishu.pipeline.care import admitted
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import SampleRefused
from yishu.pipeline.landing import landed, whole_batch
from yishu.pipeline.pull import pull
from yishu.pipeline.store import RunFolder, remove_folder, run_folder

MAX_ROWS = 1_000
"""More than a person compares by hand; the rest is for validation."""

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A drawn row that is not as at the source: which columns differ; none: it is not there."""

    key: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """What a sampling check found: ``drawn = equal + different + missing``."""

    entry_id: str
    table_version: int
    seed: int
    drawn: int
    equal: int
    different: int
    missing: int
    findings: tuple[Finding, ...]
    at: datetime


def draw_and_compare(
    entry_id: str, rows: int, seed: int, ctx: PipelineContext, *, at: datetime
) -> Sample:
    """Draw published rows and compare them with what the source has now.

    Raises:
        SampleRefused: nothing is published, or no or too many rows are asked for.
        SourceError, OutsideWindow, EntryBusy, SystemResting: the source cannot be read now.
    """
    entry = ctx.release.entry(entry_id)
    commit = ctx.ledger.last_commit(entry_id)
    if commit is None or not 0 < rows <= MAX_ROWS:
        raise SampleRefused(
            entry_id,
            found=f"{rows} rows of {'nothing' if commit is None else f'{commit.rows:,}'}",
            expected=f"1 to {MAX_ROWS:,} rows of a published entry",
            remedy="ask for fewer rows, or publish the entry first",
        )
    version = commit.version
    published = _drawn(ctx.settings.library_dir, entry, version, rows, seed)
    there = _at_source(entry, seed, ctx, at, set(published))
    findings = tuple(_findings(entry, published, there))
    missing = sum(not one.columns for one in findings)
    different = len(findings) - missing
    return Sample(
        entry_id=entry_id,
        table_version=version,
        seed=seed,
        drawn=len(published),
        equal=len(published) - len(findings),
        different=different,
        missing=missing,
        findings=findings,
        at=at,
    )


def record_sample(connection: SqlConnection, sample: Sample, actor: Actor) -> None:
    """Keep what a sampling check found, and who made it.

    Raises:
        Forbidden: the role makes no sampling checks.
    """
    require(actor, Action.CHECK_SAMPLE, sample.entry_id)
    facts = {name: value for name, value in vars(sample).items() if name != "findings"}
    findings = {"rows": [asdict(one) for one in sample.findings]}
    values = {**facts, "findings": findings, "account": actor.account}
    connection.execute(insert(SamplingCheck).values(values))
    counts = {name: facts[name] for name in ("drawn", "equal", "different", "missing", "seed")}
    append(
        connection,
        Act(actor, Action.CHECK_SAMPLE, "entry", sample.entry_id, sample.at, after=counts),
    )


def _drawn(
    library: Path, entry: CatalogEntry, version: int, rows: int, seed: int
) -> dict[Key, Mapping[str, Any]]:
    table = unified_table(entry.id)
    keys = read(library, table, version=version, columns=entry.key)
    # Sorted, so that the draw does not rest on the order of files.
    keys = keys.sort_by([(field, "ascending") for field in entry.key])
    chosen = np.random.default_rng(seed).choice(
        keys.num_rows, size=min(rows, keys.num_rows), replace=False
    )
    found = {}
    for key in keys.take(pa.array(np.sort(chosen))).to_pylist():
        (row,) = by_key(library, table, key, version).select(list(entry.fields)).to_pylist()
        found[tuple(key[field] for field in entry.key)] = row
    return found


def _at_source(
    entry: CatalogEntry, seed: int, ctx: PipelineContext, at: datetime, wanted: set[Key]
) -> dict[Key, Mapping[str, Any]]:
    run_id = f"sample-{seed}-{at:%Y%m%dT%H%M%S}"
    folder = run_folder(ctx.settings.var_dir, entry.id, run_id)
    connection = ctx.connection(entry.source.connection)
    try:
        with admitted(entry, run_id, ctx):
            pull(entry, connection, folder, run_id=run_id, now=at)
        return dict(_standard(entry, folder, wanted))
    finally:
        remove_folder(folder.landing)
        remove_folder(folder.quarantine)


def _standard(
    entry: CatalogEntry, folder: RunFolder, wanted: set[Key]
) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    rows = landed(folder)
    for group in rows.groups():
        part = standardise(whole_batch(group.read()), entry)
        for row in part.filter(_likely(part, entry, wanted)).to_pylist():
            key = tuple(row[field] for field in entry.key)
            if key in wanted:
                yield key, row


def _likely(part: pa.RecordBatch, entry: CatalogEntry, wanted: set[Key]) -> pa.Array:
    """Rows whose first part of the key is wanted: few, so that the rest is compared in Python."""
    column = part.column(entry.key[0])
    return pc.is_in(column, value_set=pa.array([key[0] for key in wanted], column.type))


def _findings(
    entry: CatalogEntry,
    published: Mapping[Key, Mapping[str, Any]],
    there: Mapping[Key, Mapping[str, Any]],
) -> Iterator[Finding]:
    for key, row in published.items():
        source = there.get(key)
        columns = _different(entry.fields, row, source) if source is not None else ()
        if source is None or columns:
            masked = (
                shown(str(value), entry.item(field))
                for field, value in zip(entry.key, key, strict=True)
            )
            yield Finding("、".join(masked), columns)


def _different(
    fields: Sequence[str], row: Mapping[str, Any], source: Mapping[str, Any]
) -> tuple[str, ...]:
    return tuple(field for field in fields if row[field] != source[field])
