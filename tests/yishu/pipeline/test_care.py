"""Closed hours, the breaker and the lock: what a department system is spared."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.model import Breaker, ClosedHours, System
from yishu.ledger import ContactFacts, ContactOutcome
from yishu.pipeline import run_pull
from yishu.pipeline.breaker import BreakerState, Standing, standing
from yishu.pipeline.care import CITY_TIME, entry_lock, opens_at
from yishu.pipeline.errors import EntryBusy, OutsideWindow, SystemResting
from yishu.sources.errors import SourceUnreachable

ORGANISATION = "civil_affairs.social_organisation"
ENTERPRISE = "market_regulation.enterprise_registration"
DATABASE = "market_regulation_db"
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]

OFFICE = ClosedHours(begins="08:30", ends="17:30")
WEEKEND = ClosedHours(begins="00:00", ends="12:00", days=["sat", "sun"])


def city_time(text):
    return datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)


class TestClosedHours:
    @pytest.mark.parametrize(
        ("moment", "opens"),
        [
            ("2026-11-20T08:29", None),
            ("2026-11-20T08:30", "2026-11-20T17:30"),
            ("2026-11-20T17:29:59", "2026-11-20T17:30"),
            ("2026-11-20T17:30", None),
            ("2026-11-21T10:00", "2026-11-21T12:00"),
            ("2026-11-21T12:00", None),
        ],
    )
    def test_a_system_opens_at_the_end_of_its_hours(self, moment, opens):
        """20 November 2026 is a Friday."""
        expected = city_time(opens) if opens else None

        assert opens_at([OFFICE, WEEKEND], city_time(moment)) == expected

    def test_hours_are_those_of_the_city_whatever_the_clock(self):
        """01:30 UTC is 09:30 in Wuxi."""
        assert opens_at([OFFICE], NOW) == city_time("2026-11-20T17:30")

    def test_hours_that_touch_are_one(self):
        hours = [
            ClosedHours(begins="12:00", ends="14:00"),
            ClosedHours(begins="08:00", ends="12:00"),
            ClosedHours(begins="13:00", ends="18:00"),
        ]

        assert opens_at(hours, city_time("2026-11-20T09:00")) == city_time("2026-11-20T18:00")

    def test_a_system_without_hours_is_always_open(self):
        assert opens_at([], NOW) is None


def contacts(*happened):
    """Contacts at minutes after NOW: ``("unreachable", 0)``."""
    return [
        ContactFacts("db", NOW + timedelta(minutes=minutes), "r", "e", ContactOutcome(outcome))
        for outcome, minutes in happened
    ]


class TestBreaker:
    BREAKER = Breaker(opens_after=2, pause_minutes=10)
    DOWN = (("unreachable", 0), ("unreachable", 1))

    def at(self, minutes, *happened):
        return standing(contacts(*happened), self.BREAKER, NOW + timedelta(minutes=minutes))

    def test_it_is_closed_while_failures_are_few(self):
        assert self.at(2) == Standing(BreakerState.CLOSED, 0)
        assert self.at(2, ("unreachable", 0)) == Standing(BreakerState.CLOSED, 1)

    def test_it_opens_after_so_many_in_a_row_for_the_pause(self):
        until = NOW + timedelta(minutes=11)

        assert self.at(1, *self.DOWN) == Standing(BreakerState.OPEN, 2, until)
        assert self.at(10.9, *self.DOWN) == Standing(BreakerState.OPEN, 2, until)

    def test_after_the_pause_one_may_try(self):
        assert self.at(11, *self.DOWN) == Standing(BreakerState.HALF_OPEN, 2)

    def test_while_one_tries_the_others_wait(self):
        tried = self.at(12, *self.DOWN, ("trial", 11))

        assert tried == Standing(BreakerState.HALF_OPEN, 2, NOW + timedelta(minutes=21))

    def test_a_trial_that_was_killed_is_free_again_after_a_pause(self):
        assert self.at(21, *self.DOWN, ("trial", 11)) == Standing(BreakerState.HALF_OPEN, 2)

    def test_a_failed_trial_opens_it_again(self):
        down = (*self.DOWN, ("trial", 11), ("unreachable", 12))

        assert self.at(13, *down) == Standing(BreakerState.OPEN, 3, NOW + timedelta(minutes=22))
        assert self.at(22, *down) == Standing(BreakerState.HALF_OPEN, 3)


@pytest.fixture
def world_at(make_world):
    """A world at so many minutes after NOW, with a system's care."""

    def make(minutes=0, urls=None, **care):
        ctx = make_world(urls=urls)
        systems = {DATABASE: System(id=DATABASE, name="x", department="market_regulation", **care)}
        release = replace(ctx.release, systems=systems)
        return replace(ctx, release=release, clock=lambda: NOW + timedelta(minutes=minutes))

    return make


