"""The use log: chained, sealed, failing closed, and answering who used what."""

import contextlib
import dataclasses
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from yishu.ledger.seal import signing_key
from yishu.ledger.statements import query
from yishu.sharing import opening, usecheck
from yishu.sharing.errors import UseLogBroken, UseNotRecorded
from yishu.sharing.uselog import Use, UseLog, make_month, row_key

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)


def use(grant_id, **changed):
    facts = {
        "at": AT, "grant_id": grant_id, "channel": "query", "requester": "human_resources",
        "consumer_org": "human_resources", "provider_orgs": ("market_regulation",),
        "purpose_code": "case_handling", "case_no": "C1",
        "object_id": "market_regulation.enterprise_registration", "table_version": 3,
        "run_id": "first", "columns": ("uscc", "name"), "row_keys": ("k1",), "rows": 1,
        "bytes": 80, "digest": "d" * 64,
    }  # fmt: skip
    return Use(**(facts | changed))


@pytest.fixture
def key(tmp_path):
    return signing_key(tmp_path / "secrets")


@pytest.fixture
def grant_id(office):
    return office.opened()[0]


@pytest.mark.requirement("QUA-04", "SEC-03")
def test_the_chain_is_whole_and_checkable_from_an_export(engine, grant_id, key, tmp_path):
    log = UseLog(engine)
    log.append([use(grant_id), use(grant_id, channel="file", row_keys=None)])
    with engine.begin() as connection:
        assert usecheck.seal(connection, key, AT) == 2
    UseLog(engine).append([use(grant_id, at=AT + timedelta(days=40))])
    with engine.connect() as connection:
        usecheck.export(connection, tmp_path / "log.jsonl")
    found = usecheck.check_export(tmp_path / "log.jsonl", key.public_key())
    assert dataclasses.astuple(found) == (3, 3, 2)


@pytest.mark.parametrize(
    "deed",
    [
        "update ledger.use_record set rows = 0 where number = 2",
        "update ledger.use_record set case_no = null where number = 1",
        "delete from ledger.use_record where number = 2",
        "delete from ledger.use_record where number = 3",
        "update ledger.use_seal set hash = repeat('0', 64)",
        "update ledger.use_record set at = at + interval '1 second' where number = 3",
    ],
)
def test_whoever_changes_the_log_is_seen(engine, grant_id, key, deed):
    UseLog(engine).append([use(grant_id)] * 3)
    with engine.begin() as connection:
        usecheck.seal(connection, key, AT)
        connection.execute(text(deed))
    with engine.connect() as connection, pytest.raises(UseLogBroken):
        usecheck.check(usecheck.records(connection), usecheck.seals(connection), key.public_key())


def test_a_closed_channel_is_closed_for_calls_not_yet_answered(office, engine, grant_id, people):
    log = UseLog(engine)
    assert log.append([use(grant_id)])[0].outcome == "served"
    with office.desk() as desk:
        opening.close(desk, grant_id, people.operator, "用途已实现")
    (after,) = log.append([use(grant_id)])
    assert (after.outcome, after.rows, after.reason) == ("denied", 0, "the channel is closed")


def test_a_grant_ends_at_midnight_in_beijing(office, engine):
    grant_id, _ = office.opened(valid_until="2026-11-20")
    midnight = datetime(2026, 11, 20, 16, tzinfo=UTC)
    log = UseLog(engine)
    before, after = midnight - timedelta(microseconds=1), midnight
    outcomes = [log.append([use(grant_id, at=at)])[0].outcome for at in (before, after)]
    assert outcomes == ["served", "denied"]


def test_a_clock_set_back_revives_nothing(office, engine):
    grant_id, _ = office.opened(valid_until="2026-11-20")
    log = UseLog(engine)
    late = datetime(2026, 11, 20, 17, tzinfo=UTC)
    log.append([use(grant_id, at=late)])
    (recorded,) = log.append([use(grant_id, at=AT)])
    assert (recorded.at, recorded.outcome) == (late, "denied")


def test_nothing_is_served_when_the_log_cannot_be_written(engine, grant_id):
    with engine.begin() as connection:
        connection.execute(text("alter table ledger.use_record rename to elsewhere"))
    with pytest.raises(UseNotRecorded):
        UseLog(engine).append([use(grant_id)])


