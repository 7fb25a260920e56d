"""Duplicate demands, earlier materials, circular proofs, and the four that are the same."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest

from catalog.vocabulary import ShareType
from yishu.library import publish_snapshot
from yishu.library.demands import (
    circular_proofs,
    duplicate_demands,
    earlier_materials,
)
from yishu.library.item_lists import list_conflicts, unpaid_cases
from yishu.library.services import ServiceRule, Services, check_services

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def put(root, table, key, **columns):
    batch = pa.RecordBatch.from_pydict(columns)
    facts = {"run_id": "r1", "committed_at": WHEN, "read": batch.num_rows}
    publish_snapshot(root, table, batch.schema, [batch], key=[key], **facts)


def catalog(share):
    entry = SimpleNamespace(share=SimpleNamespace(type=share))
    codes = {"营业执照": "market.licence", "结婚证": "civil.marriage"}
    return SimpleNamespace(
        entries={"market.licence": entry},
        code_lists={"material_source": SimpleNamespace(codes=codes)},
    )


@pytest.mark.requirement("COL-07")
def test_a_guide_that_asks_for_what_a_shareable_entry_supplies_is_found(root):
    put(
        root, "subject/service_guide", "handling_item_code",
        handling_item_code=["A", "B", "C"],
        materials=[
            '[{"name": "申请书"}, {"name": "营业执照"}]', '[{"name": "结婚证"}]', None,
        ],
    )  # fmt: skip
    assert duplicate_demands(root, catalog(ShareType.UNCONDITIONAL)) == [], "not published yet"
    put(root, "unified/market.licence", "no", no=["1"])

    (found,) = duplicate_demands(root, catalog(ShareType.CONDITIONAL))

    assert (found.handling_item_code, found.material) == ("A", "营业执照")
    assert (found.entry_id, found.share_type) == ("market.licence", ShareType.CONDITIONAL)
    assert duplicate_demands(root, catalog(ShareType.NOT_SHARED)) == []


@pytest.mark.requirement("COL-08")
def test_materials_of_the_same_person_come_back_as_long_as_they_hold(root):
    put(
        root,
        "subject/case_application",
        "case_no",
        case_no=["1", "2", "3"],
        applicant_id_no=["ME", "ME", "OTHER"],
    )
    put(
        root,
        "subject/e_licence",
        "licence_identifier",
        licence_identifier=["L1", "L2"],
        valid_until=[date(2026, 6, 30), date(2025, 1, 1)],
    )
    put(
        root, "subject/case_material", "material_no",
        material_no=["a", "b", "c", "d"],
        case_no=["1", "1", "2", "3"],
        material_name=["申请书", "证照", "旧证照", "别人的"],
        licence_identifier=[None, "L1", "L2", None],
        submitted_at=[datetime(2025, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
        is_electronic=[False] * 4,
        seal_result=pa.nulls(4, pa.string()),
    )  # fmt: skip

    def found(on):
        return earlier_materials(root, "ME", on)["material_no"].to_pylist()

    assert found(date(2026, 6, 30)) == ["b", "a"]
    assert found(date(2026, 7, 1)) == ["a"]
    assert earlier_materials(root, "NOBODY", date(2026, 1, 1)).num_rows == 0


@pytest.mark.requirement("SEC-10")
def test_what_bears_an_invalid_or_unverified_seal_does_not_count_as_submitted(root):
    put(
        root, "subject/case_application", "case_no",
        case_no=["1"], applicant_id_no=["ME"], implementation_code=["ITEM"],
    )  # fmt: skip
    put(
        root,
        "subject/e_licence",
        "licence_identifier",
        licence_identifier=["L"],
        valid_until=[WHEN],
    )
    put(
        root, "subject/case_material", "material_no",
        material_no=["paper", "valid", "unsigned", "invalid", "unverified", "of another"],
        case_no=["1", "1", "1", "1", "1", "gone"],
        material_name=["甲", "乙", "丙", "丁", "戊", "己"],
        licence_identifier=pa.nulls(6, pa.string()),
        submitted_at=[WHEN] * 6,
        is_electronic=[False, True, True, True, True, True],
        seal_result=[None, "valid", "unsigned", "invalid", None, "invalid"],
    )  # fmt: skip

    earlier = earlier_materials(root, "ME", date(2026, 1, 1))["material_no"].to_pylist()
    found = check_services(Services(root), [ServiceRule.SEAL]).findings

    assert sorted(earlier) == ["paper", "unsigned", "valid"]
    assert [(one.case_no, one.item, one.element, one.found) for one in found] == [
        ("1", "ITEM", "办理材料：丁", "核验无效"),
        ("1", "ITEM", "办理材料：戊", "未核验"),
        ("gone", "", "办理材料：己", "核验无效"),
    ]


@pytest.mark.requirement("COL-08")
def test_items_that_need_each_others_result_are_a_circle():
    demands = [("A", "b"), ("B", "c"), ("C", "a"), ("D", "a"), ("E", "e"), ("F", "nobody's")]
    results = [("A", "a"), ("B", "b"), ("C", "c"), ("D", "d"), ("E", "e")]

    assert circular_proofs(demands, results) == [("A", "B", "C"), ("E",)]
    assert circular_proofs(demands[:2], results) == []


@pytest.mark.requirement("SUB-11")
def test_items_that_do_not_fit_their_list_are_found(root):
    put(
        root,
        "subject/service_item",
        "implementation_code",
        implementation_code=["A", "B", "C"],
        visit_count=[0, 1, 2],
    )
    put(
        root, "subject/service_list", "list_member_no",
        list_member_no=[str(number) for number in range(6)],
        implementation_code=["A", "B", "B", "C", "C", "A"],
        service_list=["no_meeting", "no_meeting", "one_meeting", "one_visit", "online", "online"],
    )  # fmt: skip

    found = [
        (one.implementation_code, one.service_list, one.reason) for one in list_conflicts(root)
    ]

    assert found == [
        ("B", "no_meeting", "too_many_visits"),
        ("B", "no_meeting", "one_meeting"),
        ("C", "one_visit", "too_many_visits"),
    ]


@pytest.mark.requirement("SUB-18")
def test_an_accepted_case_of_a_charged_item_without_payment_is_flagged(root):
    put(
        root,
        "subject/service_item",
        "implementation_code",
        implementation_code=["fee", "free"],
        is_charged=[True, False],
    )
    put(
        root, "subject/case_application", "case_no",
        case_no=["paid", "unpaid", "not accepted", "free of charge"],
        implementation_code=["fee", "fee", "fee", "free"],
        accepted_at=[WHEN, WHEN, None, WHEN],
    )  # fmt: skip
    put(root, "subject/case_payment", "payment_no", payment_no=["1"], case_no=["paid"])

    assert unpaid_cases(root) == [("unpaid", "fee")]
