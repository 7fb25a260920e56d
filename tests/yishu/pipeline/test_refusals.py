"""Bad input of whole runs: a clear error, the library untouched, the reason on record."""

import socket
import sqlite3
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from catalog.errors import NotCataloged
from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.governance.promises import clock_rows
from yishu.ledger.facts import RunState
from yishu.library import LibrarySuperseded, commits, content_digest, unified_table
from yishu.pipeline import run_publish, run_pull, run_validate
from yishu.pipeline.errors import (
    ConnectionUnknown,
    EmptySource,
    EntryChanged,
    QualityGateClosed,
    SchemaDrift,
    StageMissing,
)
from yishu.pipeline.store import run_folder
from yishu.sources.errors import SourceTableMissing, SourceUnreachable

ORGANISATION = "civil_affairs.social_organisation"
ENTERPRISE = "market_regulation.enterprise_registration"


def run_all(entry_id, run_id, ctx):
    run_pull(entry_id, run_id, ctx)
    run_validate(entry_id, run_id, ctx)
    return run_publish(entry_id, run_id, ctx)


@pytest.fixture
def changed_sqlite(city, tmp_path):
    """A copy of the civil affairs database after some SQL; its URL."""

    def change(*statements):
        original = city.urls["civil_affairs_db"].removeprefix("sqlite:///")
        copy = tmp_path / "changed.db"
        with sqlite3.connect(original) as before, sqlite3.connect(copy) as after:
            before.backup(after)
            for statement in statements:
                after.execute(statement)
            after.commit()
        return {"civil_affairs_db": f"sqlite:///{copy}"}

    return change


@pytest.fixture
def published_once(make_world):
    """A world in which the social organisations are published as version 0."""
    ctx = make_world()
    run_all(ORGANISATION, "good", ctx)
    return ctx


def assert_untouched(ctx):
    published = commits(ctx.settings.library_dir, unified_table(ORGANISATION))
    assert [(commit.version, commit.run_id) for commit in published] == [(0, "good")]


@pytest.mark.requirement("CAT-01")
def test_data_outside_the_catalog_are_refused_and_the_refusal_is_on_record(make_world):
    """A pull without a published entry reads nothing, and the audit log keeps the refusal."""
    ctx = make_world()

    with pytest.raises(NotCataloged) as caught:
        run_pull("civil_affairs.marriages", "run-1", ctx)

    assert caught.value.code == "CAT_NOT_CATALOGED"
    (refusal,) = ctx.ledger.refusals()
    assert (refusal.code, refusal.object_id, refusal.run_id) == (
        "CAT_NOT_CATALOGED",
        "civil_affairs.marriages",
        "run-1",
    )
    assert not run_folder(ctx.settings.var_dir, "civil_affairs.marriages", "run-1").landing.exists()


@pytest.mark.requirement("CAT-01")
def test_a_withdrawn_entry_is_refused_from_the_next_release_on(city, make_world, tmp_path):
    """The same entry that ran yesterday is refused once the release has it no more."""
    loaded, _ = load_catalog(make_world().settings.catalog_dir)
    content = compile_release(loaded, date(2026, 11, 2))
    del content["entries"][ORGANISATION]
    ctx = make_world(release=write_release(tmp_path / "releases", content))

    with pytest.raises(NotCataloged):
        run_pull(ORGANISATION, "run-1", ctx)


