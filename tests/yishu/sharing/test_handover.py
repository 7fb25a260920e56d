"""Files by HTTP in every format, and what happens when a channel is closed while bytes flow."""

import base64
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
import uvicorn
from sqlalchemy import text

from yishu.sharing import files, housekeeping, opening, usecheck
from yishu.sharing.handover import take
from yishu.sharing.house import ready
from yishu.sharing.server import create_app
from yishu.sharing.server.downloads import CHUNK, chunks, span_of
from yishu.sharing.vocabulary import ShareFormat

FILES = {"mode": "file_download", "elements": ["uscc", "name", "region_code"]}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def log(engine):
    with engine.connect() as connection:
        return connection.execute(text("select * from ledger.use_record order by number")).all()


@pytest.mark.requirement("SHR-14", "SEC-03")
def test_every_format_is_fetched_with_the_same_content_and_every_fetch_is_on_record(
    office, client, engine, house, tmp_path
):
    digests = set()
    for kind in files.SUFFIX:
        grant_id, token = office.opened(**FILES, format=kind.value)
        answer = client.get("/v1/file", headers=bearer(token))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8")
        assert answer.headers["x-content-type-options"] == "nosniff"
        path = tmp_path / f"got.{files.SUFFIX[kind]}"
        path.write_bytes(answer.content)
        told = client.get("/v1/file/manifest", headers=bearer(token)).json()
        with engine.connect() as connection:
            projection = ready(house, connection, grant_id).projection
        table = files.read_back(path, ShareFormat(kind), projection.schema)
        assert table.equals(pa.Table.from_batches(projection.batches(), projection.schema))
        assert table.schema.names == ["uscc", "name", "region_code"]
        assert table.num_rows == told["rows"] == 4
        digests.add(told["content_digest"])
        fetched = [one for one in log(engine) if one.grant_id == grant_id][-1]
        assert (fetched.rows, fetched.bytes) == (4, len(answer.content))
        assert fetched.digest == told["sha256"]
        assert fetched.requester.startswith("token:")
    assert len(digests) == 1


def test_a_signed_address_needs_no_token_and_is_bound_to_its_grant_and_time(office, client, clock):
    from datetime import timedelta  # noqa: PLC0415

    _, token = office.opened(**FILES, format="csv_utf8")
    other_id, _ = office.opened(**FILES, format="csv_utf8")
    parts = urlsplit(client.post("/v1/file/url", headers=bearer(token)).json()["url"])
    path = f"{parts.path}?{parts.query}"
    whole = client.get(path)
    part = client.get(path, headers={"Range": "bytes=0-2"})
    assert whole.content.startswith(b"\xef\xbb\xbf")
    assert (part.status_code, part.content) == (206, whole.content[:3])
    grant_id = parts.path.split("/")[2]
    assert client.get(path.replace(grant_id, other_id)).status_code == 403
    assert client.get(f"{path}0").status_code == 403
    clock.at += timedelta(minutes=16)
    assert client.get(path).status_code == 403


def test_a_grant_that_is_pushed_or_no_file_is_not_downloaded(office, client, engine):
    _, pushed = office.opened(**FILES, format="parquet", destination="hr_files")
    _, rows = office.opened()
    for token in (pushed, rows):
        assert client.get("/v1/file", headers=bearer(token)).status_code == 403
        assert log(engine)[-1].outcome == "denied"


def test_a_new_version_is_a_new_file_and_an_old_address_ends(office, client, publish, clock):
    from datetime import timedelta  # noqa: PLC0415

    _, token = office.opened(**FILES, format="csv_utf8")
    parts = urlsplit(client.post("/v1/file/url", headers=bearer(token)).json()["url"])
    rows = [("91320205MA1ABCDE09", "新公司", "李明", "320205", "1")]
    publish("second", rows, at=clock.at + timedelta(hours=1))
    clock.at += timedelta(seconds=5)
    assert "新公司" in client.get("/v1/file", headers=bearer(token)).text
    assert client.get(f"{parts.path}?{parts.query}").status_code == 403


def test_ten_first_fetches_at_once_make_one_delivery(office, house, people, engine):
    grant_id, _ = office.opened(**FILES, format="xlsx")
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: take(house, grant_id, people.officer), range(10)))
    assert len({one.delivery.delivery_id for one in taken}) == 1
    assert sum(one.requester == "zhao@hr" for one in log(engine)) == 10
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from ledger.share_delivery")) == 1


@pytest.mark.requirement("SHR-13")
def test_closing_deletes_what_was_delivered_and_projected(office, house, people, client):
    grant_id, token = office.opened(**FILES, format="parquet")
    handed = take(house, grant_id, people.officer)
    _, other = office.opened(elements=["uscc", "status"])
    client.post("/v1/query", headers=bearer(other), json={"purpose": "case_handling",
                                                          "case_no": "BJ1"})  # fmt: skip
    with office.desk() as desk:
        opening.close(desk, grant_id, people.operator, "用途已实现")
    assert housekeeping.clear(house) == 1
    assert not handed.file.exists()
    assert len(list(house.projections.iterdir())) == 1
    assert client.get("/v1/file", headers=bearer(token)).status_code in (401, 403)


