"""A backup brings everything back, and says so only when it does."""

from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import create_engine, text

from catalog.roles import Action, Role
from yishu.ledger import backup, migrate
from yishu.ledger.errors import BackupRefused
from yishu.ledger.journal import Act, Actor, append
from yishu.ledger.seal import PUBLIC_KEY_FILE, read_public_key
from yishu.ledger.upkeep import seal_all, verify_database
from yishu.settings import Settings

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)
OFFICER = Actor("person-1", "li.an", Role.DEPARTMENT_OFFICER, "taxation")


@pytest.fixture
def here(tmp_path, engine):
    """An installation with a sealed journal, a release and a table."""
    settings = Settings(var_dir=tmp_path / "var")
    for place in ("releases/current", "library/unified/x/_delta_log/0.json", "library/unified/x/p"):
        path = settings.var_dir / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(place)
    with engine.begin() as connection:
        for number in range(5):
            act = Act(OFFICER, Action.COMPILE_ENTRY, "catalog_entry", f"taxation.e{number}", AT)
            append(connection, act)
    seal_all(engine, settings, AT)
    return settings


def _drop(postgres_server, url, settings):
    """Lose everything but the keys."""
    name = url.rpartition("/")[2]
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')
        connection.execute(f'create database "{name}"')
    for place in (settings.releases_dir, settings.library_dir, settings.seals_path):
        for path in sorted(place.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


@pytest.mark.requirement("SEC-07")
def test_after_backup_drop_and_restore_everything_is_equal(
    here, engine, fresh_ledger, postgres_server, tmp_path
):
    made = backup.back_up(fresh_ledger, here, tmp_path / "kept", AT)
    engine.dispose()
    _drop(postgres_server, fresh_ledger, here)
    lost = create_engine(fresh_ledger)
    with lost.connect() as connection:
        assert connection.execute(text("select to_regclass('ledger.journal')")).scalar() is None
    backup.restore(fresh_ledger, here, tmp_path / "kept")
    assert backup.differences(fresh_ledger, here, made) == []
    migrate.upgrade(fresh_ledger)
    key = read_public_key(here.secrets_dir / PUBLIC_KEY_FILE)
    proof = verify_database(lost, key, None)
    assert (proof.records, proof.broken) == (5, None)
    with pytest.raises(Exception, match="only ever added to"), lost.begin() as connection:
        connection.execute(text("delete from ledger.journal"))
    lost.dispose()


@pytest.mark.requirement("SEC-07")
def test_a_drill_touches_nothing_and_keeps_its_date(here, fresh_ledger, engine, postgres_server):
    assert backup.last_drill(here) is None
    done = backup.drill(fresh_ledger, here, AT)
    assert (done.is_equal, done.at) == (True, AT.isoformat())
    assert backup.last_drill(here) == done
    assert [path.name for path in here.backups_dir.iterdir()] == ["drill.json"]
    with psycopg.connect(postgres_server.url()) as connection:
        left = connection.execute("select from pg_database where datname like 'drill%'").fetchall()
    assert left == []


def test_a_restore_overwrites_nothing(here, fresh_ledger, tmp_path):
    backup.back_up(fresh_ledger, here, tmp_path / "kept", AT)
    with pytest.raises(BackupRefused, match="overwrite"):
        backup.restore(fresh_ledger, here, tmp_path / "kept")
    with pytest.raises(BackupRefused, match="a folder that exists"):
        backup.back_up(fresh_ledger, here, tmp_path / "kept", AT)


@pytest.mark.parametrize("spoil", ["change", "remove", "add"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    here, fresh_ledger, tmp_path, spoil
):
    folder = tmp_path / "kept"
    backup.back_up(fresh_ledger, here, folder, AT)
    if spoil == "change":
        (folder / "ledger.dump").write_bytes(b"x" * 100)
    elif spoil == "remove":
        (folder / "library/unified/x/p").unlink()
    else:
        (folder / "library/more").write_text("x")
    with pytest.raises(BackupRefused, match="missing or changed"):
        backup.restore(fresh_ledger, here, folder)


def test_a_difference_is_seen(here, engine, fresh_ledger, tmp_path):
    """The comparison itself can fail: one more record, one changed file."""
    made = backup.back_up(fresh_ledger, here, tmp_path / "kept", AT)
    (here.library_dir / "unified/x/p").write_text("otherwise")
    with engine.begin() as connection:
        append(connection, Act(OFFICER, Action.COMPILE_ENTRY, "catalog_entry", "taxation.e9", AT))
    assert backup.differences(fresh_ledger, here, made) == [
        "journal",
        "journal_waiting",
        "library/unified/x/p",
    ]
