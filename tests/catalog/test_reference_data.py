"""The city's reference data: departments, code lists and rule profiles as the texts have them."""

from datetime import date
from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.model import Period

ROOT = Path(__file__).parents[2] / "catalog"

CODES = {
    "sex": "0 1 2 9",
    "item_type": "00 01 02 03 04 05 06 07 08 09 10 20",
    "exercise_level": "1 2 3 4 5 6 7",
    "body_nature": "1 2 3 9",
    "service_object": "1 2 3 4 5 6",
    "form_kind": "1 2 3 4 9",
    "case_type": "1 2 9",
    "satisfaction": "1 2 3 4 5",
    "registrar": "1 2 3 4 5 6 7 8 9 A N Y",
    "industry": "A B C D E F G H I J K L M N O P Q R S T",
    "rating_channel": "hall pc mobile qr_code phone sms",
    "handling_system": "approval human_resources",
}

PROMISES = {
    ("wuxi_2022", "catalog_update"): (15, 0),
    ("wuxi_2022", "request_reply_unconditional"): (10, 0),
    ("wuxi_2022", "request_reply_conditional"): (10, 0),
    ("cn_decree_809", "catalog_update"): (10, 5),
    ("cn_decree_809", "catalog_review_publish"): (2, 0),
    ("cn_decree_809", "request_reply_unconditional"): (1, 10),
    ("cn_decree_809", "request_reply_conditional"): (10, 10),
    ("cn_decree_809", "deliver_after_consent"): (20, 0),
    ("cn_decree_809", "correction"): (10, 0),
}


@pytest.fixture(scope="module")
def catalog():
    return load_catalog(ROOT)[0]


@pytest.mark.parametrize(("code_list", "codes"), CODES.items())
def test_code_lists_hold_the_standards_codes(catalog, code_list, codes):
    assert " ".join(catalog.code_lists[code_list].codes) == codes


def test_satisfaction_begins_with_the_best_level(catalog):
    """GB/T 39046-2020 A.8 counts 1 as best, other than stars."""
    assert catalog.code_lists["satisfaction"].codes["1"] == "非常满意"


def test_regions_are_the_citys_districts_and_its_local_zone(catalog):
    regions = catalog.code_lists["region"]
    codes = regions.codes
    assert {code: codes[code] for code in ("320200", "320213", "320281")} == {
        "320200": "无锡市",
        "320213": "梁溪区",
        "320281": "江阴市",
    }
    today = [c for c in codes if regions.periods.get(c, Period()).holds_on(date(2026, 11, 26))]
    assert len(today) == 10
    before = [c for c in codes if regions.periods.get(c, Period()).holds_on(date(2016, 2, 19))]
    assert set(before) - set(today) == {"320202", "320203", "320204"}, "merged into 梁溪区"


def test_ten_departments_provide_and_two_bodies_govern(catalog):
    governing = {"big_data_bureau", "command_centre"}
    assert governing < set(catalog.departments)
    assert len(set(catalog.departments) - governing) == 10


@pytest.mark.parametrize(("promise", "days"), PROMISES.items(), ids=map(" ".join, PROMISES))
def test_promises_have_the_days_of_their_texts(catalog, promise, days):
    profile, name = promise
    one = catalog.profiles[profile].promises[name]
    assert (one.working_days, one.extension_working_days) == days


def test_who_replies_and_who_may_pass_data_on_differs_by_profile(catalog):
    profiles = catalog.profiles
    assert (profiles["wuxi_2022"].reply_by, profiles["cn_decree_809"].reply_by) == (
        "data_authority",
        "provider_org",
    )
    assert profiles["wuxi_2022"].onward_transfer == "forbidden"
