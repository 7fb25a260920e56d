"""A case by its number, and steps that may not follow each other."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest

from yishu.library import publish_snapshot
from yishu.library.case_file import CaseStage, case_file, course
from yishu.library.errors import CaseMissing, TableMissing
from yishu.library.services import ServiceRule, Services, check_services

CATALOG = SimpleNamespace(
    code_lists={"result_type": SimpleNamespace(codes={"1": "出证办结", "4": "不予许可"})}
)


def at(hour):
    return datetime(2026, 1, 5, hour, tzinfo=UTC)


def put(root, subject, key, **columns):
    batch = pa.RecordBatch.from_pydict(columns)
    facts = {"run_id": "r1", "committed_at": at(1), "read": batch.num_rows}
    publish_snapshot(root, f"subject/{subject}", batch.schema, [batch], key=[key], **facts)


@pytest.fixture
def cases(root):
    """One that is closed with a result, one that jumped and went back, one just applied for."""
    put(
        root, "case_application", "case_no", case_no=["closed", "jumped", "new"],
        applied_at=[at(1)] * 3, accepted_at=[at(2), at(2), None],
    )  # fmt: skip
    steps = [("closed", code, hour) for hour, code in enumerate("1234", 2)]
    steps += [("jumped", "1", 2), ("jumped", "5", 3), ("jumped", "2", 4), ("jumped", "1", 5)]
    numbers, codes, hours = zip(*reversed(steps), strict=True)
    put(
        root, "case_process", "process_no", process_no=[str(n) for n in range(len(steps))],
        case_no=list(numbers), process_step=list(codes), started_at=[at(hour) for hour in hours],
    )  # fmt: skip
    put(
        root, "case_result", "case_no", case_no=["closed"], result_type=["1"],
        decided_on=[date(2026, 1, 6)],
    )  # fmt: skip


@pytest.mark.requirement("SUB-10")
@pytest.mark.parametrize(
    ("codes", "stage"),
    [
        ("", CaseStage.APPLIED),
        ("1", CaseStage.ACCEPTED),
        ("145", CaseStage.DELIVERED),
        ("1223245", CaseStage.DELIVERED),
        ("6126", CaseStage.REVIEWED),
    ],
)
def test_a_case_moves_through_its_stages(codes, stage):
    went = course((code, at(hour)) for hour, code in enumerate(codes))

    assert all(move.is_legal for move in went.moves)
    assert went.stage is stage


@pytest.mark.requirement("SUB-10")
@pytest.mark.parametrize("codes", ["2", "3", "4", "5", "11", "15", "121", "12451", "144", "1455"])
def test_a_step_that_may_not_follow_is_refused_and_the_case_stays_where_it_was(codes):
    went = course((code, at(hour)) for hour, code in enumerate(codes))
    *before, last = went.moves

    assert all(move.is_legal for move in before)
    assert not last.is_legal
    assert went.stage is last.before


def test_an_acceptance_that_was_set_aside_refuses_nothing_that_follows():
    steps = [("2", at(3)), ("3", at(4))]

    assert course(steps, is_accepted=True).stage is CaseStage.DECIDED
    assert course(steps).stage is CaseStage.APPLIED
    assert course([], is_accepted=True).stage is CaseStage.ACCEPTED


@pytest.mark.requirement("SUB-10")
@pytest.mark.usefixtures("cases")
def test_a_case_number_gives_acceptance_progress_and_result(root):
    closed, jumped, new = (case_file(root, CATALOG, one) for one in ("closed", "jumped", "new"))

    assert (closed.stage, closed.accepted_at) == (CaseStage.CLOSED, at(2))
    assert (closed.result, closed.decided_on) == ("出证办结", date(2026, 1, 6))
    assert [move.step.label_zh for move in closed.moves] == ["受理", "审核", "审批", "办结"]
    assert (jumped.stage, jumped.result) == (CaseStage.REVIEWED, None)
    assert [move.is_legal for move in jumped.moves] == [True, False, True, False]
    assert (new.stage, new.accepted_at, new.moves) == (CaseStage.APPLIED, None, ())


@pytest.mark.requirement("SUB-10")
@pytest.mark.usefixtures("cases")
def test_refused_steps_are_findings_for_their_department(root):
    found = check_services(Services(root), [ServiceRule.COURSE]).findings

    assert [(one.case_no, one.found, one.expected) for one in found] == [
        ("jumped", "送达", "审核或审批或办结"),
        ("jumped", "受理", "审核或审批或办结"),
    ]


def test_a_number_that_no_case_has_is_named(root, request):
    with pytest.raises(TableMissing):
        case_file(root, CATALOG, "nobody")
    request.getfixturevalue("cases")
    with pytest.raises(CaseMissing, match="nobody"):
        case_file(root, CATALOG, "nobody")
