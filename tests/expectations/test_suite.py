from datetime import date

import great_expectations as gx
import pandas as pd
import pytest

from expectations.plan import plan
from expectations.suite import suite

FRAME = pd.DataFrame(
    {
        "uscc": ["91320200MA99999962", "91320200MA99999963", None],
        "name": ["甲公司", "名称太长的公司", None],
        "status": ["1", "9", None],
        "person_id": ["11010519491231002X", "110105194912310021", None],
        "phone": ["13800000000", "12000000000", None],
        "capital": [0.0, -1.0, None],
        "capital__read": [True, False, None],
        "registered_on": [date(2020, 1, 1), date(2020, 1, 2), None],
        "registered_on__read": [True, True, None],
        "expires_on": [date(2020, 1, 1), date(2020, 1, 1), None],
        "expires_on__read": [True, True, None],
    },
    dtype=object,
)
"""A right row, a wrong row, an empty row."""


@pytest.fixture
def enterprise_suite(make_entry, catalog):
    return suite(plan(make_entry(), catalog), "enterprise")


@pytest.fixture
def validate_plainly():
    """Runs a suite as anybody would who knows Great Expectations and not this project."""

    def validate(frame, checks, **options):
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("city").add_dataframe_asset("rows")
        whole = asset.add_batch_definition_whole_dataframe("whole")
        batch = whole.get_batch(batch_parameters={"dataframe": frame})
        stored = context.suites.add(checks)
        return batch.validate(context.suites.get(stored.name), **options)

    return validate


def test_a_suite_has_one_expectation_a_check_with_its_id_and_sentences(
    enterprise_suite, make_entry, catalog
):
    checks = plan(make_entry(), catalog)
    about = [(e.meta["check_id"], e.notes, e.description) for e in enterprise_suite.expectations]
    assert about == [(check.id, check.text_zh, check.text_en) for check in checks]


def test_severity_and_threshold_reach_great_expectations(make_entry, catalog):
    rules = {"phone.format": {"severity": "warn", "threshold": 0.25}}
    checks = suite(plan(make_entry(extensions={"checks": rules}), catalog))
    expected = next(e for e in checks.expectations if e.meta["check_id"] == "phone.format")
    assert (expected.severity, expected.mostly) == ("warning", 0.75)


def test_a_plain_context_stores_and_runs_the_suite(enterprise_suite, validate_plainly):
    report = validate_plainly(FRAME, enterprise_suite, result_format="SUMMARY")

    failed = {
        result.expectation_config.meta["check_id"]: result.result["unexpected_count"]
        for result in report.results
    }
    assert failed == {
        "uscc.present": 1,
        "uscc.format": 1,
        "uscc.organisation": 0,
        "name.present": 1,
        "name.length": 1,
        "name.unclassified": 0,
        "status.code_list": 1,
        "person_id.format": 1,
        "phone.format": 1,
        "capital.readable": 1,
        "capital.range": 1,
        "registered_on.present": 1,
        "registered_on.readable": 0,
        "expires_on.readable": 0,
        "uscc.unique": 1,
        "registered_on.ordered.expires_on": 1,
    }
    assert not any(result.exception_info.get("raised_exception") for result in report.results)


def test_a_plain_context_is_content_with_right_rows(enterprise_suite, validate_plainly):
    assert validate_plainly(FRAME.head(1), enterprise_suite).success


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
@pytest.mark.requirement("SEC-11")
def test_a_plain_report_quotes_no_value(enterprise_suite, validate_plainly, result_format):
    report = validate_plainly(FRAME.iloc[[1]], enterprise_suite, result_format=result_format)

    text = str(report.to_json_dict())
    assert not report.success
    for value in ("91320200MA99999963", "名称太长的公司", "110105194912310021", "12000000000"):
        assert value not in text


def test_a_lone_row_without_key_is_no_vacuous_success(enterprise_suite, validate_plainly):
    report = validate_plainly(FRAME.iloc[[2]], enterprise_suite)
    failed = {r.expectation_config.meta["check_id"] for r in report.results if not r.success}
    assert failed == {"uscc.present", "name.present", "registered_on.present", "uscc.unique"}
