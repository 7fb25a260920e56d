import subprocess
import sys
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pyarrow as pa
import pytest

from catalog.model import CodeList
from catalog.vocabulary import ItemFormat, QualityDimension, Severity
from expectations.errors import PlanImpossible
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.remedy import FIXES


@pytest.fixture
def planned(make_entry, catalog):
    """Checks of the enterprise entry by id."""
    return {check.id: check for check in plan(make_entry(), catalog)}


def test_every_promise_of_the_entry_becomes_a_check_in_item_order(planned):
    assert list(planned) == [
        "uscc.present",
        "uscc.format",
        "uscc.organisation",
        "name.present",
        "name.length",
        "name.unclassified",
        "status.code_list",
        "person_id.format",
        "phone.format",
        "capital.readable",
        "capital.range",
        "registered_on.present",
        "registered_on.readable",
        "expires_on.readable",
        "uscc.unique",
        "registered_on.ordered.expires_on",
    ]


@pytest.mark.parametrize(
    ("check_id", "text_zh", "text_en"),
    [
        ("name.present", "企业名称不得为空", "name must not be empty"),
        ("name.length", "企业名称不得超过6个字符", "name must not be longer than 6 characters"),
        (
            "uscc.format",
            "统一社会信用代码必须符合统一社会信用代码规则（GB 32100-2015）",
            "uscc must be a valid uscc (GB 32100-2015)",
        ),
        ("phone.format", "联系电话必须符合移动电话规则", "phone must be a valid mobile_phone"),
        (
            "status.code_list",
            "登记状态必须是《登记状态》中的代码",
            "status must be a code of status",
        ),
        ("capital.range", "注册资本不得小于0万元", "capital must not be below 0"),
        (
            "registered_on.readable",
            "登记日期必须能读作日期",
            "registered_on must be readable as date",
        ),
        (
            "uscc.unique",
            "主键统一社会信用代码不得为空且不得重复",
            "key uscc must be given and unique",
        ),
        (
            "registered_on.ordered.expires_on",
            "登记日期不得晚于到期日期",
            "registered_on must not be after expires_on",
        ),
    ],
)
def test_the_sentence_names_the_item(planned, check_id, text_zh, text_en):
    assert (planned[check_id].text_zh, planned[check_id].text_en) == (text_zh, text_en)


def test_dimensions_follow_the_data_quality_standard(planned):
    assert planned["name.present"].dimension is QualityDimension.COMPLETENESS
    assert planned["uscc.format"].dimension is QualityDimension.CONFORMITY
    assert planned["uscc.unique"].dimension is QualityDimension.ACCURACY
    assert planned["registered_on.ordered.expires_on"].dimension is QualityDimension.CONSISTENCY


def test_a_key_is_checked_for_presence_even_if_its_item_is_called_nullable(make_entry, catalog):
    checks = {check.id for check in plan(make_entry(key=["person_id", "phone"]), catalog)}
    assert {"person_id.present", "phone.present", "person_id.unique.phone"} <= checks


def test_further_unique_groups_do_not_demand_presence(make_entry, catalog):
    checks = plan(make_entry(quality={"unique": [["name", "phone"], ["uscc"]]}), catalog)
    unique = [check for check in checks if check.kind is CheckKind.UNIQUE]
    assert [(check.columns, check.args["is_key"]) for check in unique] == [
        (("uscc",), True),
        (("name", "phone"), False),
    ]


def test_an_item_has_the_format_and_code_list_of_its_element(make_entry, catalog):
    catalog.elements["party.phone"] = SimpleNamespace(
        format=ItemFormat.POSTCODE, code_list="status"
    )
    item = {"name": "甲", "field": "a", "type": "string", "sensitivity": "none"}
    entry = make_entry(items=[{**item, "element": "party.phone"}], key=["a"], quality={})
    assert {check.id for check in plan(entry, catalog)} == {
        "a.present",
        "a.code_list",
        "a.format",
        "a.unique",
    }


