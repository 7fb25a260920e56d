"""Looking up what is shared tells the same as going through all of it."""

from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.vocabulary import ShareType
from yishu.sharing.supply import Supply

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def entries():
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return sorted(loaded.entries.values(), key=lambda one: one.id)


def pairs(text):
    return {text[at : at + 2] for at in range(len(text) - 1)}


def pairs_of(entry):
    return set().union(pairs(entry.name), *(pairs(item.name) for item in entry.items))


def test_an_entry_is_found_by_each_name_of_each_item(entries):
    supply = Supply.of(reversed(entries))
    for entry in entries:
        for item in entry.items:
            for want in filter(None, (item.name, item.field, item.element, entry.name, entry.id)):
                going_through = [
                    one.id
                    for one in entries
                    if want in (one.id, one.name)
                    or any(want in (each.name, each.field, each.element) for each in one.items)
                ]
                assert list(supply.holders(want)) == going_through


def test_the_nearest_have_most_pairs_in_common_then_the_first_id(entries):
    supply = Supply.of(entries)
    for words in (["企业登记异常名录"], ["人口", "出生日期"], ["道路运输"], ["x"], []):
        sought = set().union(*map(pairs, words))
        scores = [
            (
                -len(sought & set().union(*map(pairs, (one.name, *(i.name for i in one.items))))),
                one.id,
            )
            for one in entries
        ]
        expected = [id_ for score, id_ in sorted(scores) if score][:3]
        assert list(supply.nearest(words)) == expected


def test_ones_own_entries_and_what_is_not_shared_do_not_count(entries):
    first = entries[0]
    closed = first.share.model_copy(update={"type": ShareType.NOT_SHARED})
    changed = [first.model_copy(update={"share": closed}), *entries[1:]]

    assert first.id in Supply.shared(entries).holders(first.name)
    assert Supply.shared(entries).holders(first.name, but=first.provider_org) == ()
    assert first.id not in Supply.shared(entries).nearest([first.name], but=first.provider_org)
    assert Supply.shared(changed).holders(first.name) == ()
