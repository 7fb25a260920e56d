"""Events reach the file whole, whoever else writes; a collector that is down stops nothing."""

import json
import logging
import multiprocessing
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from openlineage.client.transport.noop import NoopConfig, NoopTransport
from openlineage.client.transport.transport import Transport
from pydantic import SecretStr

from yishu.lineage import (
    DatasetName,
    Fanout,
    FileTransport,
    LineageNotWritten,
    RunState,
    open_transport,
    pull_event,
    read_events,
)
from yishu.lineage.transport import Relay, missed_file, post_event, replay_missed
from yishu.lineage.transport import collector as collector_of

SOURCE = DatasetName("file", "/srv/drops/x.csv")


@pytest.fixture
def event(enterprise, moment):
    return pull_event(RunState.START, moment, enterprise, SOURCE)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "lineage" / "events.jsonl"


def test_events_are_appended_in_order_and_readable_by_the_owner_only(file, enterprise, moment):
    for number in range(3):
        told = pull_event(RunState.START, replace(moment, run_id=f"r{number}"), enterprise, SOURCE)
        FileTransport(file).emit(told)

    found = [event["run"]["facets"]["yishu_run"]["runId"] for event in read_events(file)]
    assert found == ["r0", "r1", "r2"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def _append_many(file, event, times):
    for _ in range(times):
        FileTransport(file).emit(event)


def test_processes_that_write_together_never_mix_their_lines(file, event):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_append_many, args=(file, event, 50)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 200
    assert len({json.dumps(json.loads(line)) for line in lines}) == 1


def test_a_torn_last_line_costs_only_itself(file, event, caplog):
    """As a machine leaves it that dies in the middle of a write."""
    transport = FileTransport(file)
    transport.emit(event)
    with file.open("a") as torn:
        torn.write('{"eventType": "STA')
    transport.emit(event)

    with caplog.at_level(logging.WARNING):
        assert len(list(read_events(file))) == 2
    assert "line 2" in caplog.text


def test_a_file_that_is_not_there_has_no_events(file):
    assert list(read_events(file)) == []


def test_a_full_disk_is_an_error_with_a_remedy(event):
    with pytest.raises(LineageNotWritten, match="No space left"):
        FileTransport(Path("/dev/full")).emit(event)


class _Broken(Transport):
    def emit(self, event):
        raise ConnectionError(f"hush, about {event}")


class _Kept(Transport):
    def __init__(self):
        self.events = []

    def emit(self, event):
        self.events.append(event)


def test_all_get_the_event_though_one_is_broken(event, caplog):
    record, last = _Kept(), _Kept()
    fanout = Fanout(record, [_Broken(), NoopTransport(NoopConfig()), last])

    fanout.emit(event)

    assert record.events == last.events == [event]
    assert "ConnectionError" in caplog.text
    assert "hush" not in caplog.text
    assert fanout.close() is True


def test_what_the_record_cannot_keep_is_told_to_nobody(event):
    other = _Kept()
    with pytest.raises(ConnectionError):
        Fanout(_Broken(), [other]).emit(event)
    assert other.events == []


@pytest.fixture
def collector():
    """An OpenLineage collector on loopback that keeps what it gets."""
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *args):
            """Stay silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_collector_gets_what_the_file_gets(file, event, collector):
    url, got = collector
    open_transport(file, url, SecretStr("a-key")).emit(event)

    ((path, authorization, body),) = got
    assert (path, authorization) == ("/api/v1/lineage", "Bearer a-key")
    assert body == next(read_events(file))


def test_a_collector_that_is_down_leaves_the_event_in_the_file(file, event):
    open_transport(file, "http://127.0.0.1:9").emit(event)
    assert len(list(read_events(file))) == 1


def test_without_a_collector_there_is_only_the_file(file):
    assert isinstance(open_transport(file), FileTransport)


class _Flaky(Transport):
    """Refuses events while it is down, and counts how often it was asked."""

    kind = "flaky"

    def __init__(self):
        self.is_down, self.asked, self.got = True, 0, []

    def emit(self, event):
        self.asked += 1
        if self.is_down:
            raise ConnectionError("down")
        self.got.append(event)


def told_at(enterprise, moment, number):
    """Event number so-and-so of a long day."""
    later = replace(moment, run_id=f"run-{number}")
    return pull_event(RunState.START, later, enterprise, SOURCE)


def test_down_for_a_day_it_is_asked_once_and_gets_everything_in_order_afterwards(
    file, enterprise, moment
):
    flaky, missed = _Flaky(), missed_file(file, "collector")
    relay = Relay(flaky, missed)
    for number in range(30):
        relay.emit(told_at(enterprise, moment, number))
    assert flaky.asked == 1, "a collector that is down costs no more than one time-out"

    got = []
    assert replay_missed(missed, got.append) == (30, 0)

    assert [one["run"]["facets"]["yishu_run"]["runId"] for one in got] == [
        f"run-{number}" for number in range(30)
    ]
    assert replay_missed(missed, got.append) == (0, 0)


def test_after_its_rest_it_is_asked_again(file, event):
    flaky = _Flaky()
    relay = Relay(flaky, missed_file(file, "collector"), rest=0)
    relay.emit(event)
    flaky.is_down = False

    relay.emit(event)

    assert flaky.got == [event]


def test_a_replay_that_breaks_off_keeps_what_it_did_not_send_before_what_was_missed_meanwhile(
    file, enterprise, moment
):
    missed = missed_file(file, "collector")
    relay = Relay(_Flaky(), missed)
    for number in range(5):
        relay.emit(told_at(enterprise, moment, number))
    sent = []

    def breaks(event):
        if len(sent) == 2:
            relay.emit(told_at(enterprise, moment, 5))
            raise ConnectionError("down again")
        sent.append(event)

    assert replay_missed(missed, breaks) == (2, 3)
    assert replay_missed(missed, sent.append) == (4, 0)
    assert [one["run"]["facets"]["yishu_run"]["runId"] for one in sent] == [
        f"run-{number}" for number in range(6)
    ]
    assert missed.parent.exists()
    assert not missed.exists()


def test_file_collector_and_ledger_are_told_together(file, event, collector):
    url, got = collector
    kept = []

    open_transport(file, url, keep=kept.append).emit(event)

    ((_, _, body),) = got
    assert [body] == kept == list(read_events(file))


def test_a_replay_reaches_a_real_collector_with_its_key(file, event, collector):
    url, got = collector
    open_transport(file, "http://127.0.0.1:9").emit(event)
    sender = collector_of(url, SecretStr("a-key"))

    assert replay_missed(missed_file(file, "collector"), post_event(sender)) == (1, 0)

    ((path, authorization, body),) = got
    assert (path, authorization) == ("/api/v1/lineage", "Bearer a-key")
    assert body == next(read_events(file))
