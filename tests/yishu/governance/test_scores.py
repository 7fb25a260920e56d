"""Scores come from stored runs alone, exact to the last digit; final ones do not move."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from catalog.roles import Role
from catalog.vocabulary import QualityDimension
from yishu.governance.errors import AnswerRefused, Forbidden, PeriodFaulty, PeriodFrozen
from yishu.governance.freezing import (
    Answer,
    answer_days,
    answer_figure,
    answers,
    figures_digest,
    freeze,
    frozen,
)
from yishu.governance.months import CITY, Of, months
from yishu.governance.period import Period
from yishu.governance.rates import Case, Rate, cases, indicators, rates, rates_of, refresh
from yishu.governance.scores import Figure, Scores, scores
from yishu.ledger import (
    CheckFacts,
    CommitFacts,
    Layer,
    Ledger,
    PullFacts,
    RunFinished,
    RunKind,
    RunStarted,
    RunState,
    Stage,
    VerdictFacts,
)
from yishu.ledger.journal import Actor
from yishu.ledger.pins import pinned_versions

ROOT = Path(__file__).resolve().parents[3]
TAXPAYER = "taxation.taxpayer"
RESIDENT = "public_security.resident"
LIMITS = {TAXPAYER: timedelta(days=1), RESIDENT: None}
EQUAL = {dimension: Fraction(1, 6) for dimension in QualityDimension}
NOVEMBER = Period.parse("2026-11")
LATER = datetime(2026, 12, 10, tzinfo=UTC)
FREEZES = datetime(2026, 12, 14, tzinfo=UTC)
MONITOR = Actor("person-5", "qian.jun", Role.QUALITY_MONITOR, "big_data_bureau")
OFFICER = Actor("person-6", "zhao.yu", Role.DEPARTMENT_OFFICER, "taxation")


def check(check_id, dimension, counted, failed, waived=0):
    words = f"{check_id} 应合规"
    facts = (check_id, "format", dimension, "fail", ("uscc",), counted, failed, words)
    return CheckFacts(*facts, waived=waived)


def run(ledger, entry_id, run_id, at, checks, *, quarantined=0):
    """One whole run on record, published."""
    department = entry_id.partition(".")[0]
    ledger.record_run_started(RunStarted(run_id, entry_id, RunKind.ENTRY, "release", at))
    pull = PullFacts(run_id, entry_id, department, "db", "sql", "t", 90, 1, "digest", at)
    ledger.record_pull(pull)
    ledger.record_verdict(VerdictFacts(run_id, entry_id, 90, quarantined, True, 0.2, at, checks))
    counts = {"inserted": 0, "updated": 0, "unchanged": 90 - quarantined, "deleted": 0}
    commit = CommitFacts(
        run_id=run_id, object_id=entry_id, layer=Layer.UNIFIED, table=f"unified/{entry_id}",
        version=at.day, read=90, quarantined=quarantined, superseded=0, rows=90, committed_at=at,
        **counts,
    )  # fmt: skip
    ledger.record_commit(commit)
    ledger.record_run_finished(RunFinished(run_id, entry_id, RunState.SUCCEEDED, at))


def unreachable(ledger, entry_id, run_id, at):
    ledger.record_run_started(RunStarted(run_id, entry_id, RunKind.ENTRY, "release", at))
    ledger.record_run_finished(
        RunFinished(run_id, entry_id, RunState.FAILED, at, Stage.PULL, "SRC_UNREACHABLE", "no")
    )


@pytest.fixture(scope="module")
def engine(copied, ledger_template):
    made = create_engine(copied(ledger_template))
    ledger = Ledger(made)
    good = (check("a", "conformity", 90, 1), check("b", "completeness", 90, 0))
    bad = (check("a", "conformity", 90, 6), check("b", "completeness", 90, 2, waived=1))
    for day in (*range(1, 21), 24, *range(25, 31)):
        at = datetime(2026, 11, day, 1, 30, tzinfo=UTC)
        run(ledger, TAXPAYER, f"tax-{day}", at, bad if day == 20 else good, quarantined=1)
    run(ledger, TAXPAYER, "tax-december", datetime(2026, 12, 1, 1, 30, tzinfo=UTC), bad)
    run(ledger, RESIDENT, "res-5", datetime(2026, 11, 5, tzinfo=UTC), bad, quarantined=4)
    for day in (21, 22, 23):
        at = datetime(2026, 11, day, 1, 30, tzinfo=UTC)
        unreachable(ledger, TAXPAYER, f"tax-{day}", at)
    yield made
    made.dispose()


@pytest.fixture
def connection(engine):
    """A transaction that nobody else ever sees."""
    with engine.connect() as opened:
        yield opened


def november(connection, **changes):
    given = {"weights": EQUAL, "limits": LIMITS, **changes}
    return scores(connection, NOVEMBER, LATER, **given)


@pytest.mark.requirement("QUA-02")
def test_every_figure_has_numerator_denominator_and_failing_rules(connection):
    resident, taxpayer = november(connection).entries

    assert (taxpayer.runs, taxpayer.rows_read, taxpayer.quarantined) == (27, 27 * 90, 27)
    assert (taxpayer.rows_last, taxpayer.run_last) == (90, "tax-30")
    expected = {
        "conformity": Figure(27 * 90 - 26 - 6, 27 * 90),
        "completeness": Figure(27 * 90 - 2, 27 * 90, waived=1),
        # Nothing came on 21, 22 and 23; what came on the 24th was late.
        "timeliness": Figure(26, 30),
        "accessibility": Figure(27, 30),
    }
    assert taxpayer.dimensions == expected
    assert [(r.check_id, r.failed, r.runs) for r in taxpayer.failing] == [
        ("a", 32, 27),
        ("b", 2, 1),
    ]
    assert resident.department_id == "public_security"
    assert "timeliness" not in resident.dimensions


@pytest.mark.requirement("QUA-02")
def test_scores_are_computed_again_to_the_last_digit(connection):
    """A reader with the stored runs and a calculator gets the same four places."""
    first, again = november(connection), november(connection)
    assert first == again == Scores.from_json(first.to_json())

    taxpayer = first.entries[1]
    shares = [Fraction(f.right, f.counted) for f in taxpayer.dimensions.values()]
    by_hand = sum(shares) / 4 * 100
    assert abs(Fraction(first.total(taxpayer.dimensions)) - by_hand) <= Fraction(1, 20_000)
    assert first.total(taxpayer.dimensions) == Decimal("93.8169")
    sums = text("""
        select dimension, sum(counted), sum(failed), sum(waived) from ledger.check_result
        join ledger.verdict using (run_id, entry_id)
        where decided_at >= '2026-11-01+08' and decided_at < '2026-12-01+08' group by 1
    """)
    for dimension, counted, failed, waived in connection.execute(sums):
        assert first.city[dimension] == Figure(counted - failed, counted, waived)


def test_weights_decide_and_what_was_not_measured_does_not_count(connection):
    weights = {
        **dict.fromkeys(QualityDimension, Fraction(0)),
        QualityDimension.CONFORMITY: Fraction(1),
    }
    found = november(connection, weights=weights)
    resident = found.entries[0]
    assert found.total(resident.dimensions) == resident.dimensions["conformity"].percent
    assert found.total({}) is None


def test_departments_and_city_are_sums_of_their_entries(connection):
    found = november(connection)
    departments = found.departments
    assert list(departments) == ["public_security", "taxation"]
    both = departments["public_security"]["conformity"] + departments["taxation"]["conformity"]
    assert found.city["conformity"] == both


def test_a_month_in_progress_counts_what_there_is(connection):
    """On the morning of the 12th nothing of that day is overdue yet."""
    now = datetime(2026, 11, 12, 0, 30, tzinfo=UTC)
    found = scores(connection, NOVEMBER, now, weights=EQUAL, limits=LIMITS)
    taxpayer = next(one for one in found.entries if one.entry_id == TAXPAYER)
    assert taxpayer.dimensions["timeliness"] == Figure(11, 11)
    assert found.until == now


def test_nothing_is_due_before_this_installation_had_the_entry(fresh_ledger):
    """Released on the 24th, reached on the 25th for both days: the 26th alone was kept."""
    made = create_engine(fresh_ledger)
    ledger = Ledger(made)
    hourly = "administrative_approval.approval_case"
    limits = {TAXPAYER: timedelta(days=1), RESIDENT: timedelta(days=1), hourly: timedelta(hours=1)}
    unreachable(ledger, TAXPAYER, "tax-24", datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    for day in (25, 26):
        run(ledger, TAXPAYER, f"tax-{day}", datetime(2026, 11, day, 1, 30, tzinfo=UTC), ())
    run(ledger, RESIDENT, "res-25", datetime(2026, 11, 25, 1, 30, tzinfo=UTC), ())
    now = datetime(2026, 11, 27, 0, 30, tzinfo=UTC)
    begun, came = now - timedelta(minutes=20), now - timedelta(minutes=15)
    unreachable(ledger, hourly, "case-1", begun)
    run(ledger, hourly, "case-2", came, ())

    with made.connect() as connection:
        found = scores(connection, NOVEMBER, now, weights=EQUAL, limits=limits)
    made.dispose()

    timeliness = {one.entry_id: one.dimensions["timeliness"] for one in found.entries}
    assert timeliness == {TAXPAYER: Figure(1, 3), RESIDENT: Figure(1, 2), hourly: Figure(1, 1)}


@pytest.mark.parametrize("name", ["2026-13", "2026Q5", "November", ""])
def test_a_period_of_no_calendar_is_refused(name):
    with pytest.raises(PeriodFaulty):
        Period.parse(name)


def test_periods_begin_at_midnight_in_beijing():
    quarter = Period.parse("2026Q4")
    assert quarter.start == datetime(2026, 9, 30, 16, tzinfo=UTC)
    assert (quarter.previous.name, NOVEMBER.previous.name) == ("2026Q3", "2026-10")
    assert Period.parse("2026-01").previous.name == "2025-12"
    assert Period.quarter_of(date(2026, 12, 31)) == quarter


@pytest.mark.requirement("IND-19")
def test_five_rates_a_department_open_to_their_cases(connection):
    late, kept = (
        Case(Rate.OBJECTION_HANDLING, "taxation", "objection", f"YY2026-{number:06d}", number, 1)
        for number in (0, 1)
    )
    found = cases(november(connection), [late, kept])

    taxation = rates(found)["taxation"]
    assert list(taxation) == list(Rate)
    assert taxation[Rate.UPDATE_TIMELINESS] == Figure(26, 30)
    assert taxation[Rate.OBJECTION_HANDLING] == Figure(1, 2)
    assert taxation[Rate.CATALOG_TIMELINESS] == Figure(0, 0)
    for rate, figure in taxation.items():
        own = [c for c in found if (c.department_id, c.rate) == ("taxation", rate)]
        assert figure == Figure(sum(c.kept for c in own), sum(c.due for c in own))
    assert {c.object_id for c in found} == {TAXPAYER, RESIDENT, late.object_id, kept.object_id}


@pytest.mark.requirement("IND-21")
def test_indicators_move_with_each_load_until_they_are_frozen(connection, rules):
    quarter = Period.parse("2026Q4")
    first = rates(cases(november(connection)))
    assert refresh(connection, quarter, first, "tax-30", LATER)
    moved = {"taxation": {Rate.QUALITY: Figure(1, 2)}}
    assert refresh(connection, quarter, moved, "tax-31", LATER + timedelta(hours=1))

    value = {(i.department_id, i.rate): i for i in indicators(connection, quarter)}
    quality = value["taxation", Rate.QUALITY]
    assert (quality.figure, quality.run_id) == (Figure(1, 2), "tax-31")
    assert quality.at == LATER + timedelta(hours=1)

    over = datetime(2027, 1, 20, tzinfo=UTC)
    whole = scores(connection, quarter, over, weights=EQUAL, limits=LIMITS)
    freeze(connection, whole, cases(whole), MONITOR, at=over, rules=rules)
    assert not refresh(connection, quarter, first, "late", over)
    assert {i.run_id for i in indicators(connection, quarter)} <= {"tax-30", "tax-31"}


def test_rates_from_sums_are_those_from_every_case(connection):
    found = november(connection)
    clocks = [
        Case(Rate.CATALOG_TIMELINESS, "taxation", "catalog_entry", TAXPAYER, kept, 1)
        for kept in (1, 0, 1)
    ] + [Case(Rate.OBJECTION_HANDLING, "health", "objection", "YY1", 1, 1)]

    assert rates_of(found, rates(clocks)) == rates(cases(found, clocks))


@pytest.mark.requirement("QUA-02", "IND-21")
def test_a_frozen_month_does_not_move_and_can_be_checked(connection, rules):
    found = november(connection)
    digest = freeze(connection, found, cases(found), MONITOR, at=FREEZES, rules=rules)
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    late = text("update ledger.run_dimension set failed = counted")
    connection.execute(late)

    kept = frozen(connection, NOVEMBER)
    assert kept.scores == found
    assert kept.digest == digest
    assert november(connection) != found
    with pytest.raises(PeriodFrozen):
        freeze(connection, found, (), MONITOR, at=FREEZES, rules=rules)
    plain = {"scores": kept.scores.to_json(), "cases": [vars(c) for c in kept.cases]}
    assert figures_digest(plain) == digest
    assert at < kept.frozen_at


def test_months_are_those_that_were_frozen_and_the_others_are_missing(connection, rules):
    found = november(connection)
    freeze(connection, found, cases(found), MONITOR, at=FREEZES, rules=rules)

    def of(kind, object_id):
        return months(connection, kind, object_id, last=Period.parse("2026-12"), number=3)

    for kind, object_id, own in (
        (Of.CITY, CITY, found.city),
        *((Of.DEPARTMENT, org, own) for org, own in found.departments.items()),
        *((Of.ENTRY, one.entry_id, one.dimensions) for one in found.entries),
    ):
        before, frozen_one, after = of(kind, object_id)
        assert (before.is_known, after.is_known) == (False, False)
        assert frozen_one.month == "2026-11"
        assert (frozen_one.total, frozen_one.dimensions) == (found.total(own), dict(own))


def test_a_frozen_month_holds_the_versions_in_force_at_its_end(connection, rules):
    """The last commit of November of each entry, and nothing that was committed afterwards."""
    found = november(connection)
    freeze(connection, found, cases(found), MONITOR, at=FREEZES, rules=rules)

    asked = text(
        "select distinct on (table_name) table_name, version from ledger.library_commit "
        "where committed_at < '2026-12-01 00:00+08' order by table_name, committed_at desc"
    )
    last = {row.table_name: [row.version] for row in connection.execute(asked)}
    assert len(last) > 1
    assert pinned_versions(connection) == last


def test_only_a_monitor_freezes_and_only_what_is_over(connection, rules):
    found = november(connection)
    with pytest.raises(Forbidden):
        freeze(connection, found, (), OFFICER, at=FREEZES, rules=rules)
    early = datetime(2026, 11, 25, tzinfo=UTC)
    half = scores(connection, NOVEMBER, early, weights=EQUAL, limits=LIMITS)
    for when in (early, FREEZES):
        with pytest.raises(PeriodFaulty):
            freeze(connection, half, (), MONITOR, at=when, rules=rules)
    with pytest.raises(PeriodFaulty, match="from 2026-12-14 on"):
        freeze(connection, found, (), MONITOR, at=LATER, rules=rules)


def test_the_days_for_answers_are_those_of_the_profile_in_force(rules):
    wuxi = rules.profiles["wuxi_2022"]
    days = {"figure_freeze": 4, "figure_answer": 2}
    promises = {
        name: promise.model_copy(update={"working_days": days.get(name, promise.working_days)})
        for name, promise in wuxi.promises.items()
    }
    profiles = {"wuxi_2022": wuxi.model_copy(update={"promises": promises})}

    found = answer_days(NOVEMBER, replace(rules, profiles=profiles))

    assert found == (date(2026, 12, 3), date(2026, 12, 4))


@pytest.mark.requirement("QUA-02")
def test_a_department_answers_its_figures_before_they_are_frozen(connection, rules):
    assert answer_days(NOVEMBER, rules) == (date(2026, 12, 8), date(2026, 12, 14))
    given = Answer(
        "2026-11", "taxation", "timeliness", "21 日至 23 日机房检修，已报备", LATER, "zhao.yu"
    )
    answer_figure(connection, given, OFFICER, rules)
    assert [one.answer for one in answers(connection, NOVEMBER)] == [given.answer]

    faults = (
        replace(given, at=datetime(2026, 12, 7, tzinfo=UTC)),
        replace(given, at=datetime(2026, 12, 15, tzinfo=UTC)),
        replace(given, figure="beauty"),
        replace(given, answer="  "),
    )
    for fault in faults:
        with pytest.raises(AnswerRefused):
            answer_figure(connection, fault, OFFICER, rules)
    with pytest.raises(Forbidden):
        answer_figure(connection, replace(given, department_id="health"), OFFICER, rules)
    found = november(connection)
    freeze(connection, found, (), MONITOR, at=FREEZES, rules=rules)
    with pytest.raises(PeriodFrozen):
        answer_figure(connection, given, OFFICER, rules)
