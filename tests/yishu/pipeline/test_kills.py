"""SIGKILL to the real process, at named steps and at random points; then the run is done again."""

import multiprocessing
import random
import runpy
import shutil
import signal
import sqlite3
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from yishu.library import commits, content_digest, subject_table, unified_table
from yishu.pipeline.store import run_folder

ENTRY = "civil_affairs.social_organisation"
SUBJECT = "legal_entity"
SCRIPT = Path(__file__).with_name("killable_run.py")
FILES = [
    *("data.parquet", "receipt.json", "rows.parquet", "verdict.json"),
    *("released.parquet", "ages.parquet"),
]
"""Every file that a stage puts in place, in order; the commits are killed in the library's tests
and by the random kills here."""

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["great_expectations", "yishu.pipeline.run", "yishu.sources.sql", "expectations.fields"]
)


@pytest.fixture
def make_task(city, fresh_ledger, tmp_path):
    """A run of an entry and its subject on a copy of a library that holds an older version."""
    current = city.urls["civil_affairs_db"].removeprefix("sqlite:///")
    older = tmp_path / "older.db"
    with sqlite3.connect(current) as now, sqlite3.connect(older) as before:
        now.backup(before)
        before.execute("update shzz_djxx set rowid = -rowid")
        before.execute("delete from shzz_djxx where rowid % 7 = 0")
        before.commit()

    def make(run_id, url=city.urls["civil_affairs_db"]):
        base = tmp_path / "older"
        if base.exists():
            shutil.copytree(base, tmp_path / run_id)
        return {
            "entry": ENTRY,
            "subject": SUBJECT,
            "run_id": run_id,
            "ledger": fresh_ledger,
            "var_dir": str(tmp_path / run_id),
            "releases": str(city.folder / "releases"),
            "url": url,
            "now": "2026-11-20T01:30:00+00:00",
        }

    finish({**make("older", f"sqlite:///{older}"), "now": "2026-11-19T01:30:00+00:00"})
    return make


def started(task):
    process = FORKS.Process(target=runpy.run_path, args=(str(SCRIPT), {"task": task}))
    process.start()
    return process


def finish(task):
    """Do the run to its end; what it comes to, apart from ids and moments."""
    process = started(task)
    process.join(120)
    assert process.exitcode == 0
    return process


def counts(commit):
    """The counts of a publication, as the library and as the ledger keep it."""
    names = ("version", "read", "inserted", "updated", "unchanged", "deleted", "quarantined")
    return {name: getattr(commit, name) for name in (*names, "superseded", "rows")}


def outcome(task, make_world):
    ctx = make_world()
    library = Path(task["var_dir"]) / "library"
    facts = ctx.ledger.receipt(task["run_id"], ENTRY)
    verdict = ctx.ledger.verdict(ENTRY, task["run_id"])
    entry_run = ctx.ledger.run(task["run_id"], ENTRY)
    subject_run = ctx.ledger.run(task["run_id"], SUBJECT)
    leftovers = sorted(
        path.name for path in Path(task["var_dir"]).rglob("*.partial") if path.is_file()
    )
    newest = commits(library, unified_table(ENTRY))[0]
    subject = commits(library, subject_table(SUBJECT))[0]
    assert newest.run_id == subject.run_id == task["run_id"]
    assert newest.inserted > 0
    return {
        "counts": (counts(newest), counts(subject)),
        "on record": [counts(one) for one in ctx.ledger.commits_of(task["run_id"])],
        "contributions": ctx.ledger.contributions(task["run_id"], SUBJECT),
        "entry": content_digest(library, unified_table(ENTRY)),
        "subject": content_digest(library, subject_table(SUBJECT)),
        "receipt": asdict(replace(facts, run_id="")),
        "verdict": asdict(replace(verdict, run_id="")),
        "states": (entry_run.state, subject_run.state),
        "leftovers": leftovers,
    }


@pytest.mark.slow
def test_killed_at_each_named_step_a_run_comes_to_the_same_result(make_task, make_world):
    """Killed just before any file is in place, then done again: same digests, counts and facts."""
    reference = make_task("reference")
    finish(reference)
    expected = outcome(reference, make_world)
    for file in FILES:
        task = make_task(f"before-{file}")
        process = started({**task, "kill_before": file})
        process.join(120)
        folder = run_folder(Path(task["var_dir"]), ENTRY, task["run_id"])

        assert process.exitcode == -signal.SIGKILL, file
        assert not (folder.landing / file).exists()
        assert not (folder.quarantine / file).exists()
        finish(task)
        assert expected == outcome(task, make_world), file


@pytest.mark.slow
def test_killed_at_twenty_random_points_a_run_comes_to_the_same_result(
    make_task, make_world, tmp_path
):
    """Wherever the process dies, doing the run again loses and doubles nothing.

    Points are drawn by progress, not by the clock: however busy the machine, each kill hits.
    """
    reference = make_task("reference")
    finish({**reference, "steps": str(tmp_path / "steps")})
    whole = int((tmp_path / "steps").read_text())
    expected = outcome(reference, make_world)
    chance = random.Random(20261122)  # noqa: S311  when to kill is no secret
    for number in range(20):
        task = make_task(f"random-{number}")
        point = (chance.randint(1, whole * 9 // 10), chance.uniform(0, 0.03))
        process = started({**task, "kill_at": point})
        process.join(120)

        assert process.exitcode == -signal.SIGKILL, point
        finish(task)
        assert expected == outcome(task, make_world), point
