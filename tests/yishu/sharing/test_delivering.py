"""Deliveries into real folders, a real SSH server, real PostgreSQL and MariaDB."""

import getpass
import hashlib
import json
import os
import socket
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncssh
import psycopg
import pyarrow as pa
import pymysql
import pytest
from sqlalchemy import text

from yishu.library.digest import digest_rows
from yishu.library.engine import connect
from yishu.lineage import FileTransport, read_events
from yishu.sharing import delivering, files, opening, push
from yishu.sharing.errors import DeliveryFailed, GrantHeld, NotThisState
from yishu.sharing.house import ready
from yishu.sharing.vocabulary import ShareFormat

SSHD = Path("/usr/sbin/sshd")
FIELDS = ["uscc", "name", "legal_representative", "region_code", "status"]
LATER = [
    ("91320205MA1ABCDE00", "甲贸易有限公司（新）", "李明", "320205", "1"),
    ("91320213MA1ABCDE01", "乙食品有限公司", "王芳", "320213", "1"),
    ("91320282MA1ABCDE03", None, "陈静", "320282", "2"),
    ("91320205MA1ABCDE04", "戊建筑", "赵强", "320205", "1"),
]


def digest_of(table):
    with connect() as connection:
        connection.register("delivered", table)
        return digest_rows(connection, "delivered", table.schema)


def rows_there(url, table="market_regulation_enterprise_registration"):
    if url.startswith("postgres"):
        with psycopg.connect(url) as connection:
            found = connection.execute(
                f"select {', '.join(FIELDS)}, yishu_batch_no, yishu_sync_op from {table} "
                "order by yishu_batch_no, case yishu_sync_op when 'delete' then 0 else 1 end"
            )
            return found.fetchall()
    host, port = url.rsplit("@", 1)[1].split("/")[0].split(":")
    user, password = url.split("//")[1].split("@")[0].split(":")
    with (
        pymysql.connect(
            host=host, port=int(port), user=user, password=password,
            database=url.rsplit("/", 1)[1], charset="utf8mb4",
        ) as connection,
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(
            f"select {', '.join(FIELDS)}, yishu_batch_no, yishu_sync_op from {table} "
            "order by yishu_batch_no, case yishu_sync_op when 'delete' then 0 else 1 end"
        )
        return list(cursor.fetchall())


def replayed(rows):
    """The state that a consumer gets to who applies batches in order, by key."""
    state = {}
    for *row, _, operation in rows:
        if operation == "delete":
            del state[row[0]]
        else:
            state[row[0]] = tuple(row)
    return state


@pytest.fixture(params=["postgresql", "mariadb"])
def consumer(request, postgres_server):
    name = f"consumer_{os.urandom(4).hex()}"
    if request.param == "postgresql":
        return postgres_server.ensure_database(name)
    server = request.getfixturevalue("mariadb")
    url = server.fresh(name)
    server.run(f"grant all on `{name}`.* to `{name}`@`127.0.0.1`")
    return url


def exchange_grant(office):
    facts = {"mode": "batch_exchange", "format": "database", "destination": "hr_db"}
    return office.opened(elements=FIELDS, **facts)[0]


@pytest.mark.requirement("SHR-14", "EXC-03")
def test_batches_lead_the_consumers_database_to_the_same_rows(
    office, house, publish, consumer, engine
):
    grant_id = exchange_grant(office)
    there = {"hr_db": consumer}
    first = delivering.deliver(house, grant_id, there)
    assert (first.batch_no, first.rows) == (1, 4)
    assert delivering.deliver(house, grant_id, there) is None
    publish("second", LATER, at=house.clock() + timedelta(hours=1))
    second = delivering.deliver(house, grant_id, there)
    rows = rows_there(consumer)
    operations = sorted(row[-1] for row in rows if row[-2] == 2)
    assert operations == ["delete", "insert", "update", "update"]
    with engine.begin() as connection:
        projection = ready(house, connection, grant_id).projection
    state = [dict(zip(FIELDS, row, strict=True)) for row in replayed(rows).values()]
    table = pa.Table.from_pylist(state, schema=projection.schema)
    assert digest_of(table) == second.content_digest == projection.content_digest()
    assert {row["legal_representative"] for row in state} == {"李*", "王*", "陈*", "赵*"}


def test_a_batch_that_stopped_halfway_is_there_once(office, house, publish, consumer, monkeypatch):
    """The first try writes half and dies; the second dies after the commit, before its receipt."""
    grant_id = exchange_grant(office)
    there = {"hr_db": consumer}
    delivering.deliver(house, grant_id, there)
    publish("second", LATER, at=house.clock() + timedelta(hours=1))
    monkeypatch.setattr(push, "_ROWS_AT_ONCE", 1)
    real, calls = push._plain, []

    def half(row):
        calls.append(row)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(row)

    monkeypatch.setattr(push, "_plain", half)
    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(house, grant_id, there)
    monkeypatch.setattr(push, "_plain", real)
    finish = delivering._finish

    def dies(*args, **values):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivering, "_finish", dies)
    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(house, grant_id, there)
    monkeypatch.setattr(delivering, "_finish", finish)
    done = delivering.deliver(house, grant_id, there)
    assert (done.batch_no, done.rows) == (2, 4)
    rows = rows_there(consumer)
    assert [row[-2] for row in rows].count(2) == 4
    assert set(replayed(rows)) == {row[0] for row in LATER}


