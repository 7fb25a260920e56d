"""Items, published lists, what is published about items, and the province's library."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.model import Scope
from catalog.vocabulary import ListKind, PublicationSlot
from yishu.governance import item_checks, item_pages, items, lists, mirrors, publication, sources
from yishu.governance.errors import (
    CodeRefused,
    DuplicateSource,
    Forbidden,
    NotFound,
    ReasonMissing,
    StateRefused,
)
from yishu.governance.item_checks import Check
from yishu.governance.item_pages import Orphans, Slot
from yishu.governance.items import Item
from yishu.governance.lists import Publication
from yishu.governance.sources import Claim

BASIC, OTHER_BASIC = "320101001000", "320120002001"
HEALTH = f"11320200YQ0001101Q3{BASIC}"
TRANSPORT = f"11320200YQ0000993E3{BASIC}"
SECOND = f"11320200YQ0001101Q3{OTHER_BASIC}"
LAW = "《医疗机构管理条例》第九条"


def _item(code=HEALTH, org="health", name="医疗机构设置审批", **content):
    return Item(code, org, name, content)


@pytest.fixture
def publish(connection, people, at):
    def change(item, day=2, basis=LAW):
        return items.change(connection, item, basis, people["service"], at(day))

    return change


@pytest.fixture
def put(connection, people, at):
    """Publish a list of the city."""

    def publish(kind, rows, day=2, basis="锡编办〔2026〕1号"):
        wanted = Publication(kind, "wuxi", rows, basis)
        return lists.publish(connection, wanted, people["service"], at(day))

    return publish


@pytest.mark.requirement("CAT-09")
def test_a_change_of_an_item_is_in_force_at_once_and_its_history_is_kept(connection, publish, at):
    publish(_item())
    publish(_item(name="医疗机构设置许可"), 3)
    assert [one.name for one in items.catalog(connection, "health")] == ["医疗机构设置许可"]
    past = items.history(connection, HEALTH)
    assert [(one.version, one.name) for one in past] == [
        (2, "医疗机构设置许可"),
        (1, "医疗机构设置审批"),
    ]
    assert past[1].ended_at == past[0].published_at == at(3)


def test_the_same_content_again_is_no_change(connection, publish):
    assert publish(_item()).version == publish(_item(), 3).version == 1


@pytest.mark.requirement("COL-12")
def test_a_change_without_its_legal_basis_is_refused(connection, publish, people, at):
    with pytest.raises(ReasonMissing, match="legal basis"):
        publish(_item(), basis=" ")
    made = publish(_item())
    assert made.legal_basis == LAW
    with pytest.raises(ReasonMissing):
        items.cancel(connection, HEALTH, "", people["service"], at(3))
    with pytest.raises(IntegrityError, match="legal_basis"):
        connection.execute(text("update ledger.item_version set legal_basis = ' '"))


def test_a_cancelled_item_leaves_the_catalog_and_can_come_back(connection, publish, people, at):
    publish(_item())
    items.cancel(connection, HEALTH, "国务院决定取消", people["service"], at(3))
    assert items.catalog(connection) == []
    assert publish(_item(), 4).version == 3


def test_nobody_but_the_service_authority_maintains_items(connection, people, at):
    with pytest.raises(Forbidden):
        items.change(connection, _item(), LAW, people["health_officer"], at(2))


@pytest.mark.requirement("CAT-10")
@pytest.mark.parametrize(
    ("code", "segment"),
    [
        (HEALTH[:-1], "30 characters"),
        (HEALTH.replace("320101", "990101"), "the basic code `990101001000`"),
        (HEALTH[:18] + "9" + HEALTH[19:], "the level of exercise `9`"),
        ("11320200YQ0001102Q" + HEALTH[18:], "the credit code `11320200YQ0001102Q`"),
    ],
)
def test_a_malformed_code_is_refused_with_its_segment(publish, code, segment):
    with pytest.raises(CodeRefused) as refused:
        publish(_item(code))
    assert segment in refused.value.found


@pytest.mark.requirement("CAT-10")
def test_departments_that_name_one_item_differently_are_in_conflict(connection, publish):
    publish(_item(basis="甲法"))
    publish(_item(TRANSPORT, "transport", "医疗机构审批", basis="甲法"))
    publish(_item(SECOND, name="另一事项"))
    (found,) = items.conflicts(items.catalog(connection), ["basis"])
    assert (found.basic_code, found.element) == (BASIC, "name")
    assert found.values == {HEALTH: "医疗机构设置审批", TRANSPORT: "医疗机构审批"}


@pytest.mark.requirement("CAT-11")
def test_materials_that_the_material_catalog_does_not_have_are_listed_per_item(
    connection, publish, put
):
    put(ListKind.MATERIAL, {"M1": {"name": "身份证明"}})
    publish(_item(materials=[{"code": "M1"}, {"name": "会议纪要"}]))
    publish(_item(SECOND, name="另一事项", materials=[{"code": "M1"}]))
    catalog = lists.rows_on(connection, ListKind.MATERIAL, "wuxi")
    found = items.unresolved_materials(items.catalog(connection), catalog)
    assert found == {HEALTH: ["会议纪要"]}


@pytest.mark.requirement("CAT-12")
def test_a_licence_type_is_shared_when_it_is_on_the_list_in_force(connection, put):
    put(ListKind.SHARED_LICENCE, {"business_licence": {"name": "营业执照"}}, 2)
    put(ListKind.SHARED_LICENCE, {"food_licence": {"name": "食品经营许可证"}}, 10)
    lists.require_licences(connection, ["business_licence"], date(2026, 11, 9))
    with pytest.raises(NotFound, match="version 2 of 2026-11-10"):
        lists.require_licences(connection, ["business_licence"], date(2026, 11, 10))
    lists.require_licences(connection, ["business_licence"], date(2026, 11, 1))


@pytest.mark.requirement("CAT-12")
def test_a_source_of_a_licence_type_that_is_not_on_the_list_is_refused(connection, put, people, at):
    put(ListKind.SHARED_LICENCE, {"food_licence": {"name": "食品经营许可证"}}, 2)
    scope = Scope(by="licence_type", values=("medical_licence",))
    claim = Claim(
        "e_licence.licence_no", "health.medical_licence", scope, date(2026, 11, 10), "纪要"
    )

    with pytest.raises(NotFound, match="not on the list of shared licences"):
        sources.claim(connection, claim, people["health_officer"], at(5))

    put(ListKind.SHARED_LICENCE, {"medical_licence": {"name": "医疗机构执业许可证"}}, 3)
    with pytest.raises(DuplicateSource):  # the list lets it pass, and the first claim stands
        sources.claim(connection, claim, people["health_officer"], at(5))


FIVE = (
    ListKind.POWER,
    ListKind.ADMINISTRATIVE_FEE,
    ListKind.INTERMEDIARY,
    ListKind.PUBLIC_SERVICE,
    ListKind.AT_MOST_ONE_VISIT,
)


@pytest.mark.requirement("CAT-13")
@pytest.mark.parametrize("kind", FIVE)
def test_each_official_list_is_versioned_and_compared_row_by_row(connection, put, kind):
    first = {"a": {"name": "甲"}, "b": {"name": "乙"}}
    put(kind, first, 2)
    again = put(kind, dict(reversed(first.items())), 3)
    put(kind, {"b": {"name": "乙二"}, "c": {"name": "丙"}}, 4)
    assert again.version == 1
    found = lists.diff(connection, kind, "wuxi", 1, 2)
    assert [(one.row_key, one.kind) for one in found] == [
        ("a", "cancelled"),
        ("b", "changed"),
        ("c", "added"),
    ]
    assert lists.rows_on(connection, kind, "wuxi", date(2026, 11, 3)) == first
    with pytest.raises(NotFound):
        lists.diff(connection, kind, "wuxi", 1, 9)


@pytest.mark.requirement("CAT-13")
def test_lists_of_city_and_district_are_apart_and_none_is_rewritten(connection, put, people, at):
    put(ListKind.POWER, {"a": {"name": "甲"}})
    district = Publication(ListKind.POWER, "binhu", {"x": {"name": "子"}}, "区编办决定")
    assert lists.publish(connection, district, people["service"], at(2)).version == 1
    assert set(lists.rows_on(connection, ListKind.POWER, "wuxi")) == {"a"}
    with pytest.raises(IntegrityError, match="only ever added to"):
        connection.execute(text("delete from ledger.published_list_row"))


@pytest.mark.requirement("OWN-09")
def test_a_change_of_the_power_list_names_the_decision_of_the_establishment_office(put):
    with pytest.raises(ReasonMissing, match="编办"):
        put(ListKind.POWER, {"a": {"name": "甲"}}, basis="")
    assert put(ListKind.POWER, {"a": {"name": "甲"}}).basis == "锡编办〔2026〕1号"


@pytest.mark.requirement("COL-13")
def test_items_of_the_power_list_that_are_not_online_are_listed_by_department(
    connection, publish, put
):
    rows = {
        BASIC: {"org": "health", "name": "甲"},
        OTHER_BASIC: {"org": "health", "name": "乙"},
        "320101003000": {"org": "transport", "name": "丙"},
    }
    put(ListKind.POWER, rows)
    publish(_item())
    publish(replace(_item(SECOND, name="乙"), is_online=False))
    power = lists.rows_on(connection, ListKind.POWER, "wuxi")
    assert items.gap_list(power, items.catalog(connection)) == {
        "health": [OTHER_BASIC],
        "transport": ["320101003000"],
    }


@pytest.mark.requirement("OWN-08")
def test_items_are_claimed_by_a_person_for_a_body_and_unclaimed_ones_are_listed(
    connection, people, at
):
    base = {BASIC: {}, OTHER_BASIC: {}}
    items.claim(connection, BASIC, people["health_officer"], at(2))
    assert items.unclaimed(connection, base) == [OTHER_BASIC]
    row = connection.execute(text("select org, person, claimed_at from ledger.item_claim")).one()
    assert row == ("health", "person-zhou.wei", at(2))
    with pytest.raises(StateRefused, match=r"zhou\.wei"):
        items.claim(connection, BASIC, people["health_officer"], at(3))


def test_many_items_of_a_file_are_published_as_each_alone(connection, people, at, monkeypatch):
    monkeypatch.setattr(items, "BATCH", 2)
    by = (people["service"], at(2))
    items.change(connection, _item(name="旧名称"), LAW, *by)
    wanted = [
        _item(), _item(TRANSPORT, "transport"), _item(SECOND), _item(SECOND, name="执业登记"),
        _item(TRANSPORT, "transport"),
    ]  # fmt: skip

    made = items.change_all(connection, wanted, LAW, *by)

    assert [(one.implementation_code, one.version) for one in made] == [
        (HEALTH, 2), (TRANSPORT, 1), (SECOND, 1), (SECOND, 2), (TRANSPORT, 1),
    ]  # fmt: skip
    assert [one.version for one in items.history(connection, HEALTH)] == [2, 1]
    asked = text("select object_id from ledger.journal where object_kind = :kind order by number")
    told = list(connection.execute(asked, {"kind": items.KIND}).scalars())
    assert told == [HEALTH, HEALTH, TRANSPORT, SECOND, SECOND]


def test_one_malformed_code_keeps_the_whole_file_out(connection, people, at):
    with pytest.raises(CodeRefused), connection.begin_nested():
        items.change_all(connection, [_item(), _item("123")], LAW, people["service"], at(2))

    assert items.catalog(connection) == []


@pytest.mark.requirement("CAT-14")
def test_empty_slots_of_an_item_are_listed(connection, people, at):
    for slot in list(PublicationSlot)[:8]:
        item_pages.fill(connection, Slot(HEALTH, slot, "内容"), people["service"], at(2))
    assert len(PublicationSlot) == 10
    left = item_pages.empty_slots(connection, [HEALTH])
    assert left == {HEALTH: [PublicationSlot.INTERMEDIARY_LIST, PublicationSlot.AGENCY_DIRECTORY]}
    for slot in left[HEALTH]:
        item_pages.fill(connection, Slot(HEALTH, slot, "内容"), people["service"], at(2))
    assert item_pages.empty_slots(connection, [HEALTH]) == {}


@pytest.mark.requirement("CAT-14")
def test_what_the_counter_shows_otherwise_than_the_site_is_found(connection, people, at):
    by = (people["service"], at(2))
    item_pages.fill(
        connection, Slot(HEALTH, PublicationSlot.GUIDE, "五个工作日", "五个工作日"), *by
    )
    assert item_pages.inconsistent(connection) == []
    item_pages.fill(
        connection, Slot(HEALTH, PublicationSlot.GUIDE, "三个工作日", "五个工作日"), *by
    )
    assert item_pages.inconsistent(connection) == [(HEALTH, PublicationSlot.GUIDE)]


@pytest.mark.requirement("CAT-16")
def test_guides_and_power_list_rows_without_each_other_are_listed_both_ways(connection, people, at):
    item_pages.link(connection, HEALTH, "P1", people["service"], at(2))
    item_pages.link(connection, SECOND, "gone", people["service"], at(2))
    found = item_pages.orphans(connection, [HEALTH, SECOND], ["P1", "P2"])
    assert found == Orphans((SECOND,), ("P2",))


_CITY = """
    insert into ledger.item_version (
        implementation_code, version, basic_code, org, name, content, digest, is_online,
        is_cancelled, legal_basis, changed_account, published_at
    )
    select lpad(n::text, 31, '0'), 1, lpad((n / 2)::text, 12, '0'), 'health', '事项' || n % 2,
        '{"materials": [{"code": "M9"}], "legal_days": "20"}', '0', false, false, '依据', 'root',
        now()
    from generate_series(1, 66000) as n
