"""Guide accuracy: each rule right and wrong, one finding an item and element, totals."""

import json

import pyarrow as pa
import pytest

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType
from expectations.guide import completeness, findings, totals
from expectations.guide_elements import FIELDS, S003_CONTENT, STAGES, GuideElement
from expectations.guide_rules import RULES, guide_checks
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.run import carried_out
from expectations.spans import ColumnView

GROUPS = (
    "basic_info",
    "department_info",
    "windows",
    "acceptance_criteria",
    "application_scope",
    "application_conditions",
    "acceptance_discretion",
    "process_flow",
    "handling_steps",
    "handling_discretion",
    "time_limits",
    "fees",
    "approval_result",
    "advice_and_complaints",
)
"""Items that tell a whole element, or a stage of it, in one text."""

STEPS = json.dumps(
    [{"name": n, "days": 1} for n in ("受理", "审核", "审批", "办结", "送达")], ensure_ascii=False
)
FORM = {
    "name": "申请表",
    "basis": "《办法》第三条",
    "format": "PDF",
    "copies": 1,
    "signature": "签名",
    "is_form": True,
    "blank_form": "blank.pdf",
    "sample_form": "sample.pdf",
}
GOOD = {
    "item_name": "食品经营许可",
    "implementation_code": "11370800MB285591843370117002011",
    "basic_code": "370117002011",
    "item_type": "01",
    "service_object": "2",
    "case_type": "2",
    "exercise_level": "3",
    "online_depth": "4",
    "visit_count": 1,
    "visit_reason": "现场核验",
    "accepts_post": True,
    "person_theme": None,
    "legal_theme": "设立变更",
    "org_name": "市行政审批局",
    "org_uscc": "11320200MB1234567X",
    "body_nature": "1",
    "window_address": "观山路199号1楼3号窗口",
    "working_hours": "工作日9:00-17:00",
    "acceptance_conditions": "有固定经营场所",
    "materials": json.dumps([FORM], ensure_ascii=False),
    "process_steps": STEPS,
    "statutory_days": 20,
    "promised_days": 10,
    "is_charged": False,
    "charge_standard": None,
    "pays_online": False,
    "result_name": "食品经营许可证",
    "result_type": "1",
    "result_sample": "sample.jpg",
    "legal_basis": "《食品安全法》第三十五条",
    "questions": "如何延续？",
    "consult_phone": "0510-81234567",
    "complaint_phone": "0510-81234568",
    "rights_and_duties": "依法陈述申辩",
    "legal_remedy": "行政复议",
    **dict.fromkeys(GROUPS, "已写明"),
}
TYPES = {
    **dict.fromkeys(("visit_count", "statutory_days", "promised_days"), DataType.INTEGER),
    **dict.fromkeys(("accepts_post", "is_charged", "pays_online"), DataType.BOOLEAN),
}
ARROW = {DataType.INTEGER: pa.int64(), DataType.BOOLEAN: pa.bool_(), DataType.STRING: pa.string()}


def without(steps, **changes):
    return json.dumps([{**FORM, **changes}] if steps is None else steps, ensure_ascii=False)


BROKEN = {
    "instant_case": {"promised_days": 0, "process_steps": "[]"},
    "promised_case": {"case_type": "1"},
    "result_licence": {"result_type": "2"},
    "result_document": {"result_name": "备案文"},
    "result_reply": {"result_name": "立项批复"},
    "result_type_given": {"result_type": None},
    "result_sample_given": {"result_sample": None},
    "visits_reason": {"visit_reason": None},
    "no_visits_no_reason": {"visit_count": 0},
    "no_visits_by_post": {"visit_count": 0, "accepts_post": False},
    "online_no_visits": {"online_depth": "4^7"},
    "phones_differ": {"complaint_phone": "0510-81234567"},
    "consult_area_code": {"consult_phone": "81234567"},
    "complaint_area_code": {"complaint_phone": "12345"},
    "hours_say_workdays": {"working_hours": "9:00-17:00"},
    "address_to_the_door": {"window_address": "观山路199号"},
    "theme_fits_object": {"service_object": "1"},
    "permit_questions": {"questions": None},
    "permit_steps": {"process_steps": without([{"name": "受理", "days": 1}])},
    "steps_in_order": {"process_steps": without([{"name": "审批"}, {"name": "受理"}])},
    "step_days": {"process_steps": STEPS.replace('"days": 1', '"days": 3')},
    "promise_within_statute": {"promised_days": 21},
    "free_means_no_payment": {"pays_online": True},
    "charge_standard_given": {"is_charged": True},
    "materials_whole": {"materials": without(None, basis="")},
    "forms_given": {"materials": without(None, sample_form=None)},
    **{
        rule: {rule.removesuffix("_given"): None}
        for rule in RULES
        if rule.endswith("_given")
        and rule.removesuffix("_given") not in {"result_type", "result_sample", "charge_standard"}
        and rule not in {"permit_questions", "forms_given"}
    },
}


def item(field):
    kind = TYPES.get(field, DataType.STRING)
    return {"name": field, "field": field, "type": kind, "sensitivity": "none"}