def test_a_consumer_that_was_down_for_a_day_catches_up(
    office, house, publish, postgres_server, clock
):
    grant_id = exchange_grant(office)
    down = {"hr_db": "postgresql://nobody:x@127.0.0.1:9/nowhere"}
    with pytest.raises(DeliveryFailed) as error:
        delivering.deliver(house, grant_id, down)
    assert "nobody" not in str(error.value)
    publish("second", LATER, at=house.clock() + timedelta(hours=1))
    clock.at += timedelta(days=1)
    done, failed = delivering.deliver_all(house, down)
    assert (done, [one.code for one in failed]) == ([], ["SHR_DELIVERY_FAILED"])
    up = postgres_server.ensure_database(f"up_{os.urandom(4).hex()}")
    done, failed = delivering.deliver_all(house, {"hr_db": up})
    assert ([one.batch_no for one in done], failed) == ([1], [])
    assert set(replayed(rows_there(up))) == {row[0] for row in LATER}


@pytest.mark.requirement("SHR-12", "SHR-14", "QUA-04")
@pytest.mark.parametrize("kind", ["csv_utf8", "csv_gb18030", "xlsx", "parquet"])
def test_files_come_with_manifest_digest_and_receipt(office, house, kind, tmp_path, engine):
    drop = tmp_path / "交换区"
    drop.mkdir()
    facts = {"mode": "file_download", "format": kind, "destination": "hr_drop"}
    grant_id, _ = office.opened(elements=FIELDS, **facts)
    transport = FileTransport(tmp_path / "events.jsonl")
    done = delivering.deliver(house, grant_id, {"hr_drop": str(drop)}, transport)
    (manifest,) = drop.glob("*.manifest.json")
    told = json.loads(manifest.read_text("utf-8"))
    file = drop / told["file"]
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (told["grant_id"], told["rows"], told["run_id"]) == (grant_id, 4, "first")
    assert {one["field"]: one["mask"] for one in told["columns"]}["legal_representative"] == "name"
    with engine.begin() as connection:
        projection = ready(house, connection, grant_id).projection
        receipt = connection.scalar(text("select receipt from ledger.share_delivery"))
    table = files.read_back(file, ShareFormat(kind), projection.schema)
    assert digest_of(table) == told["content_digest"] == done.content_digest
    assert receipt["at_destination"] == told["sha256"]
    assert sorted(path.name for path in drop.iterdir()) == sorted([file.name, manifest.name])
    event, _ = read_events(tmp_path / "events.jsonl")
    assert event["outputs"][0]["name"] == f"share/{grant_id}"
    lineage = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    masking = lineage["legal_representative"]["inputFields"][0]["transformations"][0]["masking"]
    assert masking is True


