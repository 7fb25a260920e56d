"""What the check of services finds in the city is what was planted there, and nothing else."""

import csv
import json
from collections import Counter, defaultdict
from datetime import date

import openpyxl
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from catalog.roles import Role
from example import hall
from example.guides import FORMS
from yishu.cli import app
from yishu.governance import accounts
from yishu.ledger.journal import Actor
from yishu.library import subject_table
from yishu.library.case_file import CaseStage
from yishu.library.read import read
from yishu.library.services import ServiceRule, Services, check_services

GUIDE = "administrative_approval.service_guide"
MATERIAL = "administrative_approval.case_material"
MEMBER = "administrative_approval.service_package_member"


def file_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@pytest.fixture(scope="module")
def library(published_city, subjects):
    ctx, _ = published_city
    return ctx.settings.library_dir


@pytest.fixture(scope="module")
def services(city, library):
    """The published city with what its hall keeps."""
    at = city.folder / hall.FOLDER
    return Services(
        library,
        at / hall.FORMS_FOLDER,
        file_rows(at / hall.GUIDES_FILE),
        file_rows(at / hall.NOTICES_FILE),
    )


@pytest.fixture(scope="module")
def checked(services):
    return check_services(services)


@pytest.fixture(scope="module")
def found(checked):
    """Findings by rule."""
    by_rule = defaultdict(list)
    for one in checked.findings:
        by_rule[one.rule].append(one)
    return by_rule


def rows_of(library, subject):
    return read(library, subject_table(subject)).to_pylist()


def planted(city, entry, kind):
    """Keys of the rows of an entry that got a fault."""
    groups = city.manifest.faults_of(entry)
    return {key for group in groups if group.kind == kind for key in group.keys}


def test_every_rule_is_carried_out_over_the_city(checked):
    assert checked.unchecked == {}
    assert all(
        one.text_zh and (one.item or one.case_no) and one.element for one in checked.findings
    )


@pytest.mark.requirement("QUA-09")
def test_forms_that_are_not_there_or_do_not_open_are_found_with_their_guides(
    city, library, found, checked
):
    guides = rows_of(library, "service_guide")
    mandates = {g["handling_item_code"] for g in guides if hall.BROKEN_FORM in str(g["materials"])}
    moved = planted(city, GUIDE, "dead_link") & {g["handling_item_code"] for g in guides}

    told = {(one.item, one.found) for one in found[ServiceRule.FORM]}

    assert moved
    assert mandates
    missing = f"moved_{FORMS['申请书'][1]}：无此文件"
    broken = f"{hall.BROKEN_FORM}：文件打不开"
    assert told == {(code, missing) for code in moved} | {(code, broken) for code in mandates}
    assert {one.state for one in checked.forms} == {"ok", "missing", "broken"}
    assert all(one.sha256 for one in checked.forms if one.state == "ok")


@pytest.mark.requirement("QUA-13")
def test_cases_that_were_asked_for_more_than_their_guide_says_are_named(city, library, found):
    guided = {g["implementation_code"] for g in rows_of(library, "service_guide") if g["materials"]}
    item_of = {
        row["case_no"]: row["implementation_code"] for row in rows_of(library, "case_application")
    }
    wanted = planted(city, MATERIAL, "beyond_guide")
    judged = {
        row["case_no"]
        for row in rows_of(library, "case_material")
        if row["material_no"] in wanted and item_of.get(row["case_no"]) in guided
    }

    beyond = found[ServiceRule.BEYOND_GUIDE]

    assert judged
    assert {one.case_no for one in beyond} == judged
    assert {(one.element, one.found) for one in beyond} == {("办理材料", "无犯罪记录证明")}
    assert all("申请书" in one.expected and one.item in guided for one in beyond)


@pytest.mark.requirement("QUA-12")
def test_a_supplement_notice_may_name_only_what_the_guide_asks_for(services, found):
    sly = {n["case_no"] for n in services.notices if n["material_name"] == hall.NOT_ASKED_FOR}

    assert len(sly) == 2
    assert {one.case_no for one in found[ServiceRule.NOTICE]} <= sly
    assert len(found[ServiceRule.NOTICE]) >= 1


@pytest.mark.requirement("QUA-12")
def test_guides_of_windows_and_site_differ_in_what_was_planted(city, library, services, found):
    """Old fees at two windows; and what the department's own faults make of the site's guides."""
    old = {row["handling_item_code"] for row in services.window if row["fees"] == hall.OLD_FEES}
    online = {row["handling_item_code"] for row in rows_of(library, "service_guide")}
    window = {row["handling_item_code"] for row in services.window}
    expected = {(code, "fees") for code in old & online}
    expected |= {(code, "handling_item_code") for code in window - online}
    for kind, element in (
        ("null_spelling", "materials"),
        ("dead_link", "materials"),
        ("dangling_link", "implementation_code"),
    ):
        expected |= {(code, element) for code in planted(city, GUIDE, kind) & online}

    told = {(one.item, one.element): one for one in found[ServiceRule.WINDOW]}

    assert len(old) == 2
    assert set(told) == expected
    differing = next(one for one in told.values() if one.element == "fees")
    assert differing.found == hall.OLD_FEES
    assert differing.expected.startswith("fees：")


