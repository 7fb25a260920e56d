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
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.errors import CheckCrashed, RowsDisagree
from expectations.plan import Check, CheckKind
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
) -> Verdict:
    """Carry out all checks and judge the run.

    Args:
        checks: The plan of the entry.
        rows: Rows of the run; every column must have as many.
        column: Loads one column by its field name; asked once for each that a check needs.
        gate: What the entry tolerates.
        entry_id: For the verdict.
        run_id: For the verdict.
        also: Results from elsewhere that count too, e.g. ``timeliness``.

    Raises:
        RowsDisagree: a column has more or fewer rows.
        CheckCrashed: a check could not be evaluated.
    """
    # Before any column is loaded: exceptions that the import leaves behind hold on to its callers.
    great_expectations_classes()
    results: dict[str, CheckResult] = {}
    for group in _by_columns(checks):
        for result in evaluate(group, frame(group, rows, column)):
            results[result.check_id] = result
    ordered = [*(results[check.id] for check in checks), *also]
    verdict = judge(ordered, rows, gate, entry_id=entry_id, run_id=run_id)
    logger.info(
        "validated entry=%s run=%s rows=%d quarantined=%d passed=%s",
        *(entry_id, run_id, rows, verdict.quarantined_rows, verdict.passed),
    )
    return verdict


def frame(checks: Sequence[Check], rows: int, column: Callable[[str], ColumnView]) -> pd.DataFrame:
    """The columns that these checks look at, as Great Expectations wants them, without a copy.

    Raises:
        RowsDisagree: a column has more or fewer rows.
    """
    shown: dict[str, pd.Series] = {}
    for field in dict.fromkeys(field for check in checks for field in check.columns):
        view = column(field)
        if len(view.values) != rows:
            raise RowsDisagree(
                field,
                found=f"{len(view.values)} rows",
                expected=f"{rows} rows",
                remedy="validate the columns of one and the same landed run",
            )
        about = [check for check in checks if field in check.columns]
        if any(not needs_read_column(check) for check in about):
            shown[field] = _series(view.values)
        if any(needs_read_column(check) for check in about):
            shown[read_column(field)] = _series(_was_read(view))
    return pd.DataFrame(shown, copy=False)


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
            yield _evaluate(check, calculator, engine)
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


def _by_columns(checks: Sequence[Check]) -> list[list[Check]]:
    """Checks that share a column, directly or through others, so that each is loaded once."""
    groups: list[tuple[set[str], list[Check]]] = []
    for check in checks:
        columns, members = set(check.columns), [check]
        apart = []
        for group in groups:
            if group[0] & columns:
                columns |= group[0]
                members = [*group[1], *members]
            else:
                apart.append(group)
        groups = [*apart, (columns, members)]
    return [members for _, members in groups]


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
    expected = expectation(check)
    metric = str(expected.map_metric)
    wanted = expected.get_validation_dependencies(
        execution_engine=engine, runtime_configuration=dict(RUNTIME)
    )
    metrics, _ = calculator.compute_metrics(
        wanted.get_metric_configurations(), runtime_configuration=dict(RUNTIME)
    )
    outcome = expected.metrics_validate(
        metrics, runtime_configuration=dict(RUNTIME), execution_engine=engine
    )
    named = {name: metrics[part.id] for name, part in wanted.metric_configurations.items()}
    failed = int(named[f"{metric}.unexpected_count"])
    return result_of(
        check,
        counted=_counted(check, metric, named),
        failed=failed,
        success=bool(outcome.success),
        positions=_positions(metric, metrics) if failed else no_positions(),
    )


def _counted(check: Check, map_metric: str, named: Mapping[str, Any]) -> int:
    """Rows that the check applies to: a missing value counts only where absence is judged."""
    rows = int(named.get(f"{map_metric}.filtered_row_count", named["table.row_count"]))
    if check.kind is CheckKind.PRESENT or check.args.get("is_key"):
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