@pytest.fixture(scope="module")
def openssh(tmp_path_factory):
    """Debian's own server, on a port, with a key and a configuration of its own."""
    if not SSHD.exists():
        pytest.skip("needs /usr/sbin/sshd: apt-get install openssh-server")
    here = tmp_path_factory.mktemp("sshd")
    keys = {name: asyncssh.generate_private_key("ssh-ed25519") for name in ("host", "user")}
    for name, key in keys.items():
        key.write_private_key(str(here / name))
        (here / name).chmod(0o600)
    keys["user"].write_public_key(str(here / "authorized"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (here / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {here}/host\nPidFile none\n"
        f"AuthorizedKeysFile {here}/authorized\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    command = [str(SSHD), "-D", "-e", "-f", str(here / "config")]
    with subprocess.Popen(command, stderr=(here / "log").open("w")) as process:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        (here / "drop").mkdir()
        asked = {"host_key": keys["host"].get_fingerprint(), "private_key": str(here / "user")}
        query = "&".join(f"{name}={quote(value)}" for name, value in asked.items())
        yield f"sftp://{getpass.getuser()}@127.0.0.1:{port}{here}/drop?{query}", here / "drop"
        process.terminate()


def test_files_are_pushed_over_sftp(office, house, openssh, tmp_path):
    url, drop = openssh
    transport = FileTransport(tmp_path / "events.jsonl")
    facts = {"mode": "file_download", "format": "parquet", "destination": "hr_sftp"}
    grant_id, _ = office.opened(elements=FIELDS, **facts)
    done = delivering.deliver(house, grant_id, {"hr_sftp": url}, transport)
    _, onward = read_events(tmp_path / "events.jsonl")
    (pushed,) = onward["outputs"]
    server = urlsplit(url)
    assert pushed["namespace"] == f"sftp://{server.hostname}:{server.port}"
    assert pushed["name"] == str(drop / f"{grant_id}-*.parquet")
    assert sorted(path.name for path in drop.iterdir()) == [
        f"{done.delivery_id}.manifest.json", f"{done.delivery_id}.parquet",
    ]  # fmt: skip


def test_a_full_disk_at_the_consumer_fails_and_leaves_nothing_half(office, house, small_disk):
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="space"), filler.open("wb") as file:
        file.write(b"x" * (2 << 20))
    facts = {"mode": "file_download", "format": "xlsx", "destination": "hr_drop"}
    grant_id, _ = office.opened(elements=FIELDS, **facts)
    with pytest.raises(DeliveryFailed):
        delivering.deliver(house, grant_id, {"hr_drop": str(small_disk)})
    assert [path for path in small_disk.iterdir() if path.suffix == ".xlsx"] == []


@pytest.mark.requirement("SHR-13")
def test_closing_stops_the_next_delivery(office, house, people, tmp_path):
    facts = {"mode": "file_download", "format": "xlsx"}
    grant_id, _ = office.opened(elements=FIELDS, **facts)
    with office.desk() as desk:
        opening.close(desk, grant_id, people.operator, "用途已实现")
    with pytest.raises(NotThisState):
        delivering.deliver(house, grant_id, {})
    assert delivering.deliver_all(house, {}) == ([], [])


@pytest.mark.requirement("QUA-05")
def test_failed_data_are_not_delivered(office, house, engine):
    facts = {"mode": "file_download", "format": "xlsx"}
    grant_id, _ = office.opened(elements=FIELDS, **facts)
    entry = "market_regulation.enterprise_registration"
    with engine.begin() as connection:
        connection.execute(
            text("insert into ledger.run (run_id, object_id, kind, state, release_id, started_at) "
                 "values ('bad', :e, 'entry', 'running', 'x', now())"), {"e": entry})  # fmt: skip
        connection.execute(
            text("insert into ledger.verdict (run_id, entry_id, rows, quarantined, passed, "
                 "max_quarantined_share, decided_at) values ('bad', :e, 9, 9, false, 0, now())"),
            {"e": entry},
        )  # fmt: skip
    with pytest.raises(GrantHeld):
        delivering.deliver(house, grant_id, {})
