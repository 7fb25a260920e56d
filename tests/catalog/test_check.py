"""The cross checks: each fault is found where it is, and a sound catalog has none."""

from pathlib import Path

import pytest

from catalog.check import check, check_folder
from catalog.faults import render

ROOT = Path(__file__).parents[2] / "catalog"
ENTERPRISE = "market_regulation.enterprise"


def codes(faults):
    return [fault.code for fault in faults]


def test_the_small_catalog_is_sound(small_catalog):
    assert check(small_catalog) == []


def test_the_citys_catalog_is_sound():
    if not any((ROOT / "entries").rglob("*.yaml")):
        pytest.skip("no entry is cataloged yet")
    faults = check_folder(ROOT)
    assert not faults, render(faults)


@pytest.mark.requirement("OWN-01")
@pytest.mark.parametrize(
    ("scope", "is_overlap"),
    [
        (None, True),
        ({"by": "registrar", "values": ["5", "9"]}, True),
        ({"by": "region", "values": ["320205"]}, True),
        ({"by": "registrar", "values": ["5"]}, False),
    ],
    ids=["everything", "shared value", "another discriminator", "disjoint"],
)
def test_overlapping_claims_are_refused_naming_the_first(
    catalog_of, data, elements, scope, is_overlap
):
    elements[1]["sources"][1]["scope"] = scope

    faults = [f for f in check(catalog_of(data)) if f.code == "OWN_DUPLICATE_SOURCE"]

    assert len(faults) == is_overlap
    for fault in faults:
        assert fault.obj == "legal_entity.name sources[1]"
        assert "civil_affairs.organisation" in fault.found
        assert "market_regulation.enterprise (registrar in 9)" in fault.expected


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("secrecy", ["state_secret", "work_secret", "涉密", "unknown"])
def test_a_secret_entry_is_refused(write, data, enterprise, secrecy):
    """Only the express word ``none`` lets an entry in."""
    enterprise["secrecy"] = secrecy
    root = write(data)

    [fault] = check_folder(root)

    assert fault.code == "CAT_SECRET"
    assert fault.obj == f"{ENTERPRISE} secrecy"
    assert secrecy in fault.found


@pytest.mark.requirement("SEC-01")
@pytest.mark.parametrize("mark", ["机密★1年", "绝密 ★ 长期", "秘密★"])
def test_a_secrecy_mark_in_the_texts_is_refused(catalog_of, data, enterprise, mark):
    enterprise["summary"] = f"登记信息 {mark}"
    assert codes(check(catalog_of(data))) == ["CAT_SECRET"]


@pytest.mark.requirement("SEC-01")
def test_a_secrecy_mark_is_seen_wherever_it_stands(catalog_of, data, enterprise):
    """Items, conditions and a bureau's own extensions are looked through as well."""
    enterprise["items"][1]["name"] = "名称（机密★10年）"
    enterprise["use_condition"] = "绝密★长期"
    enterprise["extensions"] = {"remarks": ["无", {"level": "秘密★"}]}

    places = {fault.obj for fault in check(catalog_of(data))}

    assert {place.removeprefix(f"{ENTERPRISE} ") for place in places} == {
        "items[1].name",
        "use_condition",
        "extensions.remarks[1].level",
    }


def test_a_trade_secret_is_no_secrecy_mark(catalog_of, data, enterprise):
    enterprise["summary"] = "含商业秘密的登记信息"
    assert check(catalog_of(data)) == []


@pytest.mark.parametrize("cycle", ["hourly", "*/5 * * * *", 7])
def test_a_cycle_without_a_schedule_is_refused(write, data, enterprise, cycle):
    enterprise["update_cycle"] = cycle
    [fault] = check_folder(write(data))
    assert fault.code == "CAT_CYCLE_UNSCHEDULABLE"
    assert "daily" in fault.expected


