"""Search finds Chinese words anywhere, ranks by where they stand, and never loses an entry."""

from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.search import Query, documents, search

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def city():
    catalog, _ = load_catalog(ROOT / "catalog")
    return documents(catalog)


def found(city, words="", **filters):
    return search(city, Query(words, **filters)).entry_ids


@pytest.mark.requirement("CAT-05")
def test_without_words_every_entry_is_there_once(city):
    entries = found(city)

    assert sorted(entries) == sorted(one.entry_id for one in city)


def test_a_word_in_the_name_comes_before_one_in_an_item(city):
    entries = found(city, "信用")

    assert entries[0] == "taxation.taxpayer"
    assert len(entries) > 1


def test_a_part_of_a_word_is_enough_and_width_and_case_do_not_matter(city):
    assert "taxation.taxpayer" in found(city, "税人信")
    assert found(city, "ＵＳＣＣ") == found(city, "uscc") != ()


def test_all_words_must_be_there(city):
    both = set(found(city, "信用 级别"))

    assert "taxation.taxpayer" in both
    assert both == set(found(city, "信用")) & set(found(city, "级别"))


def test_words_in_another_order_find_what_is_near(city):
    hits = search(city, Query("信用纳税人"))

    assert hits.near
    assert hits.entry_ids[0] == "taxation.taxpayer"


@pytest.mark.requirement("CAT-08")
def test_share_and_open_type_are_filters_of_their_own(city):
    for name in ("share_type", "open_type"):
        values = {getattr(one, name) for one in city}
        assert len(values) > 1
        parts = [set(found(city, **{name: value})) for value in values]
        assert set().union(*parts) == set(found(city))
        assert sum(map(len, parts)) == len(city)


def test_the_count_by_department_adds_up(city):
    hits = search(city, Query())

    assert sum(hits.facets["org"].values()) == len(hits.entry_ids)


def test_an_element_leads_to_who_holds_it(city):
    assert "taxation.taxpayer" in found(city, element="legal_entity.uscc")
    assert "public_security.resident" not in found(city, element="legal_entity.uscc")
