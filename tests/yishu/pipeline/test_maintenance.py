"""What is kept for a time only goes when that time is over, whatever left it behind."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from catalog.model import Retention
from yishu.ledger.pins import Holder, pin_in_force, pinned_versions
from yishu.library import maintain, publish_snapshot, unified_table
from yishu.library.commit import recorded
from yishu.library.errors import VersionMissing
from yishu.library.key_index import key_at
from yishu.library.place import Place
from yishu.library.read import read
from yishu.pipeline import run_maintenance, run_publish, run_pull, run_validate
from yishu.pipeline.errors import StageMissing
from yishu.pipeline.maintenance import purge
from yishu.pipeline.store import run_folder

ENTRY = "human_resources.hr_service_item"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def a_file(tmp_path):
    """Make a file below the folder of this test, some days old."""

    def make(place, days):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("rows")
        moment = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (moment, moment))
        return path

    return make


def test_rows_go_after_their_retention_and_records_stay(a_file, tmp_path, city):
    """Landed rows for 30 days, quarantine for 365 by default; receipts and verdicts for good."""
    old = a_file("landing/human_resources/hr_service_item/r1/data.parquet", 31)
    young = a_file("landing/human_resources/hr_service_item/r2/data.parquet", 29)
    receipt = a_file("landing/human_resources/hr_service_item/r1/receipt.json", 31)
    aside = a_file("quarantine/human_resources/hr_service_item/r1/rows.parquet", 366)

    removed = purge(tmp_path, tmp_path / "library", city.release, NOW)

    assert removed == {"landing": 1, "quarantine": 1, "not_linked": 0}
    assert not old.exists()
    assert not aside.exists()
    assert young.exists()
    assert receipt.exists()


def test_nothing_personal_is_kept_because_its_run_never_finished(a_file, tmp_path, city):
    """Leftovers of killed runs, of withdrawn entries and lists of unlinked keys go as well."""
    left = [
        a_file("landing/human_resources/hr_service_item/killed/.data.parquet.7.partial", 31),
        a_file("landing/human_resources/hr_service_item/empty/data.parquet", 31),
        a_file("landing/civil_affairs/withdrawn/r1/data.parquet", 31),
        a_file("library/not_linked/legal_entity/r1.parquet", 366),
    ]

    removed = purge(tmp_path, tmp_path / "library", city.release, NOW)

    assert removed == {"landing": 3, "quarantine": 0, "not_linked": 1}
    assert not [path for path in left if path.exists()]


def test_a_run_whose_rows_are_gone_says_so(make_world):
    """Publishing after the retention is over is a clear error, not a missing file."""
    ctx = make_world()
    run_pull(ENTRY, "old", ctx)
    run_validate(ENTRY, "old", ctx)
    run_folder(ctx.settings.var_dir, ENTRY, "old").data.unlink()

    with pytest.raises(StageMissing, match="retention"):
        run_publish(ENTRY, "old", ctx)


def test_maintenance_keeps_what_is_published(make_world):
    """Compaction and vacuum leave every table readable; what they did is returned."""
    ctx = make_world()
    for stage in (run_pull, run_validate, run_publish):
        stage(ENTRY, "r1", ctx)

    done = run_maintenance(ctx)

    assert [table["table"] for table in done["tables"]] == [f"unified/{ENTRY}"]
    assert done["purged"] == {"landing": 0, "quarantine": 0, "not_linked": 0}


def test_vacuum_leaves_what_a_frozen_report_rests_on(make_world):
    """Also when the history that the entry promised is over."""
    ctx, table = make_world(), unified_table(ENTRY)
    for stage in (run_pull, run_validate, run_publish):
        stage(ENTRY, "r1", ctx)
    library, now = ctx.settings.library_dir, ctx.clock() + timedelta(minutes=1)
    counted = read(library, table)
    with ctx.engine.begin() as connection:
        assert pin_in_force(connection, Holder.REPORT, "2026-11", now, now) == 1
    for run_id in ("r2", "r3"):
        publish_snapshot(
            library, table, counted.schema, counted.slice(1 + int(run_id[1:])).to_batches(),
            key=key_at(recorded(Place(library, table).open()), 0), run_id=run_id,
            committed_at=now, read=counted.num_rows - 1 - int(run_id[1:]),
        )  # fmt: skip

    with ctx.engine.connect() as connection:
        maintain(library, table, history_days=0, protected=pinned_versions(connection)[table])

    assert read(library, table, version=0).equals(counted)
    with pytest.raises(VersionMissing):
        read(library, table, version=1)


def test_parts_of_one_pull_go_together(a_file, tmp_path, city):
    """While one part is young enough, all stay: rows without some of their parts are worse."""
    run = "landing/human_resources/hr_service_item/ranged"
    parts = [a_file(f"{run}/parts/part-000.parquet", 31), a_file(f"{run}/parts/plan.json", 31)]
    younger = a_file(f"{run}/parts/part-001.parquet", 29)

    kept = purge(tmp_path, tmp_path / "library", city.release, NOW)
    removed = purge(tmp_path, tmp_path / "library", city.release, NOW + timedelta(days=2))

    assert kept == {"landing": 0, "quarantine": 0, "not_linked": 0}
    assert removed == {"landing": 3, "quarantine": 0, "not_linked": 0}
    assert not [path for path in (*parts, younger) if path.exists()]
    assert not list((tmp_path / run).iterdir())


def test_what_a_broken_pull_was_still_bringing_goes_too(a_file, tmp_path, city):
    """Pages of a service and half a file, kept for the next attempt, are rows like any others."""
    run = "landing/human_resources/hr_service_item/broken"
    left = [a_file(f"{run}/pages/00001.json", 31), a_file(f"{run}/spool/half", 31)]
    records = [a_file(f"{run}/{name}.json", 31) for name in ("arrived", "published")]

    removed = purge(tmp_path, tmp_path / "library", city.release, NOW)

    assert removed["landing"] == 2
    assert not [path for path in left if path.exists()]
    assert all(path.exists() for path in records)


def test_what_a_withdrawn_entry_left_is_kept_as_long_as_it_promised(a_file, tmp_path, city):
    """Its retention comes from its last version; the catalog no longer has it."""
    kept = a_file("landing/health/withdrawn/r1/data.parquet", 50)

    def purged(days):
        withdrawn = {"health.withdrawn": Retention(landing_days=days)}
        library = tmp_path / "library"
        return purge(tmp_path, library, city.release, NOW, withdrawn=withdrawn)["landing"]

    assert (purged(60), kept.exists()) == (0, True)
    assert (purged(40), kept.exists()) == (1, False)
