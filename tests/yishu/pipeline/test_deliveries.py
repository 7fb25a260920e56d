"""Deliveries through whole runs: replaced, repeated, late, without room, and waited for."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from yishu.library import commits, content_digest, unified_table
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.delivery import leave_arrived, taken_before
from yishu.pipeline.errors import DiskFull, EmptySource
from yishu.pipeline.pull import pull
from yishu.pipeline.store import run_folder
from yishu.sources import DeliveryMismatch
from yishu.sources.arrival import Seen

ENTRY = "taxation.taxpayer"
TABLE = unified_table(ENTRY)


@pytest.fixture
def drop(city, tmp_path):
    """A copy of the tax bureau's drop folder."""
    folder = tmp_path / "drop"
    shutil.copytree(city.urls["taxation_drop"], folder)
    return folder


@pytest.fixture
def ctx(make_world, drop):
    return make_world({"taxation_drop": str(drop)})


def run_all(run_id, ctx):
    receipt = run_pull(ENTRY, run_id, ctx)
    run_validate(ENTRY, run_id, ctx)
    return receipt, run_publish(ENTRY, run_id, ctx)


def versions(ctx):
    return [commit.version for commit in commits(ctx.settings.library_dir, TABLE)]


def file_in(drop: Path) -> Path:
    (path,) = drop.iterdir()
    return path


def test_the_receipt_keeps_the_digest_of_the_delivery_itself(ctx, drop):
    receipt, _ = run_all("first", ctx)

    expected = hashlib.sha256(file_in(drop).read_bytes()).hexdigest()
    assert receipt["source_digest"] == expected
    assert receipt["delivery"]["name"] == file_in(drop).name
    assert ctx.ledger.last_receipt(ENTRY).source_digest == expected


def test_the_same_delivery_again_publishes_nothing_new(ctx, drop):
    first, _ = run_all("first", ctx)
    before = versions(ctx)
    path = file_in(drop)
    path.rename(path.with_name("nsrxx_99991231.csv"))
    again, published = run_all("again", ctx)

    assert again["source_digest"] == first["source_digest"]
    assert (published["inserted"], published["updated"], published["deleted"]) == (0, 0, 0)
    assert versions(ctx) == before


def test_a_replaced_delivery_is_a_new_version_and_the_old_one_stays(ctx, drop):
    first, published = run_all("first", ctx)
    content = content_digest(ctx.settings.library_dir, TABLE)
    path = file_in(drop)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-5]))

    second, replaced = run_all("second", ctx)

    assert second["source_digest"] != first["source_digest"]
    assert second["rows"] == first["rows"] - 5
    assert replaced["version"] == published["version"] + 1
    assert content_digest(ctx.settings.library_dir, TABLE, published["version"]) == content


def test_a_delivery_may_be_zipped_and_brings_the_same_rows(ctx, drop):
    _, published = run_all("plain", ctx)
    path = file_in(drop)
    spec = ctx.release.entries[ENTRY].source
    with zipfile.ZipFile(drop / "nsrxx_99991231.csv.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(path, path.name)
    zipped = spec.model_copy(update={"path": "nsrxx_*.zip"})
    entry = ctx.release.entries[ENTRY].model_copy(update={"source": zipped})
    folder = run_folder(ctx.settings.var_dir, ENTRY, "zipped")

    connection = ctx.connections["taxation_drop"]
    receipt = pull(entry, connection, folder, run_id="zipped", now=ctx.clock())

    assert receipt.rows == published["read"]
    assert not (folder.landing / "spool").exists()


def test_a_delivery_that_is_not_what_its_manifest_says_changes_nothing(ctx, drop):
    run_all("first", ctx)
    before = versions(ctx)
    name = file_in(drop).name
    (drop / f"{name}.manifest.csv").write_text(f"file,rows\n{name},1\n")

    with pytest.raises(DeliveryMismatch):
        run_pull(ENTRY, "second", ctx)

    folder = run_folder(ctx.settings.var_dir, ENTRY, "second")
    assert [path.name for path in folder.landing.rglob("*") if path.is_file()] == []
    assert versions(ctx) == before


def test_a_delivery_without_a_row_is_no_delivery(ctx, drop):
    path = file_in(drop)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])

    with pytest.raises(EmptySource):
        run_pull(ENTRY, "empty", ctx)


def test_a_full_disk_is_named_and_leaves_nothing_half_done(ctx, drop, small_disk):
    rows = len(file_in(drop).read_bytes().splitlines()) - 1
    entry, connection = ctx.release.entries[ENTRY], ctx.connections["taxation_drop"]
    folder = run_folder(small_disk, ENTRY, "full")
    folder.landing.mkdir(parents=True)
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(room.f_bavail * room.f_frsize - 8_192))

    with pytest.raises(DiskFull) as caught:
        pull(entry, connection, folder, run_id="full", now=ctx.clock())

    assert caught.value.retryable
    assert [one for one in folder.landing.rglob("*") if one.is_file()] == []
    (small_disk / "ballast").unlink()
    assert pull(entry, connection, folder, run_id="full", now=ctx.clock()).rows == rows


def test_a_pull_takes_what_the_wait_before_it_saw(ctx, drop):
    path = file_in(drop)
    stat = path.stat()
    seen = Seen(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    leave_arrived(run_folder(ctx.settings.var_dir, ENTRY, "now"), seen)
    shutil.copy(path, drop / "nsrxx_99991231.csv")

    receipt = run_pull(ENTRY, "now", ctx)

    assert receipt["delivery"] == seen.record()
    assert taken_before(ctx.settings.var_dir, ENTRY, "later") == seen
    assert taken_before(ctx.settings.var_dir, ENTRY, "now") is None