def test_cleaning_leaves_what_is_being_built(tmp_path):
    from yishu.sharing import projection  # noqa: PLC0415

    (tmp_path / ".building-killed").mkdir()
    with projection._building(tmp_path) as folder:
        gone = projection.forget(tmp_path, set())
        assert folder.exists()
    assert gone == [".building-killed"]


@pytest.fixture
def address(house):
    """The channels on a server that really listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(house), port=port, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(10)


@pytest.mark.requirement("SHR-13")
def test_closing_ends_a_download_that_flows(office, people, publish, address, engine):
    """A slow reader holds the answer open; after the closing it gets no further chunk."""
    rows = [
        (f"91320205MA1B{n:06d}", base64.b64encode(os.urandom(600)).decode(), "李明", "320205", "1")
        for n in range(24_000)
    ]
    publish("large", rows)
    grant_id, token = office.opened(**FILES, format="parquet")
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        reader.connect(("127.0.0.1", address))
        asked = f"GET /v1/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        reader.sendall(asked.encode())
        reader.settimeout(30)
        first = reader.recv(1 << 14)
        length = int(first.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        with office.desk() as desk:
            opening.close(desk, grant_id, people.operator, "核实异常访问")
        time.sleep(1.1)
        taken = len(first)
        while data := _received(reader):
            taken += len(data)
    assert length > 12 << 20
    assert taken < length
    served = [row for row in log(engine) if row.channel == "file" and row.outcome == "served"]
    assert served[-1].bytes == length


@pytest.mark.parametrize("size", [2, 4096, CHUNK, CHUNK + 1, 2 * CHUNK])
@pytest.mark.parametrize("header", [None, "bytes=0-0", "bytes=1-", "bytes=-1"])
def test_a_file_flows_whole_or_as_the_range_asked_for(tmp_path, size, header):
    """Also where it, or a chunk of it, ends with a page of memory."""
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    span = span_of(header, size)

    sent = b"".join(chunks((tmp_path / "file").open("rb", buffering=0), span))

    assert sent == content[span.start : span.stop]
    assert len(sent) == {None: size, "bytes=1-": size - 1}.get(header, 1)


def _received(reader):
    try:
        return reader.recv(1 << 20)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "path",
    ["/delivered/GT1%0d%0aSet-Cookie:%20a=1/x.csv", "/files/GT1/x%0d%0aSet-Cookie:%20a=1/p"],
)
def test_no_header_is_injected_by_a_path(client, path):
    answer = client.get(path, params={"expires": 2**33, "mac": "0" * 64})
    assert answer.status_code in (403, 404)
    assert "set-cookie" not in answer.headers


def test_no_header_is_injected_by_what_a_call_says(office, client, engine):
    _, token = office.opened()
    case = "BJ1\r\nSet-Cookie: a=1"
    asked = {"purpose": "case_handling", "case_no": case}
    answer = client.post("/v1/query", headers=bearer(token), json=asked)
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert log(engine)[-1].case_no == case


def test_a_text_that_no_database_holds_takes_no_other_call_with_it(office, client, engine):
    _, token = office.opened()
    asked = {"purpose": "case_handling", "case_no": "BJ\0\\u0000"}
    assert client.post("/v1/query", headers=bearer(token), json=asked).status_code == 200
    assert log(engine)[-1].case_no == "BJ\ufffd\\u0000"
    path = "/delivered/GT%001/x.csv"
    assert client.get(path, params={"expires": 2**33, "mac": "0" * 64}).status_code == 403
    with engine.connect() as connection:
        assert usecheck.check(usecheck.records(connection), [], None).records == 2


def test_no_header_is_injected_by_the_name_of_an_attachment(office, people, tmp_path):
    from yishu.sharing import attachments  # noqa: PLC0415

    request_id = office.submitted()
    with office.desk(attachments=tmp_path) as desk:
        kept = attachments.attach(
            desk, request_id, people.officer, name='x.pdf"\r\nSet-Cookie: a=1', content=b"%PDF-1"
        )
    told = "".join(f"{name}: {value}" for name, value in attachments.headers(kept).items())
    assert not set("\r\n") & set(told)
    assert not set('\r\n"') & set(kept.name)


@pytest.mark.parametrize("both", ["open_channel", "close"])
def test_two_operators_at_once_act_once(office, people, both, engine):
    """They meet at the row's lock: the second one is told that somebody was first."""
    from yishu.sharing.errors import NotThisState  # noqa: PLC0415

    grant_id = office.granted() if both == "open_channel" else office.opened()[0]
    reason = () if both == "open_channel" else ("核实",)
    meet = threading.Barrier(2)

    def act(operator):
        with office.desk() as desk:
            meet.wait()
            try:
                getattr(opening, both)(desk, grant_id, operator, *reason)
            except NotThisState:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        acted = list(pool.map(act, (people.operator, people.other_operator)))
    assert sorted(acted) == [False, True]
    kind = {"open_channel": "opened", "close": "closed"}[both]
    with engine.connect() as connection:
        steps = text("select count(*) from ledger.share_step where object_id = :g and kind = :k")
        assert connection.scalar(steps, {"g": grant_id, "k": kind}) == 1
        living = text("select count(*) from ledger.share_token where revoked_at is null")
        assert connection.scalar(living) == (both == "open_channel")
