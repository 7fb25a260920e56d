"""Rules about what the subjects hold: kinds of power, levels of satisfaction, links."""

from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.powers import picked_types
from catalog.rules.ownership import subject_links
from catalog.satisfaction import Satisfaction

ROOT = Path(__file__).resolve().parents[2] / "catalog"


@pytest.fixture(scope="module")
def rules():
    catalog, faults = load_catalog(ROOT)
    assert not faults
    return catalog


@pytest.mark.requirement("SUB-03")
def test_each_text_picks_its_six_kinds_of_power_of_the_ten(rules):
    wuxi, jiangsu = (picked_types(rules, one) for one in ("wuxi_2022", "jiangsu_2017"))
    every = rules.code_lists["item_type"].codes

    assert wuxi <= set(every)
    assert jiangsu <= set(every)
    assert len(wuxi - {"20"}) == len(jiangsu - {"20"}) == 6
    assert ("04" in wuxi, "04" in jiangsu) == (False, True), "levying is in scope under one only"
    assert all(
        rules.code_lists["item_type"].codes[one] == name
        for profile in ("wuxi_2022", "jiangsu_2017")
        for one, name in rules.code_lists[f"item_type_{profile}"].codes.items()
    )


@pytest.mark.requirement("SUB-04")
@pytest.mark.requirement("SUB-05")
def test_fields_and_themes_are_those_of_the_texts(rules):
    themes = rules.code_lists["service_theme"].codes

    assert (
        len([code for code in rules.code_lists["public_service_field"].codes if code != "99"]) == 9
    )
    assert [sum(code.startswith(kind) for code in themes) for kind in "EP"] == [9, 5]


def test_one_is_the_best_level_and_five_stars():
    assert [level.stars for level in Satisfaction] == [5, 4, 3, 2, 1]
    assert [level.value for level in Satisfaction if level.is_bad] == ["4", "5"]


def test_the_links_of_the_example_city_are_in_order(rules):
    assert list(subject_links(rules)) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": "nobody"}, "subject"),
        ({"columns": ("nobody",)}, "columns"),
        ({"to": ("nobody",)}, "to"),
        ({"to": ("case_no", "item_name")}, "to"),
    ],
)
def test_a_link_to_what_is_not_there_is_found(rules, change, field):
    subject = rules.subjects["service_rating"]
    link = subject.links[0].model_copy(update=change)
    broken = subject.model_copy(update={"links": (link,)})
    catalog = rules.model_copy(update={"subjects": {**rules.subjects, subject.id: broken}})

    (finding,) = subject_links(catalog)

    assert finding.code == "CAT_LINK_UNKNOWN"
    assert finding.path == ("links", 0, field)
