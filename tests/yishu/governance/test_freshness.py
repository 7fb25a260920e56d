"""Owners of stale and of slow entries are told, once for each time."""

from datetime import timedelta

import pytest

from catalog.vocabulary import UpdateCycle
from yishu.governance.freshness import delays, watch
from yishu.governance.notices import inbox
from yishu.ledger import Ledger
from yishu.ledger.facts import CommitFacts, Layer, PullFacts, RunKind, RunStarted

ENTRY = "taxation.taxpayer"


@pytest.fixture
def entries(catalog):
    """One entry that is to be delivered every day."""
    entry = catalog.entries[ENTRY].model_copy(update={"update_cycle": UpdateCycle.DAILY})
    return {ENTRY: entry}


@pytest.fixture
def published(ledger_engine):
    """Puts a publication on record, with the department's stamp of its newest record."""
    ledger = Ledger(ledger_engine)

    def publish(run_id, at, *, reached=None, inserted=1):
        ledger.record_run_started(RunStarted(run_id, ENTRY, RunKind.ENTRY, "r", at))
        ledger.record_pull(
            PullFacts(run_id, ENTRY, "taxation", "tax", "sql", "t", 1, 1, "x", at, reached=reached)
        )
        ledger.record_commit(
            CommitFacts(
                run_id, ENTRY, Layer.UNIFIED, f"unified/{ENTRY}", 0, inserted, inserted,
                0, 0, 0, 0, 0, 1, at + timedelta(minutes=2),
            )
        )  # fmt: skip

    return publish


@pytest.mark.requirement("COL-03")
def test_a_daily_entry_that_was_not_delivered_is_stale_and_its_owner_told_once(
    ledger_engine, entries, published, at
):
    published("r1", at("2026-11-20", "01:30:00"))
    with ledger_engine.begin() as connection:
        assert watch(connection, entries, at("2026-11-21", "01:00:00")).stale == ()
        (stale,) = watch(connection, entries, at("2026-11-21", "02:00:00")).stale
        again = watch(connection, entries, at("2026-11-22", "02:00:00"))
        (told,) = inbox(connection)

    assert (stale.entry_id, stale.provider_org) == (ENTRY, "taxation")
    assert (len(again.stale), again.notices) == (1, 0)
    assert (told.org, "每日" in told.text) == ("taxation", True)
    published("r2", at("2026-11-22", "03:00:00"), inserted=0)
    with ledger_engine.begin() as connection:
        assert watch(connection, entries, at("2026-11-22", "04:00:00")).stale == ()
        # Missed again: a new limit, so a new notice.
        assert watch(connection, entries, at("2026-11-23", "04:00:00")).notices == 1


@pytest.mark.requirement("COL-10")
def test_the_delay_to_the_visible_record_is_measured_and_a_breach_told(
    ledger_engine, entries, published, at
):
    published("r1", at("2026-11-20", "01:30:00"), reached="2026-11-20 01:20:00")
    with ledger_engine.begin() as connection:
        (found,) = delays(connection, entries)
        assert (found.delay, found.is_measured) == (timedelta(minutes=12), True)
        assert watch(connection, entries, at("2026-11-20", "02:00:00")).notices == 0
    published("r2", at("2026-11-21", "01:30:00"), reached="2026-11-19 23:00:00")
    # A later pull that brought nothing new does not hide it.
    published("r3", at("2026-11-21", "02:30:00"), reached="2026-11-19 23:00:00", inserted=0)
    with ledger_engine.begin() as connection:
        done = watch(connection, entries, at("2026-11-21", "03:00:00"))
        again = watch(connection, entries, at("2026-11-21", "04:00:00"))
        (told,) = inbox(connection)

    assert [one.delay for one in done.slow] == [timedelta(hours=26, minutes=32)]
    assert (done.notices, again.notices) == (1, 0)
    assert "迟缓" in told.subject
