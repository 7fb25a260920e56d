"""What becomes of quarantined rows: corrected at the source, gone, let through, or older by a day.

    <var>/quarantine/<department>/<entry>/<run>/ages.parquet     key -> first seen, in which run
    <var>/quarantine/<department>/<entry>/<run>/released.parquet rows that a decision lets through

A row is known again by its key, so its age survives each new run. The files are as private as the
rows; the ledger has the counts. A decision is about a row as it was: a keyed digest of all its
values names it, so the same fault with other values is a new one.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.model import CatalogEntry
from catalog.vocabulary import PullMode
from expectations.verdict import Positions
from yishu.pipeline.errors import ReleaseRefused
from yishu.pipeline.landing import landed
from yishu.pipeline.store import RunFolder, whole_file
from yishu.pipeline.validate import REASONS, ROW

FIRST_RUN, FIRST_AT, KEY = "_first_run", "_first_at", "_key"

OVERRULED = frozenset(
    {"length", "code_list", "format", "organisation", "pattern", "range", "ordered"}
)
"""Kinds of checks that a person may find too strict for a row. What is missing, unreadable, doubled
or marked as secret stays out, and so does whatever is not named here."""

Decisions = Mapping[str, Collection[str]]
"""Checks that decisions overrule, by the digest of the row."""


@dataclass(frozen=True)
class Ageing:
    """How the quarantine stood after a run; see `yishu.ledger.models.QuarantineAgeing`."""

    standing: int
    fresh: int
    corrected: int
    gone: int
    released: int
    oldest_at: datetime | None


def age(
    entry: CatalogEntry,
    folder: RunFolder,
    before: RunFolder | None,
    *,
    run_id: str,
    at: datetime,
) -> Ageing:
    """Carry the ages of quarantined rows on from the run before; safe to do again.

    Args:
        entry: The entry of the run.
        folder: The run, validated, its releases applied.
        before: The validated run before; None: there was none, or its files are gone.
        run_id: The run.
        at: When the run was validated.
    """
    waiting, let_through = _waiting(entry, folder)
    known = _ages(before)
    keys = _keys(waiting, entry)
    now = _unique(keys)
    landed_keys = _landed_keys(entry, folder) if known.num_rows else pa.array([], pa.string())
    passed = _keys(let_through, entry)
    held = pc.is_in(known.column(KEY), value_set=now)
    came = pc.is_in(known.column(KEY), value_set=landed_keys)
    is_whole = entry.source.mode is PullMode.FULL
    stays = held if is_whole else pc.or_(held, pc.invert(came))
    fresh = now.filter(pc.invert(pc.is_in(now, value_set=known.column(KEY))))
    ages = pa.concat_tables([known.filter(stays), _new_ages(fresh, run_id, at)])
    with whole_file(folder.ages) as path:
        pq.write_table(ages, path)
    carried = _count(stays) - _count(held)
    # Rows of a doubled key share its age; a row without a key is never known again.
    is_new = pc.is_in(keys, value_set=fresh)
    return Ageing(
        standing=waiting.num_rows + carried,
        fresh=_count(pc.or_(is_new, pc.is_null(keys))),
        corrected=_count(_corrected(known, came, held, passed)),
        gone=_count(pc.invert(pc.or_(held, came))) if is_whole else 0,
        released=len(released_rows(folder)),
        oldest_at=_oldest(ages),
    )


def apply_decisions(folder: RunFolder, decisions: Decisions, secret: str) -> Positions:
    """Note which quarantined rows of a run decisions let through; done once for a run.

    A row passes when every check that it fails was overruled for it.
    """
    if not folder.released.exists():
        found = [
            number
            for number, digest, checks in _digested(folder.quarantined, secret)
            if checks <= set(decisions.get(digest, ()))
        ] if decisions else []  # fmt: skip
        with whole_file(folder.released) as path:
            pq.write_table(pa.table({ROW: pa.array(found, pa.int64())}), path)
    return released_rows(folder)


def released_rows(folder: RunFolder) -> Positions:
    """Positions in landing of the rows that decisions let through, ascending."""
    path = folder.released
    if not path.exists():
        return np.empty(0, dtype=np.int64)
    rows: Positions = pq.read_table(path).column(ROW).to_numpy()
    return rows


def row_to_release(
    entry: CatalogEntry, folder: RunFolder, row: int, secret: str, kinds: Mapping[str, str]
) -> tuple[str, list[str]]:
    """Digest and failed checks of a quarantined row that a person may let through.

    Args:
        entry: The entry.
        folder: The run.
        row: Its number in the delivery, from 1, as the reject file shows it.
        secret: The installation's key for digests of rows.
        kinds: Kind of each check of the verdict, by check id.

    Raises:
        ReleaseRefused: no such row in the quarantine, or a check that no decision overrules.
    """
    found = None
    if folder.quarantined.exists():
        rows = _digested(folder.quarantined, secret, only=row - 1)
        found = next(rows, None)
    if found is None:
        raise ReleaseRefused(
            f"{entry.id} row {row}",
            found="no such row in the quarantine of that run",
            expected="a row number of the reject file of that run",
            remedy="write the reject file with `yishu quality reject` and look the row up",
        )
    _, digest, checks = found
    final = sorted(check for check in checks if kinds.get(check) not in OVERRULED)
    if final:
        raise ReleaseRefused(
            f"{entry.id} row {row}",
            found=f"a row that fails {', '.join(final)}",
            expected=f"checks of the kinds {', '.join(sorted(OVERRULED))} alone",
            remedy="let the department correct the row at the source",
        )
    return digest, sorted(checks)


def _waiting(entry: CatalogEntry, folder: RunFolder) -> tuple[pa.Table, pa.Table]:
    """Number and key of the quarantined rows: those that wait, those that decisions let through."""
    there = pq.read_table(folder.quarantined, columns=[ROW, *entry.key])
    let_through = pc.is_in(there.column(ROW), value_set=pa.array(released_rows(folder)))
    return there.filter(pc.invert(let_through)), there.filter(let_through)


def _corrected(
    known: pa.Table, came: pa.ChunkedArray, held: pa.ChunkedArray, passed: pa.ChunkedArray
) -> pa.ChunkedArray:
    """Which known rows pass their checks now: they came, and are neither held nor let through."""
    is_let_through = pc.is_in(known.column(KEY), value_set=passed)
    return pc.and_(came, pc.invert(pc.or_(held, is_let_through)))


def _keys(rows: pa.Table, entry: CatalogEntry) -> pa.ChunkedArray:
    """The key of each row as one text; null where a part is missing."""
    parts = [_trimmed(rows.column(field)) for field in entry.key]
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, "\x1f")


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(column.cast(pa.string()))


def _unique(keys: pa.ChunkedArray) -> pa.Array:
    return pc.unique(keys.drop_null())


def _landed_keys(entry: CatalogEntry, folder: RunFolder) -> pa.Array:
    rows = landed(folder)
    return _unique(_keys(pa.table({field: rows.column(field) for field in entry.key}), entry))


def _ages(before: RunFolder | None) -> pa.Table:
    if before is None or not before.ages.exists():
        return _new_ages(pa.array([], pa.string()), "", datetime.fromtimestamp(0, UTC))
    return pq.read_table(before.ages)


def _new_ages(keys: pa.Array, run_id: str, at: datetime) -> pa.Table:
    return pa.table(
        {
            KEY: keys,
            FIRST_RUN: pa.array([run_id] * len(keys), pa.string()),
            FIRST_AT: pa.array([at] * len(keys), pa.timestamp("us", tz="UTC")),
        }
    )


def _oldest(ages: pa.Table) -> datetime | None:
    oldest: datetime | None = pc.min(ages.column(FIRST_AT)).as_py()
    return oldest


def _count(flags: pa.ChunkedArray) -> int:
    return pc.sum(flags).as_py() or 0


def _digested(
    path: Path, secret: str, only: int | None = None
) -> Iterator[tuple[int, str, set[str]]]:
    """Number, digest and failed checks of quarantined rows."""
    with pq.ParquetFile(path) as file:
        names = [name for name in file.schema_arrow.names if name not in {ROW, REASONS}]
        for batch in file.iter_batches(4_096):
            chosen = batch if only is None else batch.filter(pc.equal(batch.column(ROW), only))
            for row in chosen.to_pylist():
                checks = {reason["check_id"] for reason in row[REASONS]}
                yield row[ROW], _digest([row[name] for name in sorted(names)], secret), checks


def _digest(values: Sequence[object], secret: str) -> str:
    text = "\x1f".join("\x00" if value is None else str(value) for value in values)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
