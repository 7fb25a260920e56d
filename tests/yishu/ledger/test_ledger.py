"""Facts are kept once, refused when they cannot be true, and read as people ask for them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from catalog.errors import NotCataloged
from yishu.ledger import (
    CheckFacts,
    CommitFacts,
    ContributionFacts,
    CountsRefused,
    EntryRow,
    Layer,
    Ledger,
    PullFacts,
    RefusalFacts,
    RunFinished,
    RunKind,
    RunNotStarted,
    RunStarted,
    RunState,
    Stage,
    SubjectRow,
    TimeWithoutZone,
    VerdictFacts,
)
from yishu.ledger.models import Base

ENTRY = "market_regulation.enterprise_registration"
NINE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
RESIDENT = "11010519491231002X"

STARTED = RunStarted("r1", ENTRY, RunKind.ENTRY, "2026-11-19-1", NINE, 3, NINE)
FINISHED = RunFinished("r1", ENTRY, RunState.SUCCEEDED, TEN)
PULLED = PullFacts(
    "r1", ENTRY, "market_regulation", "market_regulation_db", "postgresql", "public.enterprise",
    100, 4096, "ab" * 32, NINE, new_columns={"remark": "text"}, mode="incremental",
    since="2026-11-18T16:00:00+00:00", reached="2026-11-19T16:00:00+00:00",
)  # fmt: skip
CHECKED = (
    CheckFacts("uscc_format", "format", "conformity", "fail", ("uscc",), 100, 3, "代码格式正确"),
    CheckFacts("name_not_null", "not_null", "completeness", "fail", ("name",), 100, 1, "名称不空"),
    CheckFacts("uscc_unique", "unique", "conformity", "fail", ("uscc",), 100, 0, "代码不重复"),
)
DECIDED = VerdictFacts("r1", ENTRY, 100, 4, True, 0.2, NINE, CHECKED)
COMMITTED = CommitFacts(
    "r1", ENTRY, Layer.UNIFIED, f"unified/{ENTRY}", 0, read=100, inserted=90, updated=3,
    unchanged=2, deleted=1, quarantined=4, superseded=1, rows=95, committed_at=TEN,
    entry_version=3, removals=2,
)  # fmt: skip
SUBJECT_STARTED = RunStarted("s1", "legal_entity", RunKind.SUBJECT, "2026-11-19-1", NINE)
SUBJECT = CommitFacts(
    "s1", "legal_entity", Layer.SUBJECT, "subject/legal_entity", 4, read=100, inserted=80,
    updated=0, unchanged=0, deleted=0, quarantined=0, superseded=0, rows=80, committed_at=TEN,
)  # fmt: skip
GIVEN = (
    ContributionFacts(ENTRY, 95, 90, 5, {"no_key": 5}, 0),
    ContributionFacts("taxation.taxpayer", 5, 5, 0),
)


TOLD = {
    "run", "pull_receipt", "verdict", "check_result", "library_commit", "subject_contribution",
}  # fmt: skip


def tell_everything(ledger: Ledger) -> None:
    ledger.record_run_started(STARTED)
    ledger.record_pull(PULLED)
    ledger.record_verdict(DECIDED)
    ledger.record_commit(COMMITTED)
    ledger.record_run_finished(FINISHED)
    ledger.record_run_started(SUBJECT_STARTED)
    ledger.record_subject(SUBJECT, GIVEN)
    ledger.record_run_finished(replace(FINISHED, run_id="s1", object_id="legal_entity"))


def everything(engine):
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def told_ledger(empty_ledger):
    tell_everything(empty_ledger)
    return empty_ledger


def test_telling_everything_twice_changes_nothing(told_ledger, engine):
    once = everything(engine)
    assert all(once[name] for name in TOLD)

    tell_everything(told_ledger)

    assert everything(engine) == once


def test_a_killed_run_that_runs_again_leaves_the_facts_of_an_unkilled_one(told_ledger, engine):
    expected = everything(engine)
    later = timedelta(hours=5)

    told_ledger.record_run_started(replace(STARTED, started_at=NINE + later))
    told_ledger.record_verdict(replace(DECIDED, quarantined=9, checks=CHECKED[:1]))
    tell_everything(told_ledger)

    assert everything(engine) == expected


def test_a_run_that_begins_again_is_running_and_keeps_its_first_beginning(told_ledger):
    told_ledger.record_run_started(replace(STARTED, started_at=TEN))

    run = told_ledger.run("r1", ENTRY)

    assert (run.state, run.finished_at, run.started_at) == (RunState.RUNNING, None, NINE)


def test_two_objects_may_share_a_run_id(empty_ledger):
    """As scheduled runs of two DAGs at one moment do."""
    empty_ledger.record_run_started(STARTED)
    empty_ledger.record_run_started(replace(STARTED, object_id="taxation.taxpayer"))
    assert [run.object_id for run in empty_ledger.last_runs()] == [ENTRY, "taxation.taxpayer"]


def test_last_runs_are_newest_first_and_may_be_of_one_object(told_ledger):
    for number in range(3):
        start = TEN + timedelta(minutes=number)
        told_ledger.record_run_started(replace(STARTED, run_id=f"n{number}", started_at=start))

    assert [run.run_id for run in told_ledger.last_runs(limit=2)] == ["n2", "n1"]
    assert [run.run_id for run in told_ledger.last_runs(object_id="legal_entity")] == ["s1"]


def test_the_summary_of_a_run_that_published(told_ledger):
    summary = told_ledger.summary()

    assert summary.entries == (
        EntryRow(
            ENTRY, "market_regulation", "r1", RunState.SUCCEEDED, read=100, published=95,
            quarantined=4, superseded=1, version=0, rows=95, error_code=None,
        ),
    )  # fmt: skip
    assert summary.subjects == (SubjectRow("legal_entity", "s1", 4, 80, 2, 100, 95, 5),)
    assert [(q.dimension, q.checks, q.counted, q.failed, q.score) for q in summary.quality] == [
        ("completeness", 1, 100, 1, 0.99),
        ("conformity", 2, 200, 3, 0.985),
    ]


def test_a_blocked_run_shows_beside_the_version_that_readers_still_see(told_ledger):
    told_ledger.record_run_started(replace(STARTED, run_id="r2", started_at=TEN))
    told_ledger.record_pull(replace(PULLED, run_id="r2", rows=50))
    told_ledger.record_verdict(
        replace(DECIDED, run_id="r2", rows=50, quarantined=50, passed=False, decided_at=TEN)
    )
    told_ledger.record_run_finished(
        RunFinished(
            "r2", ENTRY, RunState.BLOCKED, TEN, Stage.PUBLISH, "RUN_GATE_CLOSED", "50 of 50"
        )
    )

    (row,) = told_ledger.summary().entries

    assert (row.run_id, row.state, row.error_code) == ("r2", RunState.BLOCKED, "RUN_GATE_CLOSED")
    assert (row.read, row.published, row.quarantined) == (50, 0, 50)
    assert (row.version, row.rows) == (0, 95)


def test_a_run_whose_pull_failed_has_unknown_counts_not_zero(empty_ledger):
    empty_ledger.record_run_started(STARTED)
    empty_ledger.record_run_finished(
        RunFinished("r1", ENTRY, RunState.FAILED, TEN, Stage.PULL, "SOURCE_UNREACHABLE", "down")
    )
    (row,) = empty_ledger.summary().entries
    assert (row.read, row.quarantined, row.version, row.rows) == (None, None, None, None)


def test_an_empty_ledger_has_an_empty_summary(empty_ledger):
    summary = empty_ledger.summary()
    assert (summary.entries, summary.subjects, summary.quality) == ((), (), ())


def test_what_a_pull_saw_outside_the_catalog_is_kept_by_name_and_type(told_ledger):
    assert told_ledger.receipt("r1", ENTRY) == PULLED
    assert told_ledger.receipt("r1", "taxation.taxpayer") is None


def test_a_verdict_is_read_back_with_its_worst_checks_first(told_ledger):
    found = told_ledger.verdict(ENTRY, "r1")
    assert found == DECIDED
    assert [check.failed for check in found.checks] == [3, 1, 0]


def test_without_a_run_the_latest_verdict_is_read(told_ledger):
    told_ledger.record_run_started(replace(STARTED, run_id="r2", started_at=TEN))
    told_ledger.record_verdict(replace(DECIDED, run_id="r2", passed=False, decided_at=TEN))
    assert told_ledger.verdict(ENTRY).run_id == "r2"
    assert told_ledger.verdict("taxation.taxpayer") is None


@pytest.mark.parametrize("field", ["read", "quarantined", "superseded", "inserted"])
def test_a_commit_whose_counts_do_not_add_up_is_refused(told_ledger, engine, field):
    before = everything(engine)
    wrong = replace(COMMITTED, **{field: getattr(COMMITTED, field) + 1})
    with pytest.raises(CountsRefused, match="counts_add_up"):
        told_ledger.record_commit(wrong)
    assert everything(engine) == before


def test_a_subject_that_drops_rows_silently_is_refused_as_a_whole(told_ledger, engine):
    before = everything(engine)
    lost = replace(GIVEN[0], not_linked=4)
    with pytest.raises(CountsRefused, match="counts_add_up"):
        told_ledger.record_subject(replace(SUBJECT, rows=79), [GIVEN[1], lost])
    assert everything(engine) == before


def test_a_check_cannot_fail_more_rows_than_it_counted(told_ledger):
    with pytest.raises(CountsRefused, match="ck_check_result_failed"):
        told_ledger.record_verdict(replace(DECIDED, checks=(replace(CHECKED[0], failed=101),)))


@pytest.mark.parametrize(
    "record",
    [
        lambda ledger: ledger.record_pull(PULLED),
        lambda ledger: ledger.record_verdict(DECIDED),
        lambda ledger: ledger.record_commit(COMMITTED),
        lambda ledger: ledger.record_subject(SUBJECT, GIVEN),
        lambda ledger: ledger.record_run_finished(FINISHED),
    ],
)
def test_a_fact_of_a_run_that_never_started_is_refused_with_the_remedy(empty_ledger, record):
    with pytest.raises(RunNotStarted, match="record_run_started first"):
        record(empty_ledger)


def test_a_moment_without_its_zone_is_refused(empty_ledger):
    with pytest.raises(TimeWithoutZone, match="started_at"):
        empty_ledger.record_run_started(replace(STARTED, started_at=NINE.replace(tzinfo=None)))


def test_moments_of_any_zone_come_back_in_utc(fresh_ledger):
    """Whatever zone the session of the reader is in."""
    shanghai = NINE.astimezone(timezone(timedelta(hours=8)))
    there = create_engine(fresh_ledger, connect_args={"options": "-c timezone=Asia/Shanghai"})
    ledger = Ledger(there)
    ledger.record_run_started(replace(STARTED, started_at=shanghai))

    (run,) = ledger.last_runs()

    assert run.started_at.isoformat() == "2026-11-20T01:00:00+00:00"
    there.dispose()


REFUSED = RefusalFacts.by_error(
    NotCataloged(
        "taxation.unlisted", found="no entry", expected="a published entry", remedy="compile one"
    ),
    run_id="r9",
    at=NINE,
    stage=Stage.PULL,
)


def test_a_refusal_is_kept_with_its_code_and_needs_no_run(empty_ledger):
    """What is not in the catalog has no run of its own."""
    empty_ledger.record_refusal(REFUSED)
    assert [(kept.object_id, kept.code, kept.stage) for kept in empty_ledger.refusals()] == [
        ("taxation.unlisted", "CAT_NOT_CATALOGED", Stage.PULL)
    ]


def test_a_refusal_told_twice_is_kept_once_and_as_first_told(empty_ledger):
    empty_ledger.record_refusal(REFUSED)
    empty_ledger.record_refusal(replace(REFUSED, found="something else", refused_at=TEN))
    assert empty_ledger.refusals() == [REFUSED]


def test_each_refused_column_is_a_refusal_of_its_own(empty_ledger):
    for column in ("remark", "photo"):
        empty_ledger.record_refusal(replace(REFUSED, code="COL_NOT_LISTED", item=column))
    assert [kept.item for kept in empty_ledger.refusals()] == ["photo", "remark"]


@pytest.mark.parametrize(
    "change",
    [
        "update ledger.refusal set found = ''",
        "delete from ledger.refusal",
        "truncate ledger.refusal",
    ],
)
def test_no_program_can_change_or_remove_a_refusal(empty_ledger, engine, change):
    empty_ledger.record_refusal(REFUSED)
    with pytest.raises(DatabaseError, match="only ever added to"), engine.begin() as connection:
        connection.execute(text(change))
    assert empty_ledger.refusals() == [REFUSED]


def test_no_personal_value_and_no_password_reaches_a_table(empty_ledger, engine):
    """Whatever an error quotes: the ledger outlives the data and is read by more people."""
    message = f"key {RESIDENT} twice at postgresql://u:hush@h/d, call 13812345678"
    empty_ledger.record_run_started(STARTED)
    empty_ledger.record_run_finished(
        RunFinished("r1", ENTRY, RunState.FAILED, TEN, Stage.PULL, "X", message)
    )
    empty_ledger.record_refusal(replace(REFUSED, found=message))
    foreign = RunFinished.by_error(
        ValueError(f"name 王某某 {RESIDENT}"),
        run_id="r1",
        object_id=ENTRY,
        stage=Stage.PULL,
        at=TEN,
    )
    stored = str(everything(engine))
    empty_ledger.record_run_finished(foreign)

    for text_kept in (stored, str(everything(engine))):
        assert not [v for v in (RESIDENT, "hush", "13812345678", "王某某") if v in text_kept]
    assert empty_ledger.run("r1", ENTRY).error_code == "ValueError"
