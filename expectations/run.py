"""Carries a plan out with Great Expectations, column by column, and says what it found.

Each column is loaded once, checked and let go before the next (columns that one check compares go
together), so memory is bounded by the widest of them and uniqueness stays exact, which it would not
be over row chunks. The engine is
given its batch directly: on the way through a data source Great Expectations hashes every cell
only to name the batch. Row numbers are taken from the mask that a metric computed anyway, and only
of checks that failed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.model import DataItem
from expectations.errors import CheckCrashed, PlanImpossible, RowsDisagree, TableNotGiven
from expectations.kinds import OF_BATCH, CheckKind
from expectations.plan import Check
from expectations.profile import ColumnProfile, profile
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


@dataclass(frozen=True)
class ColumnView:
    """A column in standard form.

    Attributes:
        values: Standard values; null where none was given or it was unreadable.
        unreadable: True where a given value could not be read; None: all could.
    """

    values: pa.ChunkedArray
    unreadable: pa.ChunkedArray | None = None


def validate(
    checks: Sequence[Check],
    rows: int,
    column: Callable[[str], ColumnView],
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
        column: Loads one column by its field name; asked once for each that is needed.
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
    checks: Sequence[Check],
    rows: int,
    column: Callable[[str], ColumnView],
    profiled: Sequence[DataItem] = (),
) -> tuple[dict[str, CheckResult], list[ColumnProfile]]:
    """The results of checks by id, and the profiles; arguments and errors as in ``validate``."""
    # Before any column is loaded: exceptions that the import leaves behind hold on to its callers.
    great_expectations_classes()
    require_tables(checks)
    results: dict[str, CheckResult] = {}
    with _Profiler(profiled) as profiler:
        for fields, group in grouped(checks, [item.field for item in profiled]):
            profiler.catch_up()
            views = {field: _of_length(field, column(field), rows) for field in fields}
            profiler.take(views)
            for result in evaluate(group, frame(group, rows, views.__getitem__)):
                results[result.check_id] = result
            views.clear()
            # What the allocator keeps for later would add up over the columns.
            pa.default_memory_pool().release_unused()
        return results, profiler.profiles()


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
        view = _of_length(field, column(field), rows)
        about = [check for check in checks if field in check.reads]
        if any(not needs_read_column(check) for check in about):
            shown[field] = _series(view.values)
        if any(needs_read_column(check) for check in about):
            shown[read_column(field)] = _series(_was_read(view))
    return pd.DataFrame(shown, index=pd.RangeIndex(rows), copy=False)


def _of_length(field: str, view: ColumnView, rows: int) -> ColumnView:
    if len(view.values) == rows:
        return view
    raise RowsDisagree(
        field,
        found=f"{len(view.values)} rows",
        expected=f"{rows} rows",
        remedy="validate the columns of one and the same landed run",
    )


class _Profiler:
    """Profiles columns beside their checks, on a thread of its own.

    Columns do not queue up behind a slow profile, since each that waits stays in memory.
    """

    def __init__(self, items: Sequence[DataItem]) -> None:
        self._items = {item.field: item for item in items}
        self._coming: dict[str, Future[ColumnProfile]] = {}
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def catch_up(self) -> None:
        """Wait for the columns that were taken."""
        wait(self._coming.values())

    def take(self, views: Mapping[str, ColumnView]) -> None:
        """Begin to profile columns."""
        for field in views.keys() & self._items.keys():
            view, item = views[field], self._items[field]
            self._coming[field] = self._thread.submit(profile, item, view.values, view.unreadable)

    def profiles(self) -> list[ColumnProfile]:
        return [self._coming[field].result() for field in self._items]


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


def grouped(
    checks: Sequence[Check], also: Sequence[str] = ()
) -> list[tuple[tuple[str, ...], list[Check]]]:
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
    positions: Positions = fails.index.to_numpy(dtype="int64")[fails.to_numpy(dtype=bool)]
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
