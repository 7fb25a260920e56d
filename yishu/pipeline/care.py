"""Care for department systems: not in closed hours, one pull of an entry at a time, a breaker."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from catalog.errors import YishuError
from catalog.model import Breaker, CatalogEntry, ClosedHours
from catalog.vocabulary import Weekday
from yishu.ledger import ContactFacts, ContactOutcome
from yishu.pipeline.breaker import BreakerState, standing
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.errors import EntryBusy, OutsideWindow, PipelineError, SystemResting
from yishu.sources.errors import SourceError, SourceMisdescribed, SourceUnreachable

CITY_TIME = ZoneInfo("Asia/Shanghai")


@contextmanager
def admitted(entry: CatalogEntry, run_id: str, ctx: PipelineContext) -> Iterator[None]:
    """Let a pull at its department system, and put on record whether the system answered.

    Raises:
        OutsideWindow: the system is closed at this hour.
        EntryBusy: another pull of the entry is under way.
        SystemResting: the system did not answer too often; it is left alone for a while.
    """
    connection_id = entry.source.connection
    system = ctx.release.systems.get(connection_id)
    require_open_hours(connection_id, system.closed if system else (), ctx.clock())
    with entry_lock(ctx.settings.var_dir, entry.id):
        require_standing(entry, run_id, system.breaker if system else Breaker(), ctx)
        outcome: ContactOutcome | None = ContactOutcome.REACHED
        try:
            yield
        except YishuError as error:
            outcome = _outcome(error)
            raise
        except BaseException:
            outcome = None
            raise
        finally:
            if outcome is not None:
                ctx.ledger.record_contact(
                    ContactFacts(connection_id, ctx.clock(), run_id, entry.id, outcome)
                )


def _outcome(error: YishuError) -> ContactOutcome | None:
    """Whether the system answered, as far as an error tells: "no such table" is an answer."""
    if isinstance(error, SourceUnreachable):
        return ContactOutcome.UNREACHABLE
    says_something = isinstance(error, SourceError | PipelineError)
    says_something = says_something and not isinstance(error, SourceMisdescribed)
    return ContactOutcome.REACHED if says_something else None


def require_standing(
    entry: CatalogEntry, run_id: str, breaker: Breaker, ctx: PipelineContext
) -> None:
    """Let pass when the system's breaker does; the one trial of a half-open one is taken here.

    Raises:
        SystemResting: it is open, or another pull is the trial.
    """
    now = ctx.clock()
    connection_id = entry.source.connection

    def judge(contacts: Sequence[ContactFacts]) -> ContactFacts | None:
        found = standing(contacts, breaker, now)
        if found.state is not BreakerState.HALF_OPEN or found.retry_at is not None:
            return None
        return ContactFacts(connection_id, now, run_id, entry.id, ContactOutcome.TRIAL)

    found = standing(ctx.ledger.knock(connection_id, judge), breaker, now)
    if found.retry_at is not None:
        raise SystemResting(
            connection_id,
            found=f"breaker {found.state}, {found.failures} pulls in a row without an answer",
            expected=f"no pull before {_shown(found.retry_at)}",
            remedy="see whether the system is up; pull again after that time",
        )


def require_open_hours(connection_id: str, closed: Sequence[ClosedHours], now: datetime) -> None:
    """Let pass outside a system's closed hours.

    Raises:
        OutsideWindow: it is closed now.
    """
    until = opens_at(closed, now)
    if until is not None:
        raise OutsideWindow(
            connection_id,
            found=f"a pull at {_shown(now)}, in closed hours",
            expected=f"pulls from {_shown(until)} on",
            remedy="pull after that time, or change `closed` in catalog/systems.yaml with the "
            "department's consent",
        )


def opens_at(closed: Sequence[ClosedHours], now: datetime) -> datetime | None:
    """When a system that is closed at ``now`` opens; None when it is open. Hours are the city's."""
    moment = now.astimezone(CITY_TIME)
    is_closed = False
    # Hours that touch are one: 08:00 to 12:00 and 12:00 to 18:00 end at 18:00.
    for _ in range(8 * max(len(closed), 1)):
        ends = [end for hours in closed if (end := _end_of(hours, moment)) is not None]
        if not ends:
            break
        moment, is_closed = max(ends), True
    return moment if is_closed else None


def _end_of(hours: ClosedHours, moment: datetime) -> datetime | None:
    if list(Weekday)[moment.weekday()] not in hours.days:
        return None
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    begins, ends = (midnight + _time_of(text) for text in (hours.begins, hours.ends))
    return ends if begins <= moment < ends else None


def _time_of(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


@contextmanager
def entry_lock(var_dir: Path, entry_id: str) -> Iterator[None]:
    """Hold the entry for this process; the system frees it however the process ends.

    Raises:
        EntryBusy: another process holds it.
    """
    folder = var_dir / "run" / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / f"{entry_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise EntryBusy(
            entry_id,
            found="another pull of it under way",
            expected="one pull of an entry at a time",
            remedy="wait for that pull to end; see `yishu status` for its run",
        ) from None
    try:
        yield
    finally:
        os.close(handle)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(CITY_TIME):%Y-%m-%d %H:%M}"