"""


def test_checks_look_at_more_items_than_a_statement_has_parameters(connection, put):
    put(ListKind.POWER, {"000000000001": {"org": "health", "name": "设置审批"}}, 2)
    connection.execute(text(_CITY))

    found = item_checks.counts(connection, "wuxi", date(2026, 11, 3))

    pairs = 66_000 - 2  # the first and the last stand alone under their basic code
    assert {check: found[check] for check in (Check.CONFLICTS, Check.GAPS)} == {
        Check.CONFLICTS: pairs, Check.GAPS: 1
    }  # fmt: skip
    assert {
        found[check] for check in (Check.MATERIALS, Check.EMPTY_SLOTS, Check.GUIDE_ORPHANS)
    } == {66_000}


def test_whatever_changes_items_lists_slots_links_or_claims_moves_the_mark(
    connection, publish, put, people, at
):
    steps = [
        lambda: publish(_item()),
        lambda: put(ListKind.POWER, {BASIC: {"org": "health"}}, 2),
        lambda: item_pages.fill(
            connection, Slot(HEALTH, PublicationSlot.GUIDE, "内容"), people["service"], at(2)
        ),
        lambda: item_pages.link(connection, HEALTH, BASIC, people["service"], at(2)),
        lambda: items.claim(connection, BASIC, people["health_officer"], at(2)),
        lambda: items.cancel(connection, HEALTH, LAW, people["service"], at(3)),
    ]
    marks = [item_checks.mark(connection)]
    for step in steps:
        step()
        marks.append(item_checks.mark(connection))

    assert len(set(marks)) == len(marks)
    assert marks == sorted(marks)


@pytest.mark.requirement("EXC-04")
def test_the_provinces_list_comes_in_and_our_differences_go_out(connection, put):
    first = {"a": {"name": "甲"}, "b": {"name": "乙"}}
    put(ListKind.PROVINCIAL_ITEM, first, 2)
    incoming = {"b": {"name": "乙二"}, "c": {"name": "丙"}}
    before = lists.rows_on(connection, ListKind.PROVINCIAL_ITEM, "wuxi")
    put(ListKind.PROVINCIAL_ITEM, incoming, 3)
    local = {"b": {"name": "乙"}, "c": {"name": "丙"}, "d": {"name": "丁"}}
    found = mirrors.synchronise(before, incoming, local)
    assert [(one.row_key, one.kind) for one in found.inbound] == [
        ("a", "cancelled"),
        ("b", "changed"),
        ("c", "added"),
    ]
    assert [(one.row_key, one.kind) for one in found.to_report] == [
        ("b", "changed"),
        ("d", "added"),
    ]
    assert not found.is_equal
    same = mirrors.synchronise(incoming, incoming, dict(reversed(incoming.items())))
    assert (same.is_equal, same.inbound, same.to_report) == (True, (), ())


@pytest.mark.requirement("CAT-15")
def test_a_site_that_shows_another_catalog_is_noticed(place, desk, at):
    release = publication.write(place, desk.rules, at(5)).release
    source = mirrors.feed(release)
    assert (source.version, source.digest) == (release.id, release.digest)
    assert not mirrors.site_drift(source, dict(source.entries))
    first, second, *_ = sorted(source.entries)
    site = {**source.entries, first: "0" * 64, "old.entry": "1" * 64}
    del site[second]
    drift = mirrors.site_drift(source, site)
    assert drift
    assert (drift.missing, drift.foreign, drift.different) == ((second,), ("old.entry",), (first,))