@pytest.mark.parametrize(
    ("share", "code"),
    [
        ({"type": "unconditional"}, "CAT_SHARE_MODE_MISSING"),
        ({"type": "conditional", "modes": ["api"]}, "CAT_SHARE_CONDITION_MISSING"),
        ({"type": "not_shared"}, "CAT_SHARE_BASIS_MISSING"),
    ],
)
def test_share_terms_are_complete(catalog_of, data, enterprise, share, code):
    enterprise["share"] = share
    assert codes(check(catalog_of(data))) == [code]


def test_not_shared_with_its_basis_needs_no_mode(catalog_of, data, enterprise):
    enterprise["share"] = {"type": "not_shared", "basis": "《某法》第一条"}
    assert check(catalog_of(data)) == []


def test_personal_elements_need_a_mask_of_their_own(catalog_of, data, elements):
    """Subject tables are masked by their elements, so an element without a mask is a fault."""
    elements[1] |= {"sensitivity": "personal", "mask": "none"}
    faults = check(catalog_of(data))
    assert ("CAT_MASK_MISSING", f"{elements[1]['id']} mask") in {
        (fault.code, fault.obj) for fault in faults
    }


def test_an_item_is_masked_as_its_element_is(catalog_of, data, enterprise, elements):
    """A weaker mask in one of the two places would show what the other hides."""
    position = next(
        i for i, one in enumerate(enterprise["items"]) if one.get("element") == elements[1]["id"]
    )
    elements[1] |= {"sensitivity": "personal", "mask": "full"}
    enterprise["items"][position] |= {"sensitivity": "personal", "mask": "name"}
    places = {
        fault.obj for fault in check(catalog_of(data)) if fault.code == "CAT_ELEMENT_MISMATCH"
    }
    assert f"{ENTERPRISE} items[{position}].mask" in places


@pytest.mark.parametrize("sensitivity", ["personal", "sensitive_personal"])
def test_personal_items_need_a_mask(catalog_of, data, enterprise, sensitivity):
    enterprise["items"][1] |= {"sensitivity": sensitivity, "mask": "none"}
    [fault] = check(catalog_of(data))
    assert (fault.code, fault.obj) == ("CAT_MASK_MISSING", f"{ENTERPRISE} items[1].mask")


ENTRY_FAULTS = {
    "a provider of another folder": ({"provider_org": "civil_affairs"}, "CAT_PROVIDER_FOREIGN"),
    "open conditionally without condition": (
        {"open": {"type": "open_conditional"}},
        "CAT_OPEN_CONDITION_MISSING",
    ),
    "a key that is no item": ({"key": ["code"]}, "CAT_ITEM_UNKNOWN"),
    "a key that may be null": ({"key": ["name"]}, "CAT_KEY_NULLABLE"),
    "a resource code used before": (
        {"resource_code": "307015020003000001/2"},
        "CAT_RESOURCE_CODE_DUPLICATE",
    ),
    "an order of unknown items": (
        {"quality": {"ordered": [{"earlier": "uscc", "later": "end"}]}},
        "CAT_ITEM_UNKNOWN",
    ),
    "an unknown item in force": (
        {"quality": {"in_force": [{"code": "x", "day": "name"}]}},
        "CAT_ITEM_UNKNOWN CAT_ITEM_MISFIT",
    ),
    "no list, and no day": (
        {"quality": {"in_force": [{"code": "name", "day": "uscc"}]}},
        "CAT_ITEM_MISFIT CAT_ITEM_MISFIT",
    ),
    "uniqueness of unknown items": ({"quality": {"unique": [["uscc", "x"]]}}, "CAT_ITEM_UNKNOWN"),
}


@pytest.mark.parametrize(("change", "code"), ENTRY_FAULTS.values(), ids=ENTRY_FAULTS)
def test_faults_of_an_entry(catalog_of, data, enterprise, change, code):
    enterprise |= change
    assert sorted(codes(check(catalog_of(data)))) == sorted(code.split())


