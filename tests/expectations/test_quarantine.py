import numpy as np
import pytest

from catalog.vocabulary import QualityDimension, Severity
from expectations.kinds import CheckKind
from expectations.quarantine import SCHEMA, reasons_table
from expectations.verdict import CheckResult, Gate, judge


@pytest.fixture
def failed():
    """Makes the result of a check that failed in some rows."""

    def make(check_id, positions, columns=("name",), severity=Severity.FAIL):
        return CheckResult(
            check_id=check_id,
            kind=CheckKind.PRESENT,
            columns=columns,
            dimension=QualityDimension.COMPLETENESS,
            severity=severity,
            threshold=None,
            text_zh=f"{check_id}不得为空",
            text_en=f"{check_id} must not be empty",
            counted=10,
            failed=len(positions),
            success=not positions,
            positions=np.array(positions, dtype=np.int64),
        )

    return make


@pytest.fixture
def reasons_of():
    def reasons(*results):
        gate = Gate(1.0, allow_empty=True)
        return reasons_table(judge(results, 10, gate, entry_id="a.b", run_id="run-1"))

    return reasons


def test_a_row_has_one_reason_for_each_check_that_it_fails(failed, reasons_of):
    found = reasons_of(failed("a", [2, 5]), failed("b", [0, 2], ("x", "y")))
    assert [tuple(reason.values()) for reason in found.to_pylist()] == [
        (0, "b", "x,y", "b不得为空", "b must not be empty"),
        (2, "a", "name", "a不得为空", "a must not be empty"),
        (2, "b", "x,y", "b不得为空", "b must not be empty"),
        (5, "a", "name", "a不得为空", "a must not be empty"),
    ]


def test_a_warning_is_no_reason(failed, reasons_of):
    assert reasons_of(failed("a", [1], severity=Severity.WARN)).num_rows == 0


def test_no_quarantine_has_the_same_columns(reasons_of, failed):
    assert reasons_of().schema == SCHEMA
    assert reasons_of(failed("a", [1])).schema == SCHEMA
