"""Landed changes to the last word on each key: written, removed, superseded or undecidable.

A pull by changes may bring a key several times: a log by its nature, an overlap read while rows
move. The last row by batch, time and sequence, or by watermark, counts; the rows before it are
superseded. Rows that cannot be put in order are set aside, and their key keeps what was published.
Pure: the same landed file always resolves in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType, PullMode, Severity
from expectations.kinds import DIMENSIONS, CheckKind
from expectations.verdict import CheckResult, Positions, no_positions
from transforms.standard import read_column, standardise
from yishu.library.engine import connect, discreet, names, quote, scan
from yishu.library.key_hash import hash_keys
from yishu.pipeline.changes import key_schema, landed_keys, standard_keys
from yishu.pipeline.landing import Landed, landed, pick
from yishu.pipeline.position import latest_possible, technical_item
from yishu.pipeline.store import RunFolder

_ORDER = {
    PullMode.CHANGE_LOG: ("_batch", "_time", "_sequence"),
    PullMode.INCREMENTAL: ("_watermark",),
    PullMode.FULL: (),
}


@dataclass(frozen=True)
class Resolution:
    """What each landed row means; every row is in exactly one of the four.

    Attributes:
        writes: Rows that are the last word on a key that is there, or have no key at all.
        removals: Rows that are the last word on a key that is gone.
        superseded: Rows that a later row of their key, or the later look at all keys, replaced.
        faults: Checks that only changes have; rows that fail one of severity ``fail`` are set
            aside.
    """

    writes: Positions
    removals: Positions
    superseded: Positions
    faults: tuple[CheckResult, ...]


def resolve(
    entry: CatalogEntry, folder: RunFolder, file: Landed, pulled_at: datetime
) -> Resolution:
    """Find the last word on each key of a landed pull."""
    rows = file.rows
    columns = _technical(entry, file)
    removes = _removes(entry, columns, rows)
    keys = _keys(entry, file)
    has_key = np.ones(rows, dtype=np.bool_)
    for field in entry.key:
        has_key &= keys.column(field).is_valid().to_numpy(zero_copy_only=False)
    checks = _Checks(rows)
    _check_columns(entry, columns, checks, pulled_at)
    if entry.source.tombstone or entry.source.change_log:
        checks.add(CheckKind.PRESENT, "key", np.flatnonzero(removes & ~has_key), _NO_KEY)
    usable = has_key & ~checks.failing
    order = [name for name in _ORDER[entry.source.mode] if name in columns]
    last, superseded = _last_words(entry, keys, {n: columns[n] for n in order}, usable, folder)
    kept, doubled, unclear = _settle(entry, file, keys, removes, last)
    if order:
        checks.add(CheckKind.UNIQUE, "order", unclear, _UNCLEAR)
    else:
        # Without anything that orders rows, repeated keys are for the check of unique keys.
        kept = _together(kept, unclear)
    without_key = np.flatnonzero(~has_key & ~removes & ~checks.failing)
    return Resolution(
        writes=_together(kept[~removes[kept]], without_key),
        removals=kept[removes[kept]],
        superseded=_together(superseded, doubled),
        faults=tuple(checks.results),
    )


_COMES_AGAIN = "_comes_again"
_NO_KEY = ("删除记录必须有主键", "a row that deletes must have its key")
_UNCLEAR = (
    "同一主键在同一时点的变更无法判定先后",
    "changes of one key at one time must be the same, or in a known order",
)


class _Checks:
    """Results of checks on landed rows, and which rows fail for good."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.failing = np.zeros(rows, dtype=np.bool_)
        self.results: list[CheckResult] = []

    def add(
        self,
        kind: CheckKind,
        use: str,
        positions: Positions,
        texts: tuple[str, str],
        severity: Severity = Severity.FAIL,
    ) -> None:
        """Take down which rows fail a check."""
        if severity is Severity.FAIL:
            self.failing[positions] = True
        self.results.append(
            CheckResult(
                check_id=f"changes.{use}.{kind}",
                kind=kind,
                columns=(f"_{use}",),
                dimension=DIMENSIONS[kind],
                severity=severity,
                threshold=None,
                text_zh=texts[0],
                text_en=texts[1],
                counted=self.rows,
                failed=len(positions),
                success=not len(positions),
                positions=positions.astype(np.int64),
            )
        )


