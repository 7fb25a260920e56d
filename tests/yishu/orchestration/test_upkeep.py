"""The nightly upkeep of the ledger: sealed, and released as the register has it today."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from yishu.governance import publication, sources
from yishu.ledger.journal import Actor
from yishu.ledger.models import SourceClaim
from yishu.ledger.seal import kept_outside
from yishu.orchestration import tasks
from yishu.orchestration.upkeep import write_release_of_today
from yishu.pipeline import PipelineContext
from yishu.settings import Settings

CATALOG = Path(__file__).resolve().parents[3] / "catalog"
NIGHT = datetime(2026, 11, 25, 19, 30, tzinfo=UTC)
ROOT = Actor("person-root", "root", Role.ADMINISTRATOR, "big_data_bureau")
ENTERPRISE = "market_regulation.enterprise_registration"


@pytest.fixture
def ctx(fresh_ledger, tmp_path):
    """An installation on the night of 26 November in Beijing, entries still in files."""
    settings = Settings(var_dir=tmp_path / "var", catalog_dir=CATALOG)
    files = load_catalog(CATALOG)[0]
    release = write_release(settings.releases_dir, compile_release(files, date(2026, 11, 25)))
    return PipelineContext(settings, release, fresh_ledger, {}, lambda: NIGHT)


@pytest.mark.requirement("SUP-08")
def test_upkeep_seals_the_journal_and_writes_the_release_of_the_day(ctx, monkeypatch):
    monkeypatch.setattr(tasks, "_context", lambda: ctx)
    assert (tasks.alarm()["sealed"], write_release_of_today(ctx)) == (0, None)
    files = load_catalog(CATALOG)[0]
    engine = create_engine(make_url(ctx.ledger_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        publication.adopt(connection, files, ROOT, NIGHT)
        sources.adopt(connection, files, ROOT, NIGHT)
        until = SourceClaim.__table__.update().where(SourceClaim.entry_id == ENTERPRISE)
        connection.execute(until.values(valid_until=date(2026, 11, 26)))
        moved = sources.Claim(
            "legal_entity.name", "taxation.taxpayer", None, date(2026, 11, 26), "决定"
        )
        held = SourceClaim.element_id == "legal_entity.name"
        connection.execute(
            SourceClaim.__table__.update().where(held).values(valid_until=date(2026, 11, 26))
        )
        sources.register(connection, moved, ROOT, NIGHT)
    engine.dispose()
    assert tasks.alarm()["sealed"] == 1, "the hourly task seals"
    assert kept_outside(ctx.settings.seals_path).last_position == 1
    assert write_release_of_today(ctx).startswith("2026-11-26-")
