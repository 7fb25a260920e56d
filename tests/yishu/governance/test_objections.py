"""An objection goes to the source department of its scope and is followed until data are right."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from yishu.clocks import WorkingDays
from yishu.clocks.table import read_table
from yishu.governance.clock_rules import clock_rules
from yishu.governance.errors import (
    EvidenceRefused,
    Forbidden,
    ObjectionMisplaced,
    ObjectionStepRefused,
    ObjectionUnknown,
)
from yishu.governance.notices import inbox
from yishu.governance.objections import (
    NewObjection,
    ObjectionState,
    Origin,
    Publication,
    Recipient,
    Step,
    attach,
    correct,
    evidence,
    history,
    move,
    objection,
    objections,
    published,
    raise_objection,
    row_key,
    target,
)
from yishu.governance.period import Period
from yishu.governance.promises import clock_rows, find_open
from yishu.governance.rates import clock_cases, clock_rates, rates
from yishu.ledger.journal import Actor

ROOT = Path(__file__).resolve().parents[3]
TAXPAYER = "taxation.taxpayer"
ENTERPRISE = "market_regulation.enterprise_registration"
ORGANISATION = "civil_affairs.social_organisation"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "housing_construction")
OTHER = Actor("person-2", "wu.ke", Role.DEPARTMENT_OFFICER, "health")
SOURCE = Actor("person-3", "he.ping", Role.DEPARTMENT_OFFICER, "market_regulation")
AUTHORITY = Actor("person-4", "sun.li", Role.AUTHORITY_REVIEWER, "big_data_bureau")
MONITOR = Actor("person-5", "qian.jun", Role.QUALITY_MONITOR, "big_data_bureau")
PIPELINE = Actor("rule:publication", "rule:publication", Role.RULE, "yishu")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    folder = tmp_path_factory.mktemp("releases")
    return write_release(folder, compile_release(loaded, date(2026, 11, 1)))


@pytest.fixture(scope="module")
def engine(copied, ledger_template):
    made = create_engine(copied(ledger_template))
    yield made
    made.dispose()


@pytest.fixture
def connection(engine):
    """A transaction that nobody else ever sees."""
    with engine.connect() as opened:
        yield opened


def new(catalog, uscc="91320200MA9999999B", registrar="9", **changes):
    key = row_key(catalog.entry(TAXPAYER), {"uscc": uscc}, "secret of the tests")
    facts = {
        "origin": Origin.DEPARTMENT,
        "entry_id": TAXPAYER,
        "summary": "名称与营业执照不符",
        "column": "taxpayer_name",
        "key": key,
        "scope": (("registrar", registrar),),
    }
    return NewObjection(**{**facts, **changes})


@pytest.fixture
def forwarded(connection, catalog):
    """The number of an objection that the source department has before it."""
    number = raise_objection(connection, new(catalog), catalog, OFFICER, NOW)
    move(connection, number, Step(ObjectionState.ACCEPTED), AUTHORITY, NOW + HOUR)
    return number


@pytest.mark.requirement("QUA-01")
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"registrar": "9"}, (ENTERPRISE, "market_regulation")),
        ({"registrar": "5"}, (ORGANISATION, "civil_affairs")),
        ({}, (TAXPAYER, "market_regulation")),
    ],
)
def test_a_copied_value_goes_to_the_source_of_its_scope(catalog, row, expected):
    found = target(catalog, TAXPAYER, "taxpayer_name", row)
    assert (found.entry_id, found.org) == expected


@pytest.mark.requirement("QUA-01")
def test_own_values_and_whole_entries_go_to_their_provider(catalog):
    assert target(catalog, TAXPAYER).org == "taxation"
    assert target(catalog, TAXPAYER, "tax_credit_grade").org == "taxation"
    with pytest.raises(ObjectionMisplaced):
        target(catalog, TAXPAYER, "no_such_column")


@pytest.mark.requirement("QUA-01", "SUP-08")
def test_every_step_is_kept_with_actor_and_time(connection, catalog, forwarded):
    move(connection, forwarded, Step(ObjectionState.VERIFIED, "属实"), SOURCE, NOW + 2 * HOUR)
    correct(connection, forwarded, "已在源系统改正", SOURCE, NOW + 3 * HOUR)
    done = Publication(ENTERPRISE, "run-2", 7, NOW + 4 * HOUR)
    assert published(connection, done, PIPELINE, NOW + 5 * HOUR) == [forwarded]
    move(connection, forwarded, Step(ObjectionState.CLOSED), OFFICER, NOW + 6 * HOUR)

    steps = history(connection, forwarded)
    words = [step.state.label_zh for step in steps]
    assert words == ["提出", "受理", "转提供方", "核实", "更正", "反馈", "关闭"]
    assert [step.person for step in steps] == [
        "person-1", "person-4", "person-4", "person-3", "person-3", "rule:publication", "person-1"
    ]  # fmt: skip
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert (steps[5].run_id, steps[5].table_version) == ("run-2", 7)
    asked = text("select count(*) from ledger.journal where object_id = :id")
    assert connection.execute(asked, {"id": forwarded}).scalar() == len(steps)


@pytest.mark.requirement("SUP-08")
@pytest.mark.parametrize("change", ["update ledger.objection_step set note = 'x'",
                                    "delete from ledger.objection_step"])  # fmt: skip
def test_steps_cannot_be_edited_or_removed(connection, forwarded, change):
    with pytest.raises(DBAPIError, match="only ever added to"):
        connection.execute(text(change))


@pytest.mark.requirement("QUA-01")
def test_a_pull_before_the_correction_settles_nothing(connection, catalog, forwarded):
    """The run must have read the source after the department corrected it."""
    move(connection, forwarded, Step(ObjectionState.VERIFIED, "属实"), SOURCE, NOW + 2 * HOUR)
    correct(connection, forwarded, "已改正", SOURCE, NOW + 3 * HOUR)

    early = Publication(ENTERPRISE, "run-1", 6, NOW + 2 * HOUR)
    elsewhere = Publication(TAXPAYER, "run-2", 6, NOW + 5 * HOUR)

    assert published(connection, early, PIPELINE, NOW + 5 * HOUR) == []
    assert published(connection, elsewhere, PIPELINE, NOW + 5 * HOUR) == []
    assert objection(connection, forwarded).state is ObjectionState.CORRECTED


def test_a_rejection_needs_its_reason_and_is_fed_back_at_once(connection, forwarded):
    move(connection, forwarded, Step(ObjectionState.VERIFIED, "与登记一致"), SOURCE, NOW + HOUR)
    with pytest.raises(ObjectionStepRefused):
        move(connection, forwarded, Step(ObjectionState.REJECTED, " "), SOURCE, NOW + HOUR)
    step = Step(ObjectionState.REJECTED, "登记机关核准的名称就是这个")
    assert move(connection, forwarded, step, SOURCE, NOW + HOUR) is ObjectionState.FED_BACK


def test_a_dispute_goes_up_and_comes_back_to_the_source(connection, forwarded):
    source_says = [(ObjectionState.VERIFIED, "一致"), (ObjectionState.REJECTED, "无误")]
    for state, note in source_says:
        move(connection, forwarded, Step(state, note), SOURCE, NOW + HOUR)
    move(connection, forwarded, Step(ObjectionState.DISPUTED, "附执照"), OFFICER, NOW + HOUR)
    step = Step(ObjectionState.UPHELD, "执照为准")
    with pytest.raises(Forbidden):
        move(connection, forwarded, step, SOURCE, NOW + HOUR)
    assert move(connection, forwarded, step, AUTHORITY, NOW + HOUR) is ObjectionState.FORWARDED


def test_a_closed_objection_can_be_reopened(connection, forwarded):
    for state in (ObjectionState.VERIFIED, ObjectionState.REJECTED):
        move(connection, forwarded, Step(state, "无误"), SOURCE, NOW + HOUR)
    move(connection, forwarded, Step(ObjectionState.CLOSED), OFFICER, NOW + HOUR)
    again = Step(ObjectionState.REOPENED, "又出现了")
    assert move(connection, forwarded, again, MONITOR, NOW + HOUR) is ObjectionState.FORWARDED


@pytest.mark.requirement("QUA-01")
def test_the_same_objection_twice_is_one_case(connection, catalog, forwarded):
    second = raise_objection(connection, new(catalog), catalog, OTHER, NOW + HOUR)
    elsewhere = new(catalog, uscc="91320205MA1X000000")
    other_row = raise_objection(connection, elsewhere, catalog, OTHER, NOW + HOUR)

    assert objection(connection, second).state is ObjectionState.MERGED
    assert objection(connection, second).merged_into == forwarded
    assert objection(connection, other_row).state is ObjectionState.RAISED
    first = objection(connection, forwarded)
    assert (first.joined, first.joined_orgs) == (1, ("health",))


def test_whoever_has_nothing_to_do_with_it_is_refused(connection, catalog, forwarded):
    step = Step(ObjectionState.VERIFIED, "属实")
    with pytest.raises(Forbidden):
        move(connection, forwarded, step, OTHER, NOW + HOUR)
    with pytest.raises(Forbidden):
        raise_objection(connection, new(catalog), catalog, AUTHORITY, NOW)
    for state in (ObjectionState.VERIFIED, ObjectionState.REJECTED):
        move(connection, forwarded, Step(state, "无误"), SOURCE, NOW + HOUR)
    with pytest.raises(Forbidden):
        move(connection, forwarded, Step(ObjectionState.CLOSED), SOURCE, NOW + HOUR)


def test_a_step_out_of_turn_names_the_ones_in_turn(connection, forwarded):
    with pytest.raises(ObjectionStepRefused) as refused:
        correct(connection, forwarded, "改了", SOURCE, NOW + HOUR)
    assert refused.value.expected == "verified"
    with pytest.raises(ObjectionUnknown):
        objection(connection, "YY2026-999999")


@pytest.mark.requirement("SEC-11")
def test_keys_are_masked_and_words_are_cleaned(connection, catalog):
    """A resident ID is neither in the masked key nor left in what somebody wrote."""
    resident = catalog.entry("public_security.resident")
    number = "320205199001010015"
    key = row_key(resident, dict.fromkeys(resident.key, number), "secret of the tests")
    told = new(catalog, entry_id=resident.id, column=None, key=key, summary=f"{number} 有误")
    made = objection(connection, raise_objection(connection, told, catalog, MONITOR, NOW))

    assert number not in repr(made) + repr(history(connection, made.objection_id))
    assert made.key_masked.startswith("3202*")
    with pytest.raises(ObjectionMisplaced):
        row_key(resident, {"other": number}, "secret of the tests")


def test_evidence_is_kept_once_and_given_back(connection, forwarded):
    content = b"%PDF-1.7 licence"
    for _ in range(2):
        digest = attach(connection, forwarded, "..\\执照.PDF", content, actor=OFFICER, at=NOW)
    (listed,) = evidence(connection, forwarded)
    (whole,) = evidence(connection, forwarded, digest)
    assert (listed.name, listed.content, whole.content) == ("执照.PDF", b"", content)
    for name, bad in (("run.html", b"<script>"), ("empty.pdf", b""), ("big.pdf", b"x" * 10**7 * 2)):
        with pytest.raises(EvidenceRefused):
            attach(connection, forwarded, name, bad, actor=OFFICER, at=NOW)


@pytest.mark.requirement("QUA-01")
def test_lists_are_by_department_and_state(connection, catalog, forwarded):
    mine = objections(connection, org="market_regulation", state=ObjectionState.FORWARDED)
    assert [one.objection_id for one in mine] == [forwarded]
    assert objections(connection, org="transport") == []


@pytest.mark.requirement("QUA-01")
def test_both_clocks_run_and_end_with_the_steps_that_keep_them(connection, catalog):
    number = raise_objection(connection, new(catalog), catalog, OFFICER, NOW)
    (acceptance,) = find_open(connection, "objection_acceptance", "objection", number)
    move(connection, number, Step(ObjectionState.ACCEPTED), AUTHORITY, NOW + HOUR)
    (correction,) = find_open(connection, "correction", "objection", number)
    move(connection, number, Step(ObjectionState.VERIFIED, "属实"), SOURCE, NOW + 2 * HOUR)
    correct(connection, number, "已改正", SOURCE, NOW + 3 * HOUR)

    rows = {row.clock_id: row for row in clock_rows(connection, object_id=number)}
    assert rows[acceptance].holder_org == "big_data_bureau"
    assert rows[correction].holder_org == "market_regulation"
    assert rows[acceptance].closed_at == NOW + HOUR
    assert rows[correction].closed_at == NOW + 3 * HOUR
    assert rows[correction].received_at == NOW + HOUR


@pytest.mark.requirement("QUA-01", "QUA-05")
def test_everybody_who_received_wrong_data_is_told_once(connection, catalog, forwarded):
    """Objectors and recipients of older versions, whatever is told again."""
    raise_objection(connection, new(catalog), catalog, OTHER, NOW + HOUR)
    move(connection, forwarded, Step(ObjectionState.VERIFIED, "属实"), SOURCE, NOW + 2 * HOUR)
    correct(connection, forwarded, "已改正", SOURCE, NOW + 3 * HOUR)
    asked = []

    def received(_, entry_id, version):
        asked.append((entry_id, version))
        return [Recipient("transport", "grant-1"), Recipient("transport", "grant-2")]

    done = Publication(ENTERPRISE, "run-2", 7, NOW + 4 * HOUR)
    for _ in range(2):
        published(connection, done, PIPELINE, NOW + 5 * HOUR, received)

    told = [one for one in inbox(connection) if one.at == NOW + 5 * HOUR]
    assert asked == [(ENTERPRISE, 7)]
    assert sorted(one.org for one in told) == [
        "health", "housing_construction", "transport", "transport"
    ]  # fmt: skip
    assert all("第 7 版" in one.text for one in told if one.org == "transport")


def test_a_comparison_says_a_thing_once(connection, catalog):
    told = new(catalog, origin=Origin.CROSS_CHECK, key=None, summary="比对 10 行，2 行不一致")
    first = raise_objection(connection, told, catalog, PIPELINE, NOW)
    assert raise_objection(connection, told, catalog, PIPELINE, NOW + HOUR) == first
    move(connection, first, Step(ObjectionState.DECLINED, "口径不同"), AUTHORITY, NOW + HOUR)
    move(connection, first, Step(ObjectionState.CLOSED), MONITOR, NOW + HOUR)
    assert raise_objection(connection, told, catalog, PIPELINE, NOW + HOUR) == first
    worse = replace(told, summary="比对 10 行，5 行不一致")
    assert raise_objection(connection, worse, catalog, PIPELINE, NOW + HOUR) != first


@pytest.mark.requirement("IND-19")
def test_an_objection_answered_late_lowers_the_rate(connection, catalog, forwarded):
    """Overdue and late clocks count as due, not as kept; withdrawn ones do not count."""
    calendar = WorkingDays(read_table(ROOT / "catalog" / "working_days"))
    rules = clock_rules(
        catalog, calendar, profile="wuxi_2022", authority="big_data_bureau", operator="centre"
    )
    quarter = Period.parse("2026Q4")
    early, late = NOW + timedelta(days=3), NOW + timedelta(days=30)

    def counted(now):
        every = clock_cases(connection, rules, quarter, now)
        assert clock_rates(connection, rules, quarter, now) == rates(every)
        found = clock_cases(connection, rules, quarter, now, org="market_regulation")
        return [(c.kept, c.due) for c in found if c.object_id == forwarded]

    assert (counted(early), counted(late)) == ([], [(0, 1)])
    move(connection, forwarded, Step(ObjectionState.VERIFIED, "属实"), SOURCE, early)
    correct(connection, forwarded, "已改正", SOURCE, early)
    assert counted(late) == [(1, 1)]


def test_two_who_object_at_once_make_one_case(engine, catalog):
    """Whoever comes second waits for the first and joins it."""
    told = new(catalog, uscc="91320200MA9999999C")

    def object_to(actor):
        with engine.begin() as opened:
            return raise_objection(opened, told, catalog, actor, NOW)

    with ThreadPoolExecutor(2) as pool:
        numbers = list(pool.map(object_to, (OFFICER, OTHER)))
    with engine.connect() as opened:
        states = [objection(opened, number).state for number in numbers]
    assert sorted(states) == [ObjectionState.MERGED, ObjectionState.RAISED]
