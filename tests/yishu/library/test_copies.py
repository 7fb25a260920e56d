"""Copies against their source, and a change of source at its date."""

import pytest

from yishu.library.read import read
from yishu.library.subject import copy_differences


@pytest.mark.requirement("OWN-01")
def test_a_differing_copy_is_listed_with_both_values_and_its_key(city, make, three_sources):
    city.publish(
        "tax.taxpayer", "E1 甲公司（旧） A", "E2 乙公司 A", "S1 _ B", "X9 别的公司 C", run="tax-2"
    )

    (found,) = copy_differences(city.root, make.legal_entity, city.rules, limit=10)

    assert (found.entry_id, found.source_entry_id) == ("tax.taxpayer", "market.enterprise")
    assert (dict(found.key), found.column) == ({"uscc": "E1"}, "name")
    assert (found.source_value, found.copy_value) == ("甲公司", "甲公司（旧）")


def test_the_list_of_differences_ends_at_its_limit(city, make, three_sources):
    city.publish("tax.taxpayer", "E1 x A", "E2 y A", run="tax-2")

    assert len(copy_differences(city.root, make.legal_entity, city.rules, limit=1)) == 1


def test_without_a_published_source_nothing_is_compared(city, make):
    assert copy_differences(city.root, make.legal_entity, city.rules, limit=9) == []


@pytest.mark.requirement("OWN-01")
def test_a_change_of_source_takes_effect_with_its_release_and_history_stays(
    city, make, three_sources
):
    """Grades come from the tax bureau, then from the register: the old version still says who."""
    before = city.build(run="s1").commit.version
    enterprise = city.rules.entries["market.enterprise"]
    city.rules = make.catalog(
        [
            make.entry(
                "market.enterprise",
                "uscc=legal.uscc",
                "name=legal.name",
                "registrar",
                "grade=legal.grade",
            ),
            *(one for one in city.rules.entries.values() if one.id != enterprise.id),
        ],
        [
            *(one for one in city.rules.elements.values() if one.id != "legal.grade"),
            make.element("legal.grade", "market.enterprise"),
        ],
    )
    city.publish("market.enterprise", "E1 甲公司 9 M", "E2 乙公司 9 M", run="market-2")

    after = city.build(run="s2")

    assert after.commit.version == before + 1
    rows = {row["uscc"]: row for row in read(city.root, "subject/legal_entity").to_pylist()}
    assert (rows["E1"]["grade"], rows["E1"]["_run_id"]) == ("M", "market-2")
    old = read(city.root, "subject/legal_entity", version=before).to_pylist()
    assert {row["uscc"]: row["grade"] for row in old}["E1"] == "A"
    assert {row["uscc"]: row["_run_id__tax__taxpayer"] for row in old}["E1"] == "tax-1"
    (copy,) = [one for one in after.copies if one.element == "legal.grade"]
    assert (copy.entry_id, copy.source_entry_id, copy.different) == (
        "tax.taxpayer",
        "market.enterprise",
        1,
    )