def test_the_reviewer_is_not_the_compiler(catalog_of, data, enterprise):
    enterprise["confidentiality_review"]["reviewer_org"] = "market_regulation"
    assert codes(check(catalog_of(data))) == ["CAT_REVIEWER_IS_COMPILER"]


def test_unknown_departments_are_named(catalog_of, data, enterprise):
    enterprise["confidentiality_review"]["reviewer_org"] = "ministry"
    enterprise["items"][1]["responsible_org"] = "nobody"
    assert sorted((f.code, f.found) for f in check(catalog_of(data))) == [
        ("CAT_DEPARTMENT_UNKNOWN", "`ministry`"),
        ("CAT_DEPARTMENT_UNKNOWN", "`nobody`"),
    ]


SOURCE_FAULTS = {
    "database without table": ({"kind": "sql"}, "source.table"),
    "database with path": ({"kind": "sql", "table": "t", "path": "x.csv"}, "source.path"),
    "table with more than a name": ({"kind": "sql", "table": "t; drop table t"}, "source.table"),
    "csv without path": ({"kind": "csv"}, "source.path"),
    "path out of the drop folder": ({"kind": "csv", "path": "../x.csv"}, "source.path"),
    "sheet for csv": ({"kind": "csv", "path": "x.csv", "sheet": "a"}, "source.sheet"),
    "encoding for xlsx": ({"kind": "xlsx", "path": "x.xlsx", "encoding": "gbk"}, "source.encoding"),
    "rest with a host": ({"kind": "rest", "endpoint": "http://x/y"}, "source.endpoint"),
}


@pytest.mark.parametrize(("source", "obj"), SOURCE_FAULTS.values(), ids=SOURCE_FAULTS)
def test_the_place_fits_the_kind_of_source(catalog_of, data, enterprise, source, obj):
    enterprise["source"] = {"connection": "db"} | source
    [fault] = check(catalog_of(data))
    assert (fault.code, fault.obj) == ("CAT_SOURCE_MISFIT", f"{ENTERPRISE} {obj}")


ITEM_FAULTS = {
    "unknown element": ({"element": "legal_entity.colour"}, "CAT_ELEMENT_UNKNOWN"),
    "type other than the element's": ({"type": "integer", "length": None}, "CAT_ELEMENT_MISMATCH"),
    "broken pattern": ({"pattern": "[a-"}, "CAT_PATTERN_BROKEN"),
    "minimum of a text": ({"minimum": 1}, "CAT_ITEM_MISFIT"),
    "open end of a text": ({"open_ended": True}, "CAT_ITEM_MISFIT"),
    "field used before": ({"field": "uscc", "column": "c"}, "CAT_ITEM_DUPLICATE"),
    "column used before": ({"column": "uscc"}, "CAT_ITEM_DUPLICATE"),
}


@pytest.mark.parametrize(("change", "code"), ITEM_FAULTS.values(), ids=ITEM_FAULTS)
def test_faults_of_an_item(catalog_of, data, enterprise, change, code):
    enterprise["items"][1] |= change
    assert code in codes(check(catalog_of(data)))


def test_an_empty_range_is_refused(catalog_of, data, enterprise):
    enterprise["items"].append(
        {"name": "人数", "field": "staff_count", "type": "integer", "sensitivity": "none"}
        | {"minimum": 5, "maximum": 1}
    )
    [fault] = check(catalog_of(data))
    assert fault.found == "a minimum of 5 above the maximum of 1"


def test_an_item_is_no_less_sensitive_than_its_element(catalog_of, data, elements):
    elements[1] |= {"sensitivity": "personal", "mask": "name"}
    faults = check(catalog_of(data))
    assert codes(faults) == ["CAT_SENSITIVITY_LOWERED"] * 2


GHOST = {"entry": "health.ghost", "scope": {"by": "registrar", "values": ["9"]}}
OUTSIDE = {
    "entry": "civil_affairs.organisation",
    "scope": {"by": "registrar", "values": ["7"]},
}