def _technical(entry: CatalogEntry, file: Landed) -> dict[str, pa.ChunkedArray]:
    """The columns that tell changes, read as their types; null where there is none or no sense."""
    found = {}
    for use, _, type_ in entry.source.technical_columns:
        raw = file.column(f"_{use}")
        if type_ is DataType.STRING:
            raw = _as_text(raw)
        found[f"_{use}"] = read_column(raw, technical_item(use, type_)).values
    return found


def _as_text(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    # A flag is written 1 and 0 in the catalog, whatever the database calls it.
    return (raw.cast(pa.int8()) if pa.types.is_boolean(raw.type) else raw).cast(pa.string())


def _removes(entry: CatalogEntry, columns: Mapping[str, pa.ChunkedArray], rows: int) -> np.ndarray:
    """Which rows say that their key is gone."""
    spec = entry.source
    is_gone = np.zeros(rows, dtype=np.bool_)
    if spec.tombstone:
        is_gone |= _among(columns["_tombstone"], spec.tombstone.values)
    if spec.change_log:
        is_gone |= _among(columns["_operation"], spec.change_log.deletes)
    return is_gone


def _among(column: pa.ChunkedArray, values: tuple[str, ...]) -> np.ndarray:
    found = pc.is_in(column, value_set=pa.array(values, pa.string()))
    flags: np.ndarray = found.to_numpy().astype(np.bool_)
    return flags


def _check_columns(
    entry: CatalogEntry,
    columns: Mapping[str, pa.ChunkedArray],
    checks: _Checks,
    pulled_at: datetime,
) -> None:
    spec = entry.source
    if spec.mode is PullMode.CHANGE_LOG and spec.change_log:
        for use in ("batch", "time", "sequence"):
            if f"_{use}" in columns:
                texts = (f"变更记录必须有可读的 {use}", f"a change must have a readable {use}")
                checks.add(CheckKind.PRESENT, use, _nulls(columns[f"_{use}"]), texts)
        known = (*spec.change_log.writes, *spec.change_log.deletes)
        unknown = np.flatnonzero(~_among(columns["_operation"], known))
        texts = ("操作类型必须是已知的代码", f"the operation must be one of {', '.join(known)}")
        checks.add(CheckKind.CODE_LIST, "operation", unknown, texts)
    if spec.watermark:
        stamps = columns["_watermark"]
        texts = ("更新时间戳缺失或不可读", "a row should have a readable stamp")
        checks.add(CheckKind.PRESENT, "watermark", _nulls(stamps), texts, Severity.WARN)
        latest = latest_possible(stamps.type, pulled_at)
        if latest is not None:
            late = pc.fill_null(pc.greater(stamps, latest), False).to_numpy().astype(np.bool_)
            texts = ("更新时间戳晚于汇聚时间", "a stamp should not be in the future")
            checks.add(CheckKind.RANGE, "watermark", np.flatnonzero(late), texts, Severity.WARN)


def _nulls(column: pa.ChunkedArray) -> Positions:
    return np.flatnonzero(column.is_null().to_numpy().astype(np.bool_)).astype(np.int64)


def _keys(entry: CatalogEntry, file: Landed) -> pa.Table:
    """The key of each row, and whether its hash comes again.

    That it does of repeated keys and hardly others: these few alone have to be put in order.
    """
    keys = pa.Table.from_batches(landed_keys(file, entry), key_schema(entry))
    parts = (hash_keys(batch.columns) for batch in keys.to_batches())
    hashes = np.concatenate([np.empty(0, np.uint64), *parts])
    ascending = np.sort(hashes)
    again = np.unique(ascending[1:][ascending[1:] == ascending[:-1]])
    flags = pa.array(np.isin(hashes, again))
    return keys.append_column(_COMES_AGAIN, flags).combine_chunks()


def _comes_again(keys: pa.Table) -> np.ndarray:
    flags: np.ndarray = keys.column(_COMES_AGAIN).to_numpy().astype(np.bool_)
    return flags


def _last_words(
    entry: CatalogEntry,
    keys: pa.Table,
    order: Mapping[str, pa.ChunkedArray],
    usable: np.ndarray,
    folder: RunFolder,
) -> tuple[Positions, Positions]:
    """Of the usable rows, the last of each key (several where equal), and the superseded ones."""
    has_all_keys = folder.keys.exists()
    # Where all keys of the source were read, each row's has to be among them.
    asked = usable if has_all_keys else usable & _comes_again(keys)
    alone = np.flatnonzero(usable & ~asked)
    if not asked.any():
        return alone, no_positions()
    table = keys.append_column("_row", pa.array(np.arange(keys.num_rows)))
    for name, column in order.items():
        table = table.append_column(name, column)
    table = table.filter(pa.array(asked))
    is_there = "true"
    if has_all_keys:
        known = scan([str(folder.keys)], key_schema(entry))
        same = " AND ".join(f"k.{quote(field)} = changes.{quote(field)}" for field in entry.key)
        is_there = f"EXISTS (SELECT 1 FROM {known} k WHERE {same})"
    by = ", ".join(f"{quote(name)} DESC NULLS LAST" for name in order)
    rank = f"rank() OVER (PARTITION BY {names(entry.key)} {'ORDER BY ' + by if by else ''})"
    with discreet(entry.id), connect(folder.landing) as connection:
        connection.register("changes", table)
        found = connection.execute(
            f"SELECT _row, {rank} = 1 AND {is_there} AS is_last FROM changes ORDER BY _row"
        ).fetchnumpy()
    rows, is_last = np.asarray(found["_row"]), np.asarray(found["is_last"], dtype=np.bool_)
    return _together(alone, rows[is_last]), rows[~is_last]


def _together(some: Positions, others: Positions) -> Positions:
    """Positions of either, ascending; none is in both."""
    # NumPy's own union would look for doubles first, which takes ten times as long.
    return np.sort(np.concatenate([some, others])).astype(np.int64)


def _settle(
    entry: CatalogEntry,
    file: Landed,
    keys: pa.Table,
    removes: np.ndarray,
    last: Positions,
) -> tuple[Positions, Positions, Positions]:
    """Of rows that are last for their key: one for each key, equal doubles, contradictions."""
    suspects = last[_comes_again(keys)[last]]
    if not len(suspects):
        return last, no_positions(), no_positions()
    groups: dict[tuple[object, ...], list[int]] = {}
    for row in _repeated(entry, keys, suspects):
        key = tuple(keys.column(field)[row].as_py() for field in entry.key)
        groups.setdefault(key, []).append(row)
    tied = np.sort(np.array([row for same in groups.values() for row in same], dtype=np.int64))
    content: dict[int, tuple[object, ...]] = {}
    for table, rows in pick(file, tied):
        for batch in table.combine_chunks().to_batches():
            values = standardise(batch, entry).to_pylist()
            content |= {
                int(row): tuple(value.values()) for row, value in zip(rows, values, strict=True)
            }
    doubled: list[int] = []
    unclear: list[int] = []
    for same in groups.values():
        meanings = {(bool(removes[row]), () if removes[row] else content[row]) for row in same}
        if len(meanings) == 1:
            doubled += same[:-1]
        else:
            unclear += same
    out = np.array([*doubled, *unclear], dtype=np.int64)
    return (
        np.setdiff1d(last, out, assume_unique=True),
        np.sort(np.array(doubled, dtype=np.int64)),
        np.sort(np.array(unclear, dtype=np.int64)),
    )


def _repeated(entry: CatalogEntry, keys: pa.Table, rows: Positions) -> list[int]:
    """Of these rows, those whose key is among them more than once."""
    table = keys.take(pa.array(rows)).append_column("_row", pa.array(rows))
    key = names(entry.key)
    with discreet(entry.id), connect() as connection:
        connection.register("last_rows", table)
        found = connection.execute(
            f"SELECT _row FROM last_rows QUALIFY count(*) OVER (PARTITION BY {key}) > 1 "
            "ORDER BY _row"
        ).fetchall()
    return [row for (row,) in found]


def write_keys(path: Path, entry: CatalogEntry, folder: RunFolder, rows: Positions) -> None:
    """Write the standard keys of these landed rows."""
    with pq.ParquetWriter(path, key_schema(entry)) as writer:
        for table, _ in pick(landed(folder), rows):
            for batch in table.select(list(entry.key)).combine_chunks().to_batches():
                writer.write_batch(standard_keys(batch, entry))
