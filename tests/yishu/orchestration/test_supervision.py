"""What the supervision tasks do in a task process: sweep, deliver, tell when they are late."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.governance.cards import cards, orders
from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.governance.notices import inbox
from yishu.orchestration import supervision

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def engine(fresh_ledger, tmp_path, monkeypatch):
    """An installation with a release, and a clock that is long overdue."""
    catalog, _ = load_catalog(ROOT / "catalog")
    write_release(tmp_path / "releases", compile_release(catalog, date(2026, 3, 2)))
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_ledger)
    made = create_engine(make_url(fresh_ledger).set(drivername="postgresql+psycopg"))
    with made.begin() as connection:
        seen = datetime.now(UTC) - timedelta(days=60)
        on_drift(connection, DriftSeen("taxation.taxpayer", "taxation", "x", seen), "wuxi_2022")
    yield made
    made.dispose()


@pytest.mark.requirement("SUP-04")
def test_a_sweep_as_a_task_issues_orders_and_is_safe_to_repeat(engine):
    first, again = supervision.sweep(reminds=True), supervision.sweep(reminds=True)

    assert (first["red"], first["orders"], again["red"], again["notices"]) == (1, 1, 0, 0)
    assert first["stale"] == [], "nothing is late before the installation had any data"
    with engine.connect() as connection:
        assert len(cards(connection)) == len(orders(connection)) == 1
    assert supervision.deliver() == {"sent": 0, "failed": 0}


def test_a_late_sweep_is_told_to_the_administrator_once_a_day(engine):
    for _ in range(2):
        supervision.tell_late_sweep("supervision-daily", context={"dag_run": None})
    with engine.connect() as connection:
        (told,) = inbox(connection)
    assert told.role == "administrator"
    assert "supervision-daily" in told.text
