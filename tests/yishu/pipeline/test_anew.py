"""Runs that are pulled anew, or come too late, where deliveries and changes have their say."""

import importlib.util
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from yishu.library import LibrarySuperseded
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.delivery import leave_arrived
from yishu.pipeline.errors import QualityGateClosed
from yishu.pipeline.store import run_folder
from yishu.sources.arrival import Seen

_SPEC = importlib.util.spec_from_file_location("changing", Path(__file__).with_name("changing.py"))
changing = importlib.util.module_from_spec(_SPEC)
sys.modules["changing"] = changing
_SPEC.loader.exec_module(changing)

ENTRY = "taxation.taxpayer"


def test_a_blocked_delivery_gives_way_to_the_mended_one(make_world, city, tmp_path):
    """The wait saw the bad file; once the gate has closed, the run takes what came since."""
    drop = tmp_path / "drop"
    shutil.copytree(city.urls["taxation_drop"], drop)
    ctx = make_world({"taxation_drop": str(drop)})
    (path,) = drop.iterdir()
    good = path.read_bytes()
    header, *rows = good.splitlines(keepends=True)
    path.write_bytes(header + b"".join(b"?" + row for row in rows))
    stat = path.stat()
    seen = Seen(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    leave_arrived(run_folder(ctx.settings.var_dir, ENTRY, "now"), seen)
    run_pull(ENTRY, "now", ctx)
    assert not run_validate(ENTRY, "now", ctx)["passed"]
    with pytest.raises(QualityGateClosed):
        run_publish(ENTRY, "now", ctx)

    (drop / "nsrxx_99991231.csv").write_bytes(good)
    receipt = run_pull(ENTRY, "now", ctx)

    assert receipt["delivery"]["name"] == "nsrxx_99991231.csv"
    assert run_validate(ENTRY, "now", ctx)["passed"]
    assert run_publish(ENTRY, "now", ctx)["rows"] == city.manifest.entries[ENTRY].published


def test_changes_older_than_a_pull_that_found_nothing_new_are_refused(tmp_path):
    """The row that they bring was there for a moment; a later pull no longer saw it."""
    department = changing.Department(tmp_path / "department")
    seldom = changing.entry_of(changing.INCREMENTAL | {"reconcile_hours": 24})
    bureau = changing.Bureau(tmp_path / "bureau", department, seldom)
    department.write("a", "甲", bureau.now)
    bureau.run()
    bureau.now += timedelta(minutes=1)
    department.write("b", "乙", bureau.now)
    late = bureau.pull()
    department.delete("b")
    bureau.now += timedelta(minutes=1)
    bureau.run()

    with pytest.raises(LibrarySuperseded):
        bureau.publish(late.run_id)

    assert bureau.table() == {"a": "甲"}