def test_severity_and_threshold_of_a_check_come_from_the_entry(make_entry, catalog):
    rules = {"phone.format": {"severity": "warn"}, "name.length": {"threshold": 0.05}}
    checks = {check.id: check for check in plan(make_entry(extensions={"checks": rules}), catalog)}
    assert checks["phone.format"].severity is Severity.WARN
    assert checks["phone.format"].threshold is None
    assert checks["name.length"].severity is Severity.FAIL
    assert checks["name.length"].threshold == 0.05


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"phone.lenght": {"severity": "warn"}}, "phone.lenght"),
        ({"phone.format": {"threshold": 2}}, "phone.format.threshold"),
        ({"phone.format": {"severty": "warn"}}, "phone.format.severty"),
    ],
    ids=["unknown check", "share above 1", "misspelt key"],
)
def test_a_rule_that_means_nothing_is_refused(make_entry, catalog, rules, named):
    with pytest.raises(PlanImpossible, match=named):
        plan(make_entry(extensions={"checks": rules}), catalog)


def test_an_unknown_code_list_is_refused_with_its_name(make_entry):
    with pytest.raises(PlanImpossible, match="code list status"):
        plan(make_entry(), SimpleNamespace(code_lists={}, elements={}))


def test_an_order_between_a_number_and_a_date_is_refused(make_entry, catalog):
    quality = {"ordered": [{"earlier": "capital", "later": "expires_on"}]}
    with pytest.raises(PlanImpossible, match="types money and date"):
        plan(make_entry(quality=quality), catalog)


def test_planning_does_not_import_great_expectations():
    code = "import sys, expectations.plan, expectations.run; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "great_expectations" not in loaded.stdout.split()


OLD_AND_NEW = CodeList(
    id="status",
    name="登记状态",
    standard="x",
    codes={"1": "在业", "2": "注销", "3": "迁出"},
    periods={"2": {"until": "2016-02-19"}, "3": {"since": "2016-02-20"}},
)


def test_a_code_list_of_periods_gives_the_codes_of_the_day_of_the_data(make_entry, catalog):
    """Without a day beside the code, the day of the pull decides, in the city's time."""
    catalog.code_lists["status"] = OLD_AND_NEW

    def codes(at):
        checks = {check.id: check for check in plan(make_entry(), catalog, at=at)}
        return checks["status.code_list"].args["codes"]

    assert codes(datetime(2016, 2, 19, 15, 59, tzinfo=UTC)) == ("1", "2")
    assert codes(datetime(2016, 2, 19, 16, 0, tzinfo=UTC)) == ("1", "3")
    assert codes(None) == ("1", "2", "3")


def test_a_code_beside_a_day_is_held_against_the_codes_of_that_day(make_entry, catalog, failing):
    catalog.code_lists["status"] = OLD_AND_NEW
    in_force = [{"code": "status", "day": "registered_on"}]
    entry = make_entry(quality={"in_force": in_force})
    at = datetime(2026, 11, 26, tzinfo=UTC)
    checks = {check.id: check for check in plan(entry, catalog, at=at)}

    assert checks["status.code_list"].args["codes"] == ("1", "2", "3")
    check = checks["status.valid_on.registered_on"]
    assert check.text_zh == "登记状态应在登记日期当日有效（《登记状态》）"
    days = [date(2016, 2, 19), date(2016, 2, 20), date(2016, 2, 19), date(2016, 2, 20), None]
    values = {"status": ["2", "2", "3", "1", "2"], "registered_on": pa.array(days)}
    assert failing(CheckKind.VALID_ON, values, **check.args) == [1, 2]


def test_a_list_whose_codes_are_always_in_force_needs_no_day(make_entry, catalog):
    entry = make_entry(quality={"in_force": [{"code": "status", "day": "registered_on"}]})
    assert not [check for check in plan(entry, catalog) if check.kind is CheckKind.VALID_ON]


def test_every_kind_of_check_has_a_way_out_of_its_own():
    assert set(FIXES) == set(CheckKind)
