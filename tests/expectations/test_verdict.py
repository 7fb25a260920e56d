import json

import numpy as np
import pytest

from catalog.vocabulary import QualityDimension, Severity
from expectations.kinds import CheckKind
from expectations.verdict import CheckResult, Gate, Verdict, judge, scores

IDS = {"entry_id": "market_regulation.enterprise", "run_id": "run-1"}


def result(check_id="name.present", positions=(), counted=10, **changes):
    facts = {
        "check_id": check_id,
        "kind": CheckKind.PRESENT,
        "columns": ("name",),
        "dimension": QualityDimension.COMPLETENESS,
        "severity": Severity.FAIL,
        "threshold": None,
        "text_zh": "企业名称不得为空",
        "text_en": "name must not be empty",
        "counted": counted,
        "failed": len(positions),
        "success": not positions,
        "positions": np.array(positions, dtype=np.int64),
    }
    return CheckResult(**facts | changes)


def late():
    return result(
        "delivery.timely",
        counted=1,
        kind=CheckKind.TIMELY,
        dimension=QualityDimension.TIMELINESS,
        severity=Severity.WARN,
        failed=1,
        success=False,
    )


def test_quarantined_rows_are_the_union_over_failing_checks_of_severity_fail():
    warn = result("c", [7], severity=Severity.WARN)
    verdict = judge([result("a", [1, 4]), result("b", [4, 5]), warn], 10, Gate(1, False), **IDS)
    assert verdict.quarantined.tolist() == [1, 4, 5]
    assert verdict.quarantined_rows == 3
    assert verdict.quarantined_share == 0.3


@pytest.mark.requirement("COL-02")
@pytest.mark.parametrize(("limit", "passed"), [(0.3, True), (0.29, False)])
def test_the_batch_is_blocked_above_the_share_that_the_entry_tolerates(limit, passed):
    verdict = judge([result("a", [1, 4, 5])], 10, Gate(limit, False), **IDS)
    assert verdict.passed is passed
    assert verdict.blocked_by == (() if passed else ("quarantined_share",))


@pytest.mark.parametrize(
    ("changes", "blocked_by"),
    [
        ({"threshold": 0.05, "success": False}, ("a",)),
        ({"threshold": 0.5, "success": True}, ()),
        ({"threshold": None, "success": False}, ()),
        ({"threshold": 0.05, "success": False, "severity": Severity.WARN}, ()),
    ],
    ids=["beyond its threshold", "within it", "no threshold of its own", "only a warning"],
)
def test_a_check_blocks_the_batch_beyond_its_own_threshold(changes, blocked_by):
    verdict = judge([result("a", [1], **changes)], 10, Gate(1, False), **IDS)
    assert verdict.blocked_by == blocked_by


@pytest.mark.parametrize(("allow_empty", "passed"), [(True, True), (False, False)])
def test_an_empty_run_passes_only_if_the_entry_says_so(allow_empty, passed):
    verdict = judge([result(counted=0)], 0, Gate(0.2, allow_empty), **IDS)
    assert verdict.passed is passed
    assert verdict.quarantined_share == 0.0
    assert verdict.blocked_by == (() if passed else ("empty",))


def test_one_bad_row_of_one_is_all_of_them():
    verdict = judge([result(positions=[0], counted=1)], 1, Gate(0.99, False), **IDS)
    assert (verdict.quarantined_share, verdict.passed) == (1.0, False)


def test_all_rows_bad_pass_only_a_gate_that_tolerates_all():
    bad = [result(positions=range(10))]
    assert not judge(bad, 10, Gate(0.999, False), **IDS).passed
    assert judge(bad, 10, Gate(1.0, False), **IDS).passed


@pytest.mark.requirement("COL-02")
def test_accuracy_completeness_and_timeliness_are_scored():
    accuracy = {"dimension": QualityDimension.ACCURACY}
    found = scores([result("a", [1]), result("b"), result("c", [1, 2], 4, **accuracy), late()])
    assert [(s.dimension, s.counted, s.failed, s.score) for s in found] == [
        (QualityDimension.COMPLETENESS, 20, 1, 0.95),
        (QualityDimension.ACCURACY, 4, 2, 0.5),
        (QualityDimension.TIMELINESS, 1, 1, 0.0),
    ]


def test_what_was_not_counted_has_no_score():
    assert scores([result(counted=0)])[0].score is None


def test_a_late_delivery_is_flagged_and_not_blocked():
    assert judge([late()], 10, Gate(0.0, False), **IDS).passed


@pytest.mark.requirement("QUA-02")
def test_the_json_tells_quantity_quality_and_freshness_of_a_run():
    verdict = judge([result("a", [1, 4]), late()], 10, Gate(0.1, False), **IDS)

    told = json.loads(verdict.to_json())

    assert (told["entry_id"], told["run_id"]) == ("market_regulation.enterprise", "run-1")
    assert (told["rows"], told["quarantined_rows"], told["quarantined_share"]) == (10, 2, 0.2)
    assert (told["passed"], told["blocked_by"]) == (False, ["quarantined_share"])
    assert [(s["dimension"], s["score"]) for s in told["scores"]] == [
        ("completeness", 0.8),
        ("timeliness", 0.0),
    ]
    assert told["results"][0]["share"] == 0.2
    assert told["results"][0]["text_zh"] == "企业名称不得为空"
    assert "positions" not in told["results"][0]
    assert "quarantined" not in told


def test_a_verdict_comes_back_from_its_json_without_row_numbers():
    checks = [result("a", [1, 4]), result("b", threshold=0.5, severity=Severity.WARN)]
    verdict = judge(checks, 10, Gate(0.1, False), **IDS)

    again = Verdict.from_json(verdict.to_json())

    assert again == verdict
    assert again.quarantined.tolist() == []
    assert again.results[0].severity is Severity.FAIL
    assert again.results[0].kind is CheckKind.PRESENT
