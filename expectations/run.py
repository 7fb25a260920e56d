"""Carries a plan out with Great Expectations, column by column, and says what it found.

Each column is loaded once, checked and let go before the next (columns that one check compares go
together), a span of rows at a time where there are very many: memory is bounded by the widest
column over one span. The engine is given its batch directly: on the way through a data source Great
Expectations hashes every cell only to name the batch. Row numbers are taken from the mask that a
metric computed anyway, and only of checks that failed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import DataItem
from expectations.errors import CheckCrashed, PlanImpossible, TableNotGiven
from expectations.keys import KeySuspects
from expectations.kinds import OF_ALL_ROWS, OF_BATCH, CheckKind
from expectations.plan import Check
from expectations.profile import ColumnProfile, Profiling
from expectations.spans import Columns, ColumnView, Load, Span, of_length
from expectations.suite import (
    expectation,
    great_expectations_classes,
    needs_read_column,
    read_column,
)
from expectations.verdict import (
    CheckResult,
    Gate,
    Positions,
    Verdict,
    added,
    judge,
    no_positions,
    result_of,
)
from expectations.waive import waived

if TYPE_CHECKING:
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.metrics_calculator import MetricsCalculator

logger = logging.getLogger(__name__)

RUNTIME: Mapping[str, Any] = MappingProxyType(
    {"result_format": "BOOLEAN_ONLY", "catch_exceptions": False}
)
"""No lists of values are made, and an exception is ours to handle, not Great Expectations' to log:
its message may quote a value."""

THREADS = 2
"""Groups of columns that are loaded and checked at the same time; each keeps its columns in memory.
"""

ROWS_FOR_THREADS = 131_072
"""A smaller table is done before a second thread would have helped."""

Group = tuple[tuple[str, ...], list[Check]]
"""Columns that are loaded together, and the checks on them."""


def validate(
    checks: Sequence[Check],
    rows: int,
    column: Load,
    *,
    gate: Gate,
    entry_id: str,
    run_id: str,
    also: Sequence[CheckResult] = (),
    profiled: Sequence[DataItem] = (),
) -> Verdict:
    """Carry out all checks and judge the run.

    Args:
        checks: The plan of the entry.
        rows: Rows of the run; every column must have as many.
        column: Loads rows of one column by its field name; asked once for each that is needed,
            and again where rows of a large table may have the same key.
        gate: What the entry tolerates.
        entry_id: For the verdict.
        run_id: For the verdict.
        also: Results from elsewhere that count too, e.g. faults of a change log.
        profiled: Items whose columns get a profile, taken while they are at hand.

    Raises:
        RowsDisagree: a column has more or fewer rows.
        TableNotGiven: a check over two tables has no path to the other one.
        CheckCrashed: a check could not be evaluated.
    """
    results, profiles = carried_out(checks, rows, column, profiled)
    ordered = [*(results[check.id] for check in checks), *also]
    verdict = judge(ordered, rows, gate, entry_id=entry_id, run_id=run_id, profiles=profiles)
    logger.info(
        "validated entry=%s run=%s rows=%d quarantined=%d passed=%s",
        *(entry_id, run_id, rows, verdict.quarantined_rows, verdict.passed),
    )
    return verdict


def carried_out(
    checks: Sequence[Check], rows: int, column: Load, profiled: Sequence[DataItem] = ()
) -> tuple[dict[str, CheckResult], list[ColumnProfile]]:
    """The results of checks by id, and the profiles; arguments and errors as in ``validate``."""
    # Before any column is loaded: exceptions that the import leaves behind hold on to its callers.
    great_expectations_classes()
    require_tables(checks)
    columns = Columns(rows, column)
    items = {item.field: item for item in profiled}
    threads = THREADS if rows >= ROWS_FOR_THREADS else 1
    results: dict[str, CheckResult] = {}
    profiles: dict[str, ColumnProfile] = {}
    with _reused_memory(), ThreadPoolExecutor(threads) as pool:
        groups = grouped(checks, list(items))
        for some, about in pool.map(partial(_carried_out, columns, items), groups):
            results |= {result.check_id: result for result in some}
            profiles |= {profile.field: profile for profile in about}
    return results, [profiles[field] for field in items]


@contextmanager
def _reused_memory() -> Iterator[None]:
    """Let Arrow, in all of this process, give the memory of one column to the next meanwhile.

    Its usual allocator hands large blocks back to the system and gets them zeroed again, which
    takes half as long as the checks.
    """
    usual = pa.default_memory_pool()
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.default_memory_pool().release_unused()
        pa.set_memory_pool(usual)


def _carried_out(
    columns: Columns, items: Mapping[str, DataItem], group: Group
) -> tuple[list[CheckResult], list[ColumnProfile]]:
    """The results of checks that share columns, and the profiles of these.

    Each span of the columns is loaded once for all.
    """
    fields, checks = group
    of_all = [one for one in checks if columns.is_split and one.kind in OF_ALL_ROWS]
    of_rows = [one for one in checks if not columns.is_split or one.kind not in OF_ALL_ROWS]
    keys = [KeySuspects(one, columns.rows) for one in of_all if one.kind is CheckKind.UNIQUE]
    counting = {key.check.columns: key.distinct for key in keys}
    begun = {
        field: Profiling(items[field], columns.rows, counting.get((field,)))
        for field in fields
        if field in items
    }
    found: dict[str, list[CheckResult]] = {check.id: [] for check in of_rows}
    for span in columns.spans:
        views = columns.over(fields, span)
        for result in _over(of_rows, views, columns, span):
            found[result.check_id].append(result)
        for key in keys:
            key.add(span.start, views)
        for field, profiling in begun.items():
            profiling.add(views[field].values, views[field].unreadable)
        views.clear()
    profiles = [profiling.profile() for profiling in begun.values()]
    results = [
        *map(added, found.values()),
        *(_of_suspects(key, columns) for key in keys),
        *(_of_all(one, columns) for one in of_all if one.kind is not CheckKind.UNIQUE),
    ]
    return results, profiles


def _over(
    checks: Sequence[Check], views: Mapping[str, ColumnView], columns: Columns, span: Span
) -> Iterator[CheckResult]:
    stop = columns.rows if span.stop is None else span.stop
    for result in evaluate(checks, frame(checks, stop - span.start, views.__getitem__)):
        yield replace(result, positions=result.positions + span.start)


def _of_suspects(key: KeySuspects, columns: Columns) -> CheckResult:
    places = key.places()
    views = columns.at(key.check.reads, places)
    (found,) = evaluate([key.check], frame([key.check], len(places), views.__getitem__))
    return key.widened(found, places)


def _of_all(check: Check, columns: Columns) -> CheckResult:
    views = columns.whole(check.reads)
    (found,) = evaluate([check], frame([check], columns.rows, views.__getitem__))
    return found


def require_tables(checks: Sequence[Check]) -> None:
    """Refuse checks over two tables that have no path to the other one.

    Raises:
        TableNotGiven: naming the check and the table.
    """
    for check in checks:
        if check.kind is CheckKind.EXISTS and not check.args.get("files"):
            raise TableNotGiven(
                check.id,
                found=f"no files of {', '.join(check.args.get('tables', ['the other table']))}",
                expected="the Parquet files of its published version",
                remedy="publish that entry first, and pass its files with `with_tables`",
            )


def frame(checks: Sequence[Check], rows: int, column: Callable[[str], ColumnView]) -> pd.DataFrame:
    """The columns that these checks look at, as Great Expectations wants them, without a copy.

    Raises:
        RowsDisagree: a column has more or fewer rows.
    """
    shown: dict[str, pd.Series] = {}
    for field in dict.fromkeys(field for check in checks for field in check.reads):
        view = of_length(field, column(field), rows)
        about = [check for check in checks if field in check.reads]
        if any(not needs_read_column(check) for check in about):
            shown[field] = _series(view.values)
        if any(needs_read_column(check) for check in about):
            shown[read_column(field)] = _series(_was_read(view))
    return pd.DataFrame(shown, index=pd.RangeIndex(rows), copy=False)


def evaluate(checks: Sequence[Check], frame: pd.DataFrame) -> Iterator[CheckResult]:
    """Evaluate checks on a frame that has all their columns, as ``frame`` makes it.

    Raises:
        CheckCrashed: a check could not be evaluated.
    """
    engine_of, calculator_of = _engine_classes()
    # The engine refers to itself and so outlives this call until the next garbage collection. It
    # gets a frame of its own, which is emptied at the end, or the columns would live on with it.
    batch = frame.copy(deep=False)
    engine = engine_of(caching=False, batch_data_dict={"rows": batch})
    calculator = calculator_of(engine)
    try:
        for check in checks:
            yield waived(_evaluate(check, calculator, engine), check.waivers, batch)
    finally:
        for name in list(batch.columns):
            del batch[name]


def _engine_classes() -> tuple[type["PandasExecutionEngine"], type["MetricsCalculator"]]:
    great_expectations_classes()
    from great_expectations.execution_engine.pandas_execution_engine import (  # noqa: PLC0415
        PandasExecutionEngine,
    )
    from great_expectations.validator.metrics_calculator import (  # noqa: PLC0415
        MetricsCalculator,
    )

    return PandasExecutionEngine, MetricsCalculator


def grouped(checks: Sequence[Check], also: Sequence[str] = ()) -> list[Group]:
    """Checks that share a column, directly or through others, so that each is loaded once.

    Args:
        checks: The plan.
        also: Fields that are to be loaded even if no check reads them.

    Returns:
        The columns of each group, in the order they are asked for, and its checks.
    """
    root = {field: field for check in checks for field in check.reads}
    for check in checks:
        for field in check.reads[1:]:
            root[_top(root, field)] = _top(root, check.reads[0])
    groups: dict[str, list[Check]] = {}
    for check in checks:
        top = _top(root, check.reads[0]) if check.reads else ""
        groups.setdefault(top, []).append(check)
    found = [(_fields(group), group) for group in groups.values()]
    return [*found, *(((field,), []) for field in also if field not in root)]


def _top(root: dict[str, str], field: str) -> str:
    while root[field] != field:
        root[field] = root[root[field]]
        field = root[field]
    return field


def _fields(checks: Sequence[Check]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for check in checks for field in check.reads))


def _series(values: pa.ChunkedArray) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(values))


def _was_read(view: ColumnView) -> pa.ChunkedArray:
    given = pc.is_valid(view.values)
    if view.unreadable is None:
        return pc.if_else(given, True, pa.scalar(None, pa.bool_()))
    unreadable = pc.fill_null(view.unreadable, False)
    return pc.if_else(pc.or_(given, unreadable), pc.invert(unreadable), pa.scalar(None, pa.bool_()))


def _evaluate(
    check: Check, calculator: "MetricsCalculator", engine: "PandasExecutionEngine"
) -> CheckResult:
    crash = None
    try:
        return _result(check, calculator, engine)
    except PlanImpossible:
        raise
    except Exception as error:  # whatever it is, its message may quote a value
        crash = _place(error)
    # Raised out here so that the cause and its message do not travel along.
    raise CheckCrashed(
        check.id,
        found=crash,
        expected="a column of a kind that the check can judge",
        remedy="compare the item's type and rules in the catalog entry with the column's type",
    )


def _result(
    check: Check, calculator: "MetricsCalculator", engine: "PandasExecutionEngine"
) -> CheckResult:
    expected: Any = expectation(check)
    if isinstance(expected, great_expectations_classes().Remembering):
        expected.remember()
    wanted = expected.get_validation_dependencies(
        execution_engine=engine, runtime_configuration=dict(RUNTIME)
    )
    metrics, _ = calculator.compute_metrics(
        wanted.get_metric_configurations(), runtime_configuration=dict(RUNTIME)
    )
    named = {name: metrics[part.id] for name, part in wanted.metric_configurations.items()}
    if check.kind in OF_BATCH:
        outcome = expected.metrics_validate(
            metrics, runtime_configuration=dict(RUNTIME), execution_engine=engine
        )
        missed = int(not outcome.success)
        return result_of(check, counted=1, failed=missed, positions=no_positions())
    metric = str(expected.map_metric)
    failed = int(named[f"{metric}.unexpected_count"])
    return result_of(
        check,
        counted=_counted(check, metric, named),
        failed=failed,
        positions=_positions(metric, metrics) if failed else no_positions(),
    )


def _counted(check: Check, map_metric: str, named: Mapping[str, Any]) -> int:
    """Rows that the check applies to: a missing value counts only where absence is judged."""
    rows = int(named.get(f"{map_metric}.filtered_row_count", named["table.row_count"]))
    if check.kind in {CheckKind.PRESENT, CheckKind.GUIDE} or check.args.get("is_key"):
        return rows
    return rows - int(named.get("column_values.nonnull.unexpected_count", 0))


def _positions(map_metric: str, metrics: Mapping[Any, Any]) -> Positions:
    """Row numbers from the mask that the count was made of; the frame's index counts the rows."""
    (condition,) = (part for key, part in metrics.items() if key[0] == f"{map_metric}.condition")
    fails: pd.Series = condition[0]
    places = np.flatnonzero(fails.to_numpy(dtype=bool))
    positions: Positions = fails.index.take(places).to_numpy(dtype="int64")
    return positions


def _place(error: BaseException) -> str:
    """Kind and place of the first cause, without its message."""
    while error.__cause__ is not None:
        error = error.__cause__
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    file = Path(trace.tb_frame.f_code.co_filename).name
    return f"{type(error).__name__} at {file}:{trace.tb_lineno}"