ELEMENT_FAULTS = {
    "source without entry": ({"sources": [GHOST]}, "CAT_ENTRY_UNKNOWN"),
    "unknown code list": ({"code_list": "colours"}, "CAT_CODE_LIST_UNKNOWN"),
    "unknown scope list": ({"scope_list": "colours"}, "CAT_CODE_LIST_UNKNOWN"),
    "scope without list": ({"scope_list": None}, "CAT_SCOPE_UNLISTED"),
    "scope outside the list": ({"sources": [OUTSIDE]}, "CAT_CODE_UNKNOWN"),
}


@pytest.mark.parametrize(("change", "code"), ELEMENT_FAULTS.values(), ids=ELEMENT_FAULTS)
def test_faults_of_an_element(catalog_of, data, elements, change, code):
    elements[1] |= change
    assert code in codes(check(catalog_of(data)))


def test_a_source_that_lacks_the_element_is_refused(catalog_of, data, enterprise):
    del enterprise["items"][1]["element"]
    [fault] = check(catalog_of(data))
    assert (fault.code, fault.obj) == ("CAT_ELEMENT_UNUSED", "legal_entity.name sources[0].entry")


def test_a_second_hand_copy_of_an_element_is_no_fault(catalog_of, data, elements):
    """An entry may hold an element without being its source: the copy is compared."""
    del elements[1]["sources"][1]
    assert check(catalog_of(data)) == []


def test_subjects_carry_known_elements_and_hold_their_key(catalog_of, data):
    subject = data["subjects/legal_entity.yaml"]
    subject["columns"][0] |= {"field": "code", "element": "legal_entity.code"}
    subject["columns"].append({"field": "name", "element": "legal_entity.name"})
    assert sorted(codes(check(catalog_of(data)))) == [
        "CAT_ELEMENT_UNKNOWN",
        "CAT_ITEM_DUPLICATE",
        "CAT_ITEM_UNKNOWN",
    ]


@pytest.mark.parametrize(
    ("uscc", "code"),
    [
        ("11320200YQ00001176", "CAT_USCC_INVALID"),
        ("113202009999999999", "CAT_USCC_INVALID"),
        ("11320200YQ0000336F", "CAT_USCC_DUPLICATE"),
    ],
    ids=["wrong check character", "wrong organisation code inside", "another body's"],
)
def test_a_departments_credit_code_passes_its_own_check(catalog_of, data, uscc, code):
    data["departments.yaml"]["departments"][0]["uscc"] = uscc
    assert codes(check(catalog_of(data))) == [code]


def test_a_departments_region_is_a_code_of_the_list(catalog_of, data):
    data["departments.yaml"]["departments"][0]["region_code"] = "110000"
    assert codes(check(catalog_of(data))) == ["CAT_CODE_UNKNOWN"]


@pytest.mark.parametrize(
    ("periods", "code"),
    [
        ({"320202": {"until": "2016-02-19"}}, "CAT_CODE_UNKNOWN"),
        ({"320200": {"since": "2016-02-20", "until": "2016-02-19"}}, "CAT_PERIOD_WRONG"),
        ({"320200": {"since": "2016-02-20", "until": "2016-02-20"}}, None),
    ],
    ids=["of no code", "backwards", "one day"],
)
def test_a_period_is_one_of_a_code_and_runs_forward(catalog_of, data, periods, code):
    data["code_lists/region.yaml"]["periods"] = periods
    assert codes(check(catalog_of(data))) == ([code] if code else [])


@pytest.mark.requirement("OWN-02")
def test_each_item_resolves_to_exactly_one_responsible_body(catalog_of, data, enterprise):
    """The provider answers for an item, unless the item names another known body."""
    enterprise["items"][1]["responsible_org"] = "civil_affairs"

    entry = catalog_of(data).entries[ENTERPRISE]

    assert {field: entry.responsible_org(field) for field in entry.fields} == {
        "uscc": "market_regulation",
        "name": "civil_affairs",
        "legal_representative": "market_regulation",
    }
    assert check(catalog_of(data)) == []
