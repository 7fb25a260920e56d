"""The reject file for the source department: every failing row, every reason, and the way out.

Keys and values are masked as the catalog says, for the file travels by mail; the row's number in
the delivery finds it at the source. Whoever may see values in clear asks for that by name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.masks import shown
from catalog.model import CatalogEntry, DataItem
from expectations.remedy import fix_zh
from expectations.verdict import CheckResult, Verdict
from yishu.pipeline.errors import RejectFileRefused, StageMissing
from yishu.pipeline.sheets import Row, write_csv, write_xlsx
from yishu.pipeline.store import RunFolder, whole_file
from yishu.pipeline.validate import REASONS, ROW, load_verdict

BATCH_ROWS = 4_096
_HEAD = ("序号", "批次内行号")
_TAIL = ("不合格原因", "改正办法", "检查编号")


@dataclass(frozen=True)
class RejectFile:
    """A reject file that was written; ``rows`` failing rows of ``reasons`` reasons together."""

    path: str
    entry_id: str
    run_id: str
    rows: int
    reasons: int


def write_reject_file(
    entry: CatalogEntry, folder: RunFolder, path: Path, *, is_clear: bool = False
) -> RejectFile:
    """Write all quarantined rows of a run to ``path`` (.xlsx or .csv), whole or not at all.

    Args:
        entry: The entry of the run.
        folder: Where the run keeps its files.
        path: The file; its ending decides the form.
        is_clear: Values in clear, for whoever may see them.

    Raises:
        RejectFileRefused: a file of another form.
        StageMissing: the run was not validated, or its quarantine is over.
    """
    if path.suffix.lower() not in {".xlsx", ".csv"}:
        raise RejectFileRefused(
            str(path),
            found=f"the ending {path.suffix or '(none)'}",
            expected=".xlsx or .csv",
            remedy="name the file so",
        )
    verdict = load_verdict(folder, needed_by="the reject file")
    _require_quarantine(folder)
    ways = fixes(entry, verdict)
    items = [entry.item(name) for name in _fields(entry, folder.quarantined)]
    reasons = 0

    def rows() -> Iterator[Row]:
        nonlocal reasons
        for number, (row, told) in enumerate(_failing(folder.quarantined, items, is_clear), 1):
            reasons += len(told)
            yield (number, *row, *_told(told, ways))

    headings = (*_HEAD, *(item.name for item in items), *_TAIL)
    with whole_file(path) as partial:
        if path.suffix.lower() == ".csv":
            written = write_csv(partial, headings, rows())
        else:
            written = write_xlsx(partial, headings, rows(), name="不合格数据")
    return RejectFile(str(path), entry.id, verdict.run_id, written, reasons)


def fixes(entry: CatalogEntry, verdict: Verdict) -> dict[str, str]:
    """The way out of each check of a verdict, by check id."""
    return {result.check_id: _fix(entry, result) for result in verdict.results}


def masked_rows(
    entry: CatalogEntry, folder: RunFolder, *, offset: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """Some quarantined rows for a page: number, values as they may be shown, reasons, fixes.

    Raises:
        StageMissing: the run was not validated, or its quarantine is over.
    """
    verdict = load_verdict(folder, needed_by="the quarantined rows")
    _require_quarantine(folder)
    ways = fixes(entry, verdict)
    items = [entry.item(name) for name in _fields(entry, folder.quarantined)]
    found = []
    for number, (row, told) in enumerate(_failing(folder.quarantined, items, is_clear=False)):
        if number >= offset + limit:
            break
        if number >= offset:
            values = dict(zip((item.name for item in items), row[1:], strict=True))
            reasons = [{**one, "fix_zh": ways.get(one["check_id"], "")} for one in told]
            found.append({"row": row[0], "values": values, "reasons": reasons})
    return found


def clear_row(entry: CatalogEntry, folder: RunFolder, number: int) -> dict[str, str]:
    """One quarantined row in clear, by the names of its items; who sees it is on record already.

    Args:
        entry: The entry of the run.
        folder: Where the run keeps its files.
        number: The row's number in the delivery, from 1, as the reject file shows it.

    Raises:
        StageMissing: the run's quarantine is over, or has no row of that number.
    """
    _require_quarantine(folder)
    items = [entry.item(name) for name in _fields(entry, folder.quarantined)]
    for row, _ in _failing(folder.quarantined, items, is_clear=True):
        if row[0] == number:
            return {item.name: str(value) for item, value in zip(items, row[1:], strict=True)}
    raise StageMissing(
        f"{folder.quarantine.name} row {number}",
        found="no such row in the quarantine of that run",
        expected="a row number of the list of quarantined rows",
        remedy="open the list again",
    )


def _require_quarantine(folder: RunFolder) -> None:
    if not folder.quarantined.exists():
        raise StageMissing(
            folder.quarantine.name,
            found="a verdict without its quarantined rows: their retention is over",
            expected="the quarantine of that run",
            remedy="pull again; the counts of the old run stay in the ledger",
        )


def _fields(entry: CatalogEntry, path: Path) -> list[str]:
    there = set(pq.read_schema(path).names)
    return [field for field in entry.fields if field in there]


def _failing(
    path: Path, items: Sequence[DataItem], is_clear: bool
) -> Iterator[tuple[list[str | int], list[dict[str, str]]]]:
    """Each row: its number from 1, its values; and its reasons."""
    names = [item.field for item in items]
    cells = [_cell(item, is_clear) for item in items]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=[ROW, *names, REASONS]):
            numbers = batch.column(ROW).to_pylist()
            columns = [
                [cell(value) for value in batch.column(name).to_pylist()]
                for name, cell in zip(names, cells, strict=True)
            ]
            reasons = _reasons(batch.column(REASONS))
            for row, told in zip(zip(numbers, *columns, strict=True), reasons, strict=True):
                yield [row[0] + 1, *row[1:]], told


def _reasons(column: pa.ListArray) -> Iterator[list[dict[str, str]]]:
    for told in column.to_pylist():
        yield [{key: one[key] for key in ("check_id", "reason_zh")} for one in told]


def _cell(item: DataItem, is_clear: bool) -> Callable[[Any], str]:
    def text(value: Any) -> str:
        if value is None:
            return ""
        return str(value) if is_clear else shown(str(value), item)

    return text


def _told(told: Sequence[Mapping[str, str]], ways: Mapping[str, str]) -> tuple[str, str, str]:
    reasons = [one["reason_zh"] for one in told]
    ids = [one["check_id"] for one in told]
    return (
        _numbered(reasons),
        _numbered([ways.get(id_, "核实后更正") for id_ in ids]),
        "；".join(ids),
    )


def _numbered(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return "；".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def _fix(entry: CatalogEntry, result: CheckResult) -> str:
    known = [field for field in result.columns if field in entry.fields]
    names = [entry.item(field).name for field in known]
    return fix_zh(result.kind, result.dimension, names or ["相关数据"])