@pytest.fixture
def dead():
    """Connections that lead to a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {DATABASE: f"postgresql://yishu_reader:pw@127.0.0.1:{port}/yishu_market"}


def test_a_system_is_not_read_in_its_closed_hours(world_at):
    ctx = world_at(closed=[OFFICE])

    with pytest.raises(OutsideWindow, match="from 2026-11-20 17:30 on"):
        run_pull(ENTERPRISE, "r1", ctx)

    assert ctx.ledger.run("r1", ENTERPRISE).error_code == "RUN_OUTSIDE_WINDOW"
    assert ctx.ledger.last_contacts() == {}
    assert run_pull(ENTERPRISE, "r1", world_at(minutes=8 * 60, closed=[OFFICE]))["rows"] > 0


def test_a_pull_that_landed_is_not_asked_again_in_closed_hours(world_at):
    """Nothing more is read from the system, so its hours do not matter."""
    first = run_pull(ENTERPRISE, "r1", world_at())

    assert run_pull(ENTERPRISE, "r1", world_at(closed=[OFFICE])) == first


def test_the_breaker_spares_a_system_that_is_down_and_closes_when_it_is_back(world_at, dead):
    """Two failures, a pause in which nobody knocks, one trial that fails, one that succeeds."""
    care = {"breaker": {"opens_after": 2, "pause_minutes": 10}}
    for minutes in (0, 1):
        with pytest.raises(SourceUnreachable):
            run_pull(ENTERPRISE, f"r{minutes}", world_at(minutes, dead, **care))

    with pytest.raises(SystemResting, match="2 pulls in a row without an answer") as caught:
        run_pull(ENTERPRISE, "r2", world_at(2, dead, **care))
    assert caught.value.retryable
    with pytest.raises(SourceUnreachable):
        run_pull(ENTERPRISE, "r3", world_at(11, dead, **care))
    with pytest.raises(SystemResting):
        run_pull(ENTERPRISE, "r4", world_at(12, dead, **care))

    assert run_pull(ENTERPRISE, "r5", world_at(21, **care))["rows"] > 0
    assert world_at().ledger.knock(DATABASE) == []


def test_an_answer_between_failures_starts_the_count_again(world_at, dead):
    care = {"breaker": {"opens_after": 2}}
    for minutes, urls in ((0, dead), (1, None), (2, dead)):
        try:
            run_pull(ENTERPRISE, f"r{minutes}", world_at(minutes, urls, **care))
        except SourceUnreachable:
            assert urls is dead

    with pytest.raises(SourceUnreachable):
        run_pull(ENTERPRISE, "r3", world_at(3, dead, **care))


HOLD = """
import sys, time
from pathlib import Path
from yishu.pipeline.care import entry_lock
with entry_lock(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def held(make_world):
    """A world in which another process pulls the social organisations."""
    ctx = make_world()
    argv = [sys.executable, "-c", HOLD, str(ctx.settings.var_dir), ORGANISATION]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    yield ctx, process
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_of_two_pulls_of_an_entry_the_second_fails_clearly(held):
    ctx, _ = held

    with pytest.raises(EntryBusy, match="one pull of an entry at a time") as caught:
        run_pull(ORGANISATION, "second", ctx)

    assert caught.value.retryable
    assert run_pull(ENTERPRISE, "another", ctx)["rows"] > 0


def test_a_killed_pull_holds_nothing(held):
    ctx, process = held
    process.send_signal(signal.SIGKILL)
    process.wait(10)

    assert run_pull(ORGANISATION, "second", ctx)["rows"] > 0


def test_the_lock_is_free_after_an_error(tmp_path):
    def fails():
        with entry_lock(tmp_path, "a.b"):
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fails()
    with entry_lock(tmp_path, "a.b"), pytest.raises(EntryBusy), entry_lock(tmp_path, "a.b"):
        pass
