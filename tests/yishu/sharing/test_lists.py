"""Lists, hints before filing, onward transfer, recalls, and the work of a night."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from catalog.roles import Role
from catalog.vocabulary import ShareMode, ShareType, UpdateCycle
from yishu.governance.errors import Forbidden
from yishu.governance.notices import inbox
from yishu.ledger.journal import Actor
from yishu.ledger.seal import signing_key
from yishu.sharing import (
    deciding,
    delivering,
    filing,
    housekeeping,
    lists,
    onward,
    opening,
    recall,
    register,
    usecheck,
)
from yishu.sharing.errors import NotThisState, RequestRefused
from yishu.sharing.form import RowScope
from yishu.sharing.hints import hints
from yishu.sharing.uselog import Use, UseLog

ENTRY = "market_regulation.enterprise_registration"
PROVIDER = Actor("sun", "sun@mr", Role.DEPARTMENT_OFFICER, "market_regulation")
MONITORED = Actor("feng", "feng@mr", Role.DEPARTMENT_HEAD, "market_regulation")


def demand(*wanted):
    return lists.Demand(
        title="核对参保单位", wanted=wanted, scenario="参保登记", service_items=("320106001000",),
        mode=ShareMode.API, cycle=UpdateCycle.DAILY,
    )  # fmt: skip


@pytest.mark.requirement("SHR-02", "SHR-04")
def test_demands_are_met_in_part_or_unmet_with_the_nearest_entries(office, people):
    with office.desk() as desk:
        lists.list_demand(desk, demand("企业名称", "legal_entity.uscc"), people.officer)
        lists.list_demand(desk, demand("企业名称", "企业用水量"), people.officer)
        lists.list_demand(desk, demand("企业登记异常名录"), people.officer)
        met, partly, unmet = lists.matches(desk)
    assert [one.match.value for one in (met, partly, unmet)] == ["met", "partly", "unmet"]
    assert ENTRY in met.entries["企业名称"]
    assert partly.missing == ("企业用水量",)
    assert unmet.nearest[0] == ENTRY


@pytest.mark.requirement("SHR-03", "SHR-04")
def test_responsibilities_cite_a_duty_and_show_who_has_no_list(office, people):
    with office.desk() as desk:
        with pytest.raises(Forbidden):
            lists.list_responsibility(desk, ENTRY, "登记管理条例", people.officer)
        lists.list_responsibility(desk, ENTRY, "《市场主体登记管理条例》第三十五条", PROVIDER)
        without, unlisted = lists.providers_without_list(desk), lists.unlisted_supply(desk)
    assert "market_regulation" not in without
    assert "taxation" in without
    assert ENTRY not in unlisted


@pytest.mark.requirement("SHR-01")
def test_what_is_not_shared_is_counted_by_department(release):
    entry = release.entries[ENTRY]
    closed = entry.share.model_copy(update={"type": ShareType.NOT_SHARED, "basis": "依据"})
    entries = {**release.entries, ENTRY: entry.model_copy(update={"share": closed})}
    before = {one.org: one for one in lists.not_shared(release)}["market_regulation"]
    found = {one.org: one for one in lists.not_shared(replace(release, entries=entries))}
    assert found["market_regulation"] == replace(before, closed=before.closed + 1)
    assert sum(one.entries for one in found.values()) == len(release.entries)


@pytest.mark.requirement("SHR-01")
def test_what_is_not_shared_is_refused_with_its_basis(office, release, people, make_form):
    entry = release.entries[ENTRY]
    closed = entry.share.model_copy(update={"type": ShareType.NOT_SHARED, "basis": "某法第一条"})
    entries = {**release.entries, ENTRY: entry.model_copy(update={"share": closed})}
    office.release = replace(release, entries=entries)
    with office.desk() as desk:
        request_id = filing.draft(desk, make_form(), people.officer)
        with pytest.raises(RequestRefused, match="某法第一条"):
            filing.submit(desk, request_id, people.officer)


def test_before_filing_it_says_what_is_there_already(office, people):
    grant_id, _ = office.opened()
    with office.desk() as desk:
        covered = hints(desk, "human_resources", ENTRY, ["uscc", "name"])
        wider = hints(desk, "human_resources", ENTRY, ["uscc", "address"])
        own = hints(desk, "market_regulation", ENTRY, ["uscc"])
        words = hints(desk, "human_resources", "企业登记信息", [])
    assert covered.covered_by == (grant_id,)
    assert wider.covered_by == ()
    assert own.held["uscc"].startswith("market_regulation.")
    assert words.nearest[0] == ENTRY
    assert grant_id in covered.texts_zh[0]


@pytest.mark.parametrize(
    ("wanted", "is_covered"),
    [
        ({}, False),
        ({"regions": ["320205"]}, False),
        ({"regions": ["320205"], "period_column": "approved_on", "since": "2026-06-01"}, False),
        ({"regions": ["320205"], "period_column": "established_on"}, False),
        ({"regions": ["320205"], "period_column": "established_on", "since": "2026-01-01"}, True),
        ({"regions": ["320206"], "period_column": "established_on", "since": "2026-01-01"}, False),
    ],
)
def test_a_grant_covers_a_request_only_with_all_its_rows(office, wanted, is_covered):
    scope = {"regions": ["320205"], "period_column": "established_on", "since": "2026-01-01"}
    grant_id, _ = office.opened(elements=["uscc", "name"], rows=scope)
    with office.desk() as desk:
        rows = RowScope.model_validate(wanted)
        found = hints(desk, "human_resources", ENTRY, ["uscc"], rows)
        unchosen = hints(desk, "human_resources", ENTRY, [])
    assert found.covered_by == ((grant_id,) if is_covered else ())
    assert any("请先核对是否够用" in one for one in unchosen.texts_zh)


def events_of(grant_id):
    """What lineage knows: a delivery into a table, from which an entry is pulled and published."""
    steps = [
        ("unified/" + ENTRY, f"share/{grant_id}"),
        (f"share/{grant_id}", "hr.public.companies"),
        ("hr.public.companies", "landing/human_resources.hr_case"),
        ("landing/human_resources.hr_case", "unified/human_resources.hr_case"),
    ]
    return [{"inputs": [{"name": a}], "outputs": [{"name": b}]} for a, b in steps]


def of_derived(make_form):
    return make_form(
        object_id="human_resources.hr_case", elements=["case_no"], valid_from="2026-11-20"
    )


@pytest.fixture
def transport_people():
    officer = Actor("zheng", "zheng@tr", Role.DEPARTMENT_OFFICER, "transport")
    return officer, Actor("chu", "chu@tr", Role.DEPARTMENT_HEAD, "transport")


@pytest.mark.requirement("SHR-12", "SEC-09")
def test_onward_transfer_is_refused_and_on_record(office, make_form, transport_people, engine):
    grant_id, _ = office.opened()
    officer, head = transport_people
    known = {"upstream": lambda table: onward.upstream(events_of(grant_id), table)}
    with office.desk(**known) as desk:
        request_id = filing.draft(desk, of_derived(make_form), officer)
        filing.consent(desk, request_id, head)
    with office.desk(**known) as desk, pytest.raises(RequestRefused, match=grant_id):
        filing.submit(desk, request_id, officer)
    with engine.connect() as connection:
        event = connection.scalar(
            text("select reason from ledger.journal where reason like 'security event%'")
        )
    assert grant_id in event


@pytest.mark.requirement("SHR-12")
def test_onward_transfer_needs_the_first_provider_where_its_consent_is_asked(
    office, make_form, transport_people, people
):
    grant_id, _ = office.opened()
    officer, head = transport_people
    known = {"upstream": lambda table: onward.upstream(events_of(grant_id), table)}
    office.profiles = ("cn_decree_809",)
    hr = Actor("gu", "gu@hr", Role.PROVIDER_REVIEWER, "human_resources")
    with office.desk(**known) as desk:
        request_id = filing.draft(desk, of_derived(make_form), officer)
        filing.consent(desk, request_id, head)
        filing.submit(desk, request_id, officer)
        assert deciding.grant(desk, request_id, hr) is None
        chair = deciding.next_chair(desk, desk.request(request_id))
        assert (chair.seat.value, chair.org) == ("provider", "market_regulation")
        assert deciding.grant(desk, request_id, people.provider) is None
        assert deciding.grant(desk, request_id, people.authority).startswith("GT")


@pytest.mark.requirement("SHR-12")
def test_a_pushed_table_leads_lineage_from_the_grant_on(office, house, postgres_server, tmp_path):
    """What the exchange tells and what a later pull tells use one name for the same table."""
    from catalog.model import SourceSpec  # noqa: PLC0415
    from yishu.lineage import FileTransport, read_events, source_dataset  # noqa: PLC0415

    facts = {"mode": "batch_exchange", "format": "database", "destination": "hr_db/companies"}
    grant_id, _ = office.opened(elements=["uscc", "name"], **facts)
    url = postgres_server.ensure_database("onward_consumer")
    transport = FileTransport(tmp_path / "events.jsonl")
    delivering.deliver(house, grant_id, {"hr_db": url}, transport)
    spec = SourceSpec(connection="hr", kind="postgresql", table="public.companies")
    pulled = source_dataset(spec, url).name
    found = onward.upstream(read_events(tmp_path / "events.jsonl"), pulled)
    assert f"share/{grant_id}" in found


@pytest.mark.requirement("QUA-05")
def test_a_recall_marks_deliveries_and_tells_every_grantee_once(office, house, people, engine):
    facts = {"mode": "file_download", "format": "xlsx"}
    grant_id, _ = office.opened(elements=["uscc", "name"], **facts)
    done = delivering.deliver(house, grant_id, {})
    for expected in ([done.delivery_id], []):
        with office.desk() as desk:
            gone = recall.recall(desk, ENTRY, 0, "登记机关更正", people.operator)
        assert gone == expected
    with engine.connect() as connection:
        notices = connection.execute(
            text("select org, subject from ledger.notice where key like 'recall:%'")
        ).all()
        assert recall.grantees(connection, ENTRY, 0) == [
            recall.Grantee("human_resources", grant_id, 0)
        ]
    assert notices == [("human_resources", f"数据召回：{ENTRY}")]


@pytest.mark.requirement("QUA-05")
def test_a_recall_tells_who_has_newer_data_since_and_nobody_who_was_given_nothing(
    office, house, publish, people, engine
):
    facts = {"mode": "file_download", "format": "xlsx"}
    given, _ = office.opened(elements=["uscc", "name"], **facts)
    office.opened()
    delivering.deliver(house, given, {})
    publish(run_id="second", rows=[("91320205MA1ABCDE00", "甲贸易集团", "李明", "320205", "1")])
    assert delivering.deliver(house, given, {}).version == 1
    with office.desk() as desk:
        gone = recall.recall(desk, ENTRY, 0, "登记机关更正", people.operator)
    with engine.connect() as connection:
        told = connection.execute(
            text("select object_id from ledger.notice where key like 'recall:%'")
        ).scalars()
        assert (gone, list(told)) == ([f"{given}-000001"], [given])


@pytest.mark.requirement("SHR-13")
def test_a_night_expires_reminds_clears_and_seals(office, house, clock, tmp_path, people):
    facts = {"mode": "file_download", "format": "xlsx", "valid_until": "2026-11-22"}
    grant_id, _ = office.opened(elements=["uscc", "name"], **facts)
    delivering.deliver(house, grant_id, {})
    key = signing_key(tmp_path / "secrets")
    first = housekeeping.nightly(house, key)
    assert (first.expired, first.reminded, first.sealed_to) == ((), 1, 1)
    clock.at = datetime(2026, 11, 22, 16, tzinfo=UTC)
    second = housekeeping.nightly(house, key)
    assert (second.expired, second.projections_removed) == ((grant_id,), 1)
    again = housekeeping.nightly(house, key)
    assert (again.expired, again.reminded, again.sealed_to) == ((), 0, None)
    with office.desk(clock.at) as desk:
        assert [one.grant_id for one in housekeeping.due_disposals(desk)] == [grant_id]
        register.register_disposal(
            desk, grant_id, date(2026, 11, 23), "已删除并清空备份", people.officer
        )
        assert housekeeping.due_disposals(desk) == []
    with house.engine.connect() as connection:
        usecheck.check(usecheck.records(connection), usecheck.seals(connection), key.public_key())


@pytest.mark.parametrize(("until", "reminders"), [("2026-12-19", 1), ("2026-12-20", 0)])
def test_a_renewal_is_asked_for_thirty_days_ahead(office, house, tmp_path, until, reminders):
    """The term ends with its last day in Beijing: 29.6 days away, and 30.6."""
    office.opened(valid_until=until)
    assert housekeeping.nightly(house, signing_key(tmp_path / "secrets")).reminded == reminders


def test_a_disposal_is_reminded_of_once_a_week_until_it_is_registered(
    office, house, clock, tmp_path, people
):
    grant_id, _ = office.opened()
    with office.desk() as desk:
        opening.close(desk, grant_id, people.operator, "用途已实现")
    key, reminded = signing_key(tmp_path / "secrets"), []
    for days in (0, 1, 7, 8, 14):
        clock.at = office.at + timedelta(days=days)
        if days == 14:
            with office.desk(clock.at) as desk:
                register.register_disposal(
                    desk, grant_id, date(2026, 12, 4), "已删", people.officer
                )
        reminded.append(housekeeping.nightly(house, key).reminded)
    assert reminded == [1, 0, 1, 0, 0]


@pytest.mark.requirement("SHR-04")
def test_the_authority_hears_once_a_week_what_the_lists_leave_open(
    office, house, clock, tmp_path, people
):
    with office.desk() as desk:
        open_demand = lists.list_demand(desk, demand("火星土壤检测结果"), people.officer)
        met = lists.list_demand(desk, demand("企业名称"), people.officer)
    for days in (0, 1, 7):
        clock.at = office.at + timedelta(days=days)
        housekeeping.nightly(house, signing_key(tmp_path / "secrets"))
    with office.engine.connect() as connection:
        told = inbox(connection, org="big_data_bureau", role=Role.AUTHORITY_REVIEWER)
    assert len(told) == 2
    assert "未满足需求 1 项" in told[0].subject
    assert open_demand in told[0].text
    assert met not in told[0].text


def test_disposal_is_registered_when_the_grant_has_ended(office, people):
    grant_id, _ = office.opened()
    with office.desk() as desk:
        register.register_use(desk, grant_id, date(2026, 11, 21), "用于参保登记", people.officer)
        with pytest.raises(NotThisState):
            register.register_disposal(desk, grant_id, date(2026, 11, 21), "已删除", people.officer)


def burst(grant_id, object_id, count, **changed):
    facts = {
        "at": datetime(2026, 11, 20, 6, tzinfo=UTC), "grant_id": grant_id, "channel": "query",
        "requester": "token:x", "consumer_org": "human_resources",
        "provider_orgs": ("market_regulation",), "purpose_code": "case_handling",
        "case_no": "C", "object_id": object_id, "table_version": 0, "run_id": "first",
        "columns": ("uscc",), "row_keys": ("k",), "rows": 1, "bytes": 1, "digest": None,
    }  # fmt: skip
    return [Use(**(facts | changed)) for _ in range(count)]


@pytest.mark.requirement("SEC-06")
@pytest.mark.parametrize(
    ("changed", "kinds"),
    [
        ({"count": 90}, []),
        ({"count": 350}, ["volume"]),
        ({"count": 150, "object_id": "e_licence"}, ["volume"]),
        ({"count": 150}, []),
        ({"count": 70, "at": datetime(2026, 11, 20, 18, tzinfo=UTC)}, ["hour"]),
        ({"count": 40, "row_keys": tuple(f"k{n}" for n in range(100))}, ["enumeration"]),
    ],
)
def test_a_synthetic_burst_is_flagged(office, engine, changed, kinds):
    grant_id, _ = office.opened()
    facts = {"object_id": ENTRY} | changed
    UseLog(engine).append(burst(grant_id, facts.pop("object_id"), facts.pop("count"), **facts))
    with office.desk(
        datetime(2026, 11, 21, 2, tzinfo=UTC) + timedelta(days="at" in changed)
    ) as desk:
        assert [row.kind for row in housekeeping.anomalies(desk)] == kinds