@pytest.mark.requirement("SUB-12")
def test_packages_whose_members_were_quarantined_have_a_gap(city, library, found):
    kept = Counter(row["package_code"] for row in rows_of(library, "service_package_member"))
    packages = {row["package_code"]: row for row in rows_of(library, "service_package")}
    by_element = defaultdict(set)
    for one in found[ServiceRule.PACKAGE]:
        by_element[one.element].add(one.item)

    last_only = {code for code, count in kept.items() if count < 4} - by_element["position"]
    assert by_element["position"]
    assert by_element["position"] <= {code for code, count in kept.items() if count < 4}
    for code in last_only:
        numbers = sorted(
            row["position"]
            for row in rows_of(library, "service_package_member")
            if row["package_code"] == code
        )
        assert numbers == list(range(1, len(numbers) + 1))
    assert by_element["package_code"] == kept.keys() - packages.keys()
    assert by_element["package_code"]
    one_set = {code for code, row in packages.items() if not row["has_one_set"]}
    assert by_element["一套材料"] == one_set


@pytest.mark.requirement("SUB-11", "SUB-18", "COL-08")
def test_lists_payments_and_proofs_are_checked_too(library, found):
    """The city's lists fit its items; charged cases without a payment are those of a plain join."""
    charged = {
        row["implementation_code"] for row in rows_of(library, "service_item") if row["is_charged"]
    }
    paid = {row["case_no"] for row in rows_of(library, "case_payment")}
    unpaid = {
        row["case_no"]
        for row in rows_of(library, "case_application")
        if row["accepted_at"] and row["implementation_code"] in charged
    } - paid

    assert {one.case_no for one in found[ServiceRule.UNPAID]} == unpaid
    assert found[ServiceRule.LIST] == []
    assert found[ServiceRule.CIRCLE] == []


@pytest.mark.requirement("SUB-10")
def test_steps_of_all_cases_are_in_order_and_of_the_stages_that_there_are(city, found):
    codes = city.release.code_lists["process_step"].codes

    assert codes == {
        stage.value: stage.label_zh for stage in CaseStage if stage is not CaseStage.APPLIED
    } | {"6": "特别程序"}, "a special procedure is a step and no stage"
    assert found[ServiceRule.COURSE] == []


@pytest.mark.requirement("SEC-10")
def test_every_material_with_an_invalid_seal_is_named_with_its_case(library, found):
    invalid = [
        (row["case_no"], row["material_name"])
        for row in rows_of(library, "case_material")
        if row["seal_result"] == "invalid"
    ]

    named = [
        (one.case_no, one.element.removeprefix("办理材料：")) for one in found[ServiceRule.SEAL]
    ]

    assert invalid
    assert sorted(named) == sorted(invalid)


def test_a_rule_without_its_file_or_table_says_so(tmp_path, library):
    unchecked = check_services(Services(library)).unchecked
    assert set(unchecked) == {ServiceRule.FORM, ServiceRule.WINDOW, ServiceRule.NOTICE}
    empty = check_services(Services(tmp_path), [ServiceRule.PACKAGE]).unchecked
    assert "subject/service_package" in empty[ServiceRule.PACKAGE]


@pytest.fixture
def yishu(published_city, monkeypatch):
    """The command on the published city."""
    ctx, _ = published_city
    monkeypatch.setenv("YISHU_VAR_DIR", str(ctx.settings.var_dir))
    monkeypatch.setenv("YISHU_DATABASE_URL", ctx.ledger_url)

    def run(*arguments, given=None, expect=0):
        result = CliRunner().invoke(app, ["services", *arguments], input=given)
        assert result.exit_code == expect, result.output
        return result.stdout

    return run


@pytest.mark.requirement("QUA-09", "QUA-12", "QUA-13", "SUB-12")
def test_the_command_tells_all_findings_and_writes_them_to_a_workbook(
    yishu, city, checked, tmp_path
):
    at = city.folder / hall.FOLDER
    options = [
        "--forms", str(at / hall.FORMS_FOLDER), "--window", str(at / hall.GUIDES_FILE),
        "--notices", str(at / hall.NOTICES_FILE), "--to", str(tmp_path / "found.xlsx"),
    ]  # fmt: skip

    told = json.loads(yishu("check", *options, "--json"))

    assert len(told["findings"]) == sum(told["counts"].values()) == len(checked.findings)
    sheet = openpyxl.load_workbook(tmp_path / "found.xlsx").active
    assert sheet.max_row == len(checked.findings) + 1
    assert "not checked: form" in yishu("check", "--rule", "form", "--rule", "list")


def test_a_guide_of_the_windows_that_is_there_twice_is_refused(yishu, tmp_path):
    path = tmp_path / "window.csv"
    path.write_text("handling_item_code,fees\nA,0\nA,5\n", "utf-8")

    told = json.loads(yishu("check", "--window", str(path), "--json", expect=1))

    assert told["error"]["found"] == "handling_item_code `A` twice"


@pytest.mark.requirement("COL-08")
def test_earlier_materials_are_looked_up_on_record_and_without_the_number_in_sight(
    yishu, library, published_city
):
    ctx, _ = published_city
    officer = Actor("person-he", "he.ping", Role.DEPARTMENT_OFFICER, "administrative_approval")
    with ctx.engine.begin() as connection:
        accounts.add(connection, officer, "he.ping", valid_from=date(2020, 1, 1))
    handed_in = {
        row["case_no"]
        for row in rows_of(library, "case_material")
        if row["licence_identifier"] is None and row["seal_result"] != "invalid"
    }
    cases = rows_of(library, "case_application")
    case = next(one for one in cases if one["case_no"] in handed_in)
    number = case["applicant_id_no"]

    told = yishu("earlier", case["case_no"], "--as", "he.ping", "--json", given=f"{number}\n")

    assert case["case_no"] in {row["case_no"] for row in json.loads(told)}
    assert number not in told
    with ctx.engine.connect() as connection:
        query = text("select * from ledger.journal where object_kind = 'earlier_materials'")
        (kept,) = connection.execute(query).mappings()
    assert kept["object_id"] == case["case_no"]
    assert number not in str(dict(kept))