def test_a_full_disk_under_the_log_serves_nothing(engine, grant_id, small_disk, postgres_server):
    """A real full disk: the month's partition lies in a tablespace of 1 MiB."""
    with psycopg.connect(postgres_server.url()) as connection:
        data = connection.execute("show data_directory").fetchone()[0]
    owner = Path(data).stat()
    space = small_disk / "log"
    space.mkdir()
    shutil.chown(space, owner.st_uid, owner.st_gid)
    shutil.chown(small_disk, owner.st_uid, owner.st_gid)
    name = f"small_{os.getpid()}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"create tablespace {name} location '{space}'")
    with engine.begin() as connection:
        make_month(connection, AT, name)
    log, served = UseLog(engine), 0
    with contextlib.suppress(UseNotRecorded):
        while served < 20_000:
            served += len(log.append([use(grant_id)] * 200))
    with pytest.raises(UseNotRecorded):
        log.append([use(grant_id)] * 200)
    with engine.begin() as connection:
        assert connection.scalar(text("select count(*) from ledger.use_record")) == served
        connection.execute(text("drop table ledger.use_record cascade"))
    engine.dispose()
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute(f"drop tablespace {name}")


def test_two_processes_keep_one_chain(engine, grant_id, key):
    other = create_engine(engine.url)
    first, second = UseLog(engine), UseLog(other)
    for _ in range(5):
        first.append([use(grant_id)])
        second.append([use(grant_id)])
    with engine.connect() as connection:
        found = usecheck.check(
            usecheck.records(connection), usecheck.seals(connection), key.public_key()
        )
    other.dispose()
    assert found.records == 10


@pytest.mark.requirement("QUA-04", "OWN-06")
def test_three_questions_are_one_query_each(engine, grant_id):
    object_id = "market_regulation.enterprise_registration"
    mine = row_key(b"key", object_id, ["9132"])
    other = row_key(b"key", object_id, ["9133"])
    log = UseLog(engine)
    log.append([use(grant_id, row_keys=(mine,)), use(grant_id, row_keys=(other,))])
    log.append([use(grant_id, row_keys=None, channel="file", rows=12)])
    with engine.connect() as connection:
        asked = {"object_id": object_id, "row_key": mine}
        users = connection.execute(query("use_of_row"), asked).all()
        given = connection.execute(query("use_of_grant"), {"grant_id": grant_id}).all()
        ours = connection.execute(query("use_given_by"), {"org": "market_regulation"}).all()
    assert [row.is_whole for row in users] == [False, True]
    chain = (users[0].provider_orgs, users[0].decided_by, users[0].opened_by, users[0].consumer_org)
    assert chain == (["market_regulation"], ["li"], "zhou", "human_resources")
    assert [(row.purpose_code, row.table_version, row.run_id, row.rows) for row in given] == [
        ("case_handling", 3, "first", 1), ("case_handling", 3, "first", 1),
        ("case_handling", 3, "first", 12),
    ]  # fmt: skip
    assert {row.channel: (row.calls, row.rows) for row in ours} == {
        "query": (2, 2),
        "file": (1, 12),
    }


@pytest.mark.parametrize("sealed_days", [(), (200,), (0, 200), (0, 35, 60, 200)])
def test_months_past_three_years_are_forgotten_and_the_rest_stays_checkable(
    engine, office, key, sealed_days
):
    """Whenever seals were made, however busy a month's turn was, the chain goes on from a seal."""
    grant_id, _ = office.opened(valid_until="2029-11-19")
    log = UseLog(engine)
    for day in (0, 30, 40, 200):
        log.append([use(grant_id, at=AT + timedelta(days=day))] * 2)
        if day in sealed_days:
            with engine.begin() as connection:
                usecheck.seal(connection, key, AT + timedelta(days=day))
    with engine.begin() as connection:
        usecheck.seal(connection, key, AT + timedelta(days=1_150))
        gone = usecheck.forget(connection, AT + timedelta(days=1_150))
        found = usecheck.check(
            usecheck.records(connection), usecheck.seals(connection), key.public_key()
        )
    assert gone == ["use_record_2026_11", "use_record_2026_12"]
    assert (found.records, found.last, found.sealed_to) == (2, 8, 8)


def test_no_month_is_forgotten_past_one_that_is_not_sealed(engine, office, key):
    grant_id, _ = office.opened(valid_until="2029-11-19")
    log, late = UseLog(engine), AT + timedelta(days=2_000)
    log.append([use(grant_id)])
    log.append([use(grant_id, at=AT + timedelta(days=40))])
    with engine.begin() as connection:
        usecheck.seal(connection, key, AT)
        connection.execute(text("delete from ledger.use_seal where number = 1"))
        assert usecheck.forget(connection, late) == []
        usecheck.seal(connection, key, late)
        assert usecheck.forget(connection, late) == ["use_record_2026_11"]