@pytest.fixture
def entry(make_entry) -> CatalogEntry:
    """A service-item entry with every element of a guide."""
    return make_entry(
        items=[item(field) for field in GOOD],
        key=["implementation_code"],
        data_kind="service_item",
        quality={},
    )


@pytest.fixture
def results_of(entry, catalog):
    """Results of the guide's checks over rows."""

    def results(rows):
        wanted = (CheckKind.GUIDE, CheckKind.CLEAR_WORDING, CheckKind.PRESENT)
        checks = [check for check in plan(entry, catalog) if check.kind in wanted]

        def column(field, _):
            kind = ARROW[TYPES.get(field, DataType.STRING)]
            return ColumnView(pa.chunked_array([pa.array([row[field] for row in rows], kind)]))

        found, _ = carried_out(checks, len(rows), column)
        return [found[check.id] for check in checks]

    return results


def test_every_rule_has_a_case_that_breaks_it():
    assert set(BROKEN) == set(RULES)


@pytest.mark.requirement("QUA-06", "QUA-07", "QUA-08", "QUA-09", "SUB-06")
def test_a_right_guide_keeps_every_rule_and_each_broken_one_is_found(results_of):
    names = [rule for rule in BROKEN if rule != "implementation_code_given"]
    results = results_of([GOOD, *({**GOOD, **BROKEN[name]} for name in names)])
    failed = {
        r.check_id.removeprefix("guide."): r.positions.tolist()
        for r in results
        if r.kind is CheckKind.GUIDE
    }
    assert not any(0 in rows for rows in failed.values())
    missed = [name for number, name in enumerate(names, 1) if number not in failed[name]]
    assert missed == []


@pytest.mark.requirement("QUA-06")
def test_there_is_one_finding_an_item_and_element_with_all_its_rules(results_of):
    bad = {**GOOD, "consult_phone": "81234567", "complaint_phone": "81234567", "legal_basis": None}
    found = findings(results_of([GOOD, bad]), 2)
    assert len(found) == 2 * len(GuideElement)
    odd = {(one.row, one.element): (one.state, one.checks) for one in found if one.state != "ok"}
    assert odd == {
        (1, GuideElement.CONTACT): (
            "wrong",
            ("guide.phones_differ", "guide.consult_area_code", "guide.complaint_area_code"),
        ),
        (1, GuideElement.LEGAL_BASIS): ("missing", ("guide.legal_basis_given",)),
    }
    assert totals(found, ["甲局", "乙局"]) == {
        "甲局": {"ok": 14, "missing": 0, "wrong": 0},
        "乙局": {"ok": 12, "missing": 1, "wrong": 1},
    }


@pytest.mark.requirement("SUB-07")
def test_a_guide_has_fourteen_elements_and_completeness_counts_the_filled_ones(results_of):
    bare = {**GOOD, "rights_and_duties": None, "legal_remedy": "无"}
    shares = completeness(findings(results_of([GOOD, bare]), 2))
    assert len(GuideElement) == 14
    assert shares == {0: 1.0, 1: pytest.approx(12 / 14)}


@pytest.mark.requirement("SUB-08", "SUB-09")
def test_every_further_content_and_every_stage_stands_on_elements_with_items():
    contents = ("依据条件", "流程时限", "收费标准", "注意事项", "材料名称", "材料依据", "材料格式")
    contents += ("材料份数", "签名签章", "空白表格", "填写说明", "样表")
    assert set(S003_CONTENT) == set(contents)
    assert set(STAGES) == {"申办", "受理", "办理"}
    carried = {field for fields in FIELDS.values() for field in fields}
    assert {field for fields in STAGES.values() for field in fields} <= carried
    assert set(S003_CONTENT.values()) <= set(FIELDS)
    assert all(FIELDS[element] for element in GuideElement)


@pytest.mark.requirement("QUA-10")
def test_vague_wording_of_a_guide_is_a_finding_of_its_element(results_of):
    vague = {**GOOD, "acceptance_conditions": "法律、法规规定的其他条件"}
    found = findings(results_of([vague]), 1)
    (odd,) = [one for one in found if one.state != "ok"]
    assert (odd.element, odd.checks) == (
        GuideElement.ACCEPTANCE,
        ("acceptance_conditions.clear_wording",),
    )


def test_only_rules_whose_columns_the_entry_has_are_planned(make_entry):
    entry = make_entry(items=[item("promised_days")], key=["promised_days"], quality={})
    assert [draft["id"] for draft in guide_checks(entry)] == ["guide.promised_days_given"]


def test_guide_checks_warn_unless_a_decision_says_otherwise(entry, catalog):
    severities = {c.severity for c in plan(entry, catalog) if c.kind is CheckKind.GUIDE}
    assert severities == {"warn"}


@pytest.mark.parametrize("text", ["not json", "{}", '["a"]', "[1]", "", None])
def test_a_list_that_is_none_is_a_missing_element_and_no_crash(results_of, text):
    results = {r.check_id: r for r in results_of([{**GOOD, "process_steps": text}])}
    assert results["guide.permit_steps"].failed == 1
