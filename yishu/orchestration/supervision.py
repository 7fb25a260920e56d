"""What the tasks of supervision do: sweep, watch, deliver, and tell when a sweep is late itself."""

import logging
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from yishu.orchestration import release
from yishu.orchestration.tasks import Record, permanent_errors_fail_at_once

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from yishu.settings import Settings

logger = logging.getLogger(__name__)


def sweep(reminds: bool) -> Record:
    """Sweep all clocks and watch all update cycles, in one transaction; what that found."""
    from yishu.governance.supervise import supervise  # noqa: PLC0415
    from yishu.pipeline.cases import cases_of  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        settings, current = release.settings_and_release()
        done = supervise(
            _engine(settings),
            current,
            settings,
            _now(),
            cases=partial(cases_of, settings.library_dir, current),
            reminds=reminds,
        )
    swept = asdict(done.swept)
    return {
        **swept,
        "cases": asdict(done.cases),
        "days": [day.isoformat() for day in done.swept.days],
        "orphans": list(done.swept.orphans),
        "unjudged": list(done.swept.unjudged),
        "stale": [one.entry_id for one in done.watched.stale],
        "slow": [one.entry_id for one in done.watched.slow],
        "missing_year": done.missing_year,
    }


def deliver() -> Record:
    """Send what the outbox holds; what does not go is tried again in an hour."""
    from yishu.governance.delivery import deliver as send  # noqa: PLC0415
    from yishu.governance.delivery import open_senders  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        settings, _ = release.settings_and_release()
        with open_senders(settings) as senders:
            return asdict(send(_engine(settings), senders, _now()))


def tell_late_sweep(dag_id: str, **_context: Any) -> None:
    """Tell the administrator, once a day, that a sweep has not ended in time."""
    from yishu.governance.supervise import tell_late  # noqa: PLC0415

    settings, _ = release.settings_and_release()
    logger.error("The sweep %s has not ended in time", dag_id)
    tell_late(_engine(settings), dag_id, settings, _now())


def _engine(settings: "Settings") -> "Engine":
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    from yishu.embedded import ledger_url  # noqa: PLC0415

    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    return create_engine(url, pool_pre_ping=True)


def _now() -> datetime:
    return datetime.now(UTC)