def test_a_source_that_is_down_is_worth_a_retry_and_says_which(city, make_world):
    """No server: a retryable error that names the connection and holds no password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = probe.getsockname()[1]
    url = f"postgresql://yishu_reader:reader-of-the-tests@127.0.0.1:{dead}/yishu_market"
    ctx = make_world(urls={"market_regulation_db": url})

    with pytest.raises(SourceUnreachable) as caught:
        run_pull(ENTERPRISE, "run-1", ctx)

    assert caught.value.retryable
    assert "market_regulation_db" in str(caught.value)
    assert "reader-of-the-tests" not in str(caught.value)
    run = ctx.ledger.run("run-1", ENTERPRISE)
    assert (run.state, run.error_code) == (RunState.FAILED, caught.value.code)


def test_a_table_that_is_gone_stops_the_pull(published_once, make_world, changed_sqlite):
    """The error names the table; the published version stays."""
    ctx = make_world(urls=changed_sqlite("drop table shzz_djxx"))

    with pytest.raises(SourceTableMissing, match="shzz_djxx"):
        run_pull(ORGANISATION, "bad", ctx)

    assert_untouched(ctx)


def test_a_missing_column_is_drift_with_evidence(published_once, make_world, changed_sqlite):
    """A catalogued column that the source lost stops the pull before anything is read."""
    entry = published_once.release.entry(ORGANISATION)
    lost = entry.item("address").source_column
    ctx = make_world(urls=changed_sqlite(f'alter table shzz_djxx drop column "{lost}"'))
    later = ctx.clock() + timedelta(hours=1)
    ctx = replace(ctx, clock=lambda: later)

    with pytest.raises(SchemaDrift, match=f"missing column {lost}") as caught:
        run_pull(ORGANISATION, "bad", ctx)

    rows = ctx.ledger.receipt("good", ORGANISATION).rows
    evidence = f"the last pull that matched was run good at 2026-11-20 01:30 UTC, {rows:,} rows"
    assert evidence in caught.value.found
    assert evidence in ctx.ledger.run("bad", ORGANISATION).error_message
    with ctx.ledger.engine.connect() as connection:
        (clock,) = clock_rows(connection, object_id=ORGANISATION)
    assert f"missing column {lost}" in clock.events[-1].note
    assert not run_folder(ctx.settings.var_dir, ORGANISATION, "bad").data.exists()
    assert_untouched(ctx)


def test_an_empty_source_publishes_nothing(published_once, make_world, changed_sqlite):
    """A source that is never empty and now is stops the run; the old version stays."""
    ctx = make_world(urls=changed_sqlite("delete from shzz_djxx"))

    with pytest.raises(EmptySource):
        run_pull(ORGANISATION, "bad", ctx)

    assert_untouched(ctx)


def test_a_batch_of_bad_rows_alone_is_kept_out_by_the_gate(
    published_once, make_world, changed_sqlite
):
    """100 % bad rows: all in quarantine with reasons, the run blocked, the library untouched."""
    key = published_once.release.entry(ORGANISATION).item("uscc").source_column
    ctx = make_world(urls=changed_sqlite(f"update shzz_djxx set \"{key}\" = 'wrong'"))
    rows = run_pull(ORGANISATION, "bad", ctx)["rows"]
    verdict = run_validate(ORGANISATION, "bad", ctx)

    with pytest.raises(QualityGateClosed) as caught:
        run_publish(ORGANISATION, "bad", ctx)

    assert verdict["quarantined"] == rows > 0
    assert f"{rows} of {rows} rows" in caught.value.found
    assert ctx.ledger.run("bad", ORGANISATION).state is RunState.BLOCKED
    assert_untouched(ctx)


@pytest.mark.requirement("SEC-01")
def test_one_row_with_a_secrecy_mark_keeps_the_whole_batch_out(
    published_once, make_world, changed_sqlite
):
    """A state secret among the rows blocks the load, however few rows carry the mark."""
    name = published_once.release.entry(ORGANISATION).item("name").source_column
    marked = f"""update shzz_djxx set "{name}" = '某基金会（机密★10年）'
        where rowid = (select min(rowid) from shzz_djxx where length("{name}") > 4)"""
    ctx = make_world(urls=changed_sqlite(marked))
    run_pull(ORGANISATION, "bad", ctx)
    verdict = run_validate(ORGANISATION, "bad", ctx)

    with pytest.raises(QualityGateClosed, match=r"name\.unclassified"):
        run_publish(ORGANISATION, "bad", ctx)

    assert verdict["blocked_by"] == ["name.unclassified"]
    assert_untouched(ctx)


def test_a_closed_gate_opens_again_once_the_source_is_mended(
    published_once, make_world, changed_sqlite, city
):
    """The same run, cleared and pulled again after the department mended its rows, publishes."""
    key = published_once.release.entry(ORGANISATION).item("uscc").source_column
    bad = make_world(urls=changed_sqlite(f"update shzz_djxx set \"{key}\" = 'wrong'"))
    run_pull(ORGANISATION, "again", bad)
    run_validate(ORGANISATION, "again", bad)
    with pytest.raises(QualityGateClosed):
        run_publish(ORGANISATION, "again", bad)

    done = run_all(ORGANISATION, "again", make_world())

    assert done["unchanged"] == city.manifest.entries[ORGANISATION].published
    assert make_world().ledger.run("again", ORGANISATION).state is RunState.SUCCEEDED


def test_a_release_in_the_middle_of_a_run_stops_it(make_world, tmp_path):
    """Rows pulled by one version of an entry are not judged or published by another."""
    ctx = make_world()
    run_pull(ORGANISATION, "run-1", ctx)
    loaded, _ = load_catalog(ctx.settings.catalog_dir)
    content = compile_release(loaded, date(2026, 11, 2))
    content["entries"][ORGANISATION]["quality"]["max_quarantined_share"] = 0.5
    changed = make_world(release=write_release(tmp_path / "releases", content))

    with pytest.raises(EntryChanged, match="start a new run"):
        run_validate(ORGANISATION, "run-1", changed)

    run_validate(ORGANISATION, "run-1", ctx)
    with pytest.raises(EntryChanged):
        run_publish(ORGANISATION, "run-1", changed)


def test_a_run_that_is_interrupted_ends_as_failed(make_world, monkeypatch):
    """A time-out or Ctrl-C is no Exception, and the ledger still learns how the run ended."""

    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    ctx = make_world()
    monkeypatch.setattr("yishu.pipeline.run.pull", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_pull(ORGANISATION, "run-1", ctx)

    assert ctx.ledger.run("run-1", ORGANISATION).state is RunState.FAILED


def test_a_stage_does_not_start_before_the_one_it_builds_on(make_world):
    """Validation without a pull says what is missing."""
    with pytest.raises(StageMissing, match=r"receipt\.json"):
        run_validate(ORGANISATION, "never-pulled", make_world())


def test_a_connection_that_is_not_there_is_named(city, make_world):
    """The error names the connection and where to add it; the failed run is on record."""
    ctx = make_world()
    bare = type(ctx)(ctx.settings, ctx.release, ctx.ledger_url, {}, ctx.clock)

    with pytest.raises(ConnectionUnknown, match="civil_affairs_db"):
        run_pull(ORGANISATION, "run-1", bare)

    run = ctx.ledger.run("run-1", ORGANISATION)
    assert (run.state, run.stage, run.error_code) == ("failed", "pull", "RUN_CONNECTION_UNKNOWN")


@pytest.mark.requirement("SUB-21")
def test_an_older_pull_that_is_published_last_changes_nothing(city, make_world, changed_sqlite):
    """The library keeps the newer state, whatever order runs end in; the ledger says why."""
    name = city.release.entry(ORGANISATION).item("name").source_column
    old = make_world(urls=changed_sqlite(f"update shzz_djxx set \"{name}\" = '旧名'"))
    new = make_world()
    later = type(new)(
        new.settings,
        new.release,
        new.ledger_url,
        new.connections,
        lambda: new.clock() + timedelta(hours=1),
    )
    run_pull(ORGANISATION, "older", old)
    run_validate(ORGANISATION, "older", old)
    run_all(ORGANISATION, "newer", later)
    before = content_digest(new.settings.library_dir, unified_table(ORGANISATION))

    with pytest.raises(LibrarySuperseded):
        run_publish(ORGANISATION, "older", later)

    assert content_digest(new.settings.library_dir, unified_table(ORGANISATION)) == before
    assert new.ledger.run("older", ORGANISATION).error_code == "LIB_SUPERSEDED"


@pytest.mark.requirement("COL-01")
def test_a_column_that_the_reader_may_not_read_is_never_asked_for(city, make_world):
    """Only catalogued columns are selected: a drifted one without privilege does no harm."""
    url = city.postgres.url("yishu_approval")
    entry = city.release.entry("administrative_approval.service_item")
    table = entry.source.table
    columns = ", ".join(f'"{item.source_column}"' for item in entry.items)
    with psycopg.connect(url) as owner:
        owner.execute(f"revoke select on {table} from yishu_reader")
        owner.execute(f"grant select ({columns}) on {table} to yishu_reader")
    try:
        receipt = run_pull(entry.id, "run-1", make_world())
    finally:
        with psycopg.connect(url) as owner:
            owner.execute(f"grant select on {table} to yishu_reader")

    assert receipt["rows"] == city.manifest.entries[entry.id].read
