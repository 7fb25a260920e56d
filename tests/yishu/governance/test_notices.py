"""Notices: never two for one event, never one lost; a real mail server and a real web server."""

import json
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalog.roles import Role
from yishu.governance.delivery import deliver, mail_sender, webhook_sender
from yishu.governance.errors import NoticeUnsent
from yishu.governance.notices import (
    Channel,
    Notice,
    drop_address,
    enqueue,
    enqueue_all,
    inbox,
    mark_read,
    set_address,
)


class Mailbox:
    """A mail server that keeps what it gets; it refuses what it is told to."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.refuses = False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if self.refuses:
            return "451 later"
        self.messages.append(envelope.content.decode())
        return "250 taken"


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def mail_server(mailbox):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    yield f"smtp://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def web_server():
    """A web server and what was posted to it: key and body."""
    posted: list[tuple[str, dict]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append((self.headers["Idempotency-Key"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", posted
    server.shutdown()


@pytest.fixture
def note(at):
    def make(key="card:1", **changed):
        values = {
            "key": key,
            "org": "taxation",
            "role": Role.DEPARTMENT_OFFICER,
            "subject": "黄牌：目录更新",
            "text": "请于 2026-10-22 前办结。",
            "at": at("2026-10-19"),
            "object_kind": "clock",
            "object_id": "clk-1",
        }
        return Notice(**{**values, **changed})

    return make


@pytest.fixture
def addressed(ledger_engine):
    """The officer of taxation gets mail at one address."""
    with ledger_engine.begin() as connection:
        set_address(
            connection, "taxation", Role.DEPARTMENT_OFFICER, Channel.MAIL, "li.an@example.org"
        )


@pytest.mark.requirement("SUP-02")
@pytest.mark.usefixtures("addressed")
def test_one_event_is_told_once(ledger_engine, mail_server, mailbox, note, at):
    with ledger_engine.begin() as connection:
        assert [enqueue(connection, note()), enqueue(connection, note())] == [True, False]
    with ledger_engine.begin() as connection:
        assert enqueue(connection, note()) is False
    senders = {Channel.MAIL: mail_sender(mail_server, "yishu@example.org")}
    done = [deliver(ledger_engine, senders, at("2026-10-19", "11:00:00")) for _ in range(3)]

    assert [one.sent for one in done] == [1, 0, 0]
    (message,) = mailbox.messages
    assert "To: li.an@example.org" in message
    assert "Message-ID: <" in message


@pytest.mark.usefixtures("addressed")
def test_a_mail_server_that_is_down_for_a_day_loses_nothing(
    ledger_engine, mail_server, mailbox, note, at
):
    with ledger_engine.begin() as connection:
        enqueue_all(connection, [note(f"card:{n}") for n in range(20)])
    mailbox.refuses = True
    senders = {Channel.MAIL: mail_sender(mail_server, "yishu@example.org")}
    now = at("2026-10-19")
    for hour in range(24):
        assert deliver(ledger_engine, senders, now + timedelta(hours=hour)).sent == 0
    with ledger_engine.connect() as connection:
        assert sum(one.waiting for one in inbox(connection)) == 20
    mailbox.refuses = False
    last = deliver(ledger_engine, senders, now + timedelta(hours=26))

    assert (last.sent, len(mailbox.messages)) == (20, 20)
    assert (
        len({line for m in mailbox.messages for line in m.splitlines() if "Message-ID" in line})
        == 20
    )


@pytest.mark.usefixtures("addressed")
def test_a_closed_port_is_a_failure_like_any_other(ledger_engine, note, at):
    with ledger_engine.begin() as connection:
        enqueue(connection, note())
    senders = {Channel.MAIL: mail_sender("smtp://127.0.0.1:9", "yishu@example.org")}
    assert deliver(ledger_engine, senders, at("2026-10-19")).failed == 1
    with ledger_engine.connect() as connection:
        (one,) = inbox(connection)
    assert (one.waiting, one.last_error is not None) == (1, True)


@pytest.mark.usefixtures("addressed")
def test_two_senders_at_once_send_each_notice_once(ledger_engine, mail_server, mailbox, note, at):
    with ledger_engine.begin() as connection:
        enqueue_all(connection, [note(f"card:{n}") for n in range(30)])
    senders = {Channel.MAIL: mail_sender(mail_server, "yishu@example.org")}
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: deliver(ledger_engine, senders, at("2026-10-20")), range(3)))

    assert sum(one.sent for one in done) == len(mailbox.messages) == 30


def test_a_webhook_gets_the_same_key_however_often(ledger_engine, web_server, note, at):
    url, posted = web_server
    with ledger_engine.begin() as connection:
        set_address(connection, "taxation", Role.DEPARTMENT_OFFICER, Channel.WEBHOOK, url)
        enqueue(connection, note())
    with httpx.Client() as client:
        send = webhook_sender(client)
        assert deliver(ledger_engine, {Channel.WEBHOOK: send}, at("2026-10-20")).sent == 1
        with ledger_engine.connect() as connection:
            (kept,) = inbox(connection)
        # As after a kill between the other side's answer and our own record of it.
        send(url, kept)

    assert len({key for key, _ in posted}) == 1
    assert posted[0][1]["subject"] == "黄牌：目录更新"


def test_a_notice_without_an_address_stays_in_the_portal(ledger_engine, note, at, officer, monitor):
    with ledger_engine.begin() as connection:
        enqueue(connection, note())
        assert [one.key for one in inbox(connection, org="taxation", is_unread=True)] == ["card:1"]
        assert inbox(connection, org="health") == []
        assert mark_read(connection, "card:1", monitor, at("2026-10-20")) is False
        assert mark_read(connection, "card:1", officer, at("2026-10-20")) is True
        assert inbox(connection, org="taxation", is_unread=True) == []


def test_what_is_rolled_back_is_never_told(ledger_engine, note):
    with ledger_engine.connect() as connection:
        enqueue(connection, note())
        connection.rollback()
        assert inbox(connection) == []


@pytest.mark.usefixtures("addressed")
def test_an_address_that_was_dropped_gets_nothing_new(ledger_engine, note):
    role, channel = Role.DEPARTMENT_OFFICER, Channel.MAIL
    with ledger_engine.begin() as connection:
        assert drop_address(connection, "taxation", role, channel, "li.an@example.org")
        enqueue(connection, note())
        (one,) = inbox(connection)
    assert (one.waiting, one.sent) == (0, 0)


@pytest.fixture
def certificate(tmp_path):
    """A certificate of 127.0.0.1 that signed itself, in one file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(days=1)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=9))
        .add_extension(host, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = tmp_path / "server.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    return file


@pytest.fixture
def locked_server(mailbox, certificate):
    """Starts a mail server that takes mail of those alone who log in; who logged in as what."""
    tried: list[tuple[bytes, bytes]] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def log_in(_server, _session, _envelope, _mechanism, given):
        tried.append((given.login, given.password))
        return AuthResult(success=given.password == b"secret word")

    servers = []

    def start(**kind):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        chosen = {name: context for name, is_asked in kind.items() if is_asked}
        open_ = {"auth_require_tls": bool(chosen), "authenticator": log_in, "auth_required": True}
        if "ssl_context" in chosen:
            open_["auth_require_tls"] = False
        server = Controller(mailbox, hostname="127.0.0.1", port=port, **open_, **chosen)
        server.start()
        servers.append(server)
        return f"yishu%40city:secret%20word@127.0.0.1:{port}", tried

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def trusted(certificate, monkeypatch):
    """The city's own authority vouches for the server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


WAYS = (("smtp", "tls_context"), ("smtps", "ssl_context"))


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("scheme", "kind"), WAYS)
def test_mail_goes_over_tls_with_a_login(locked_server, mailbox, note, scheme, kind):
    place, tried = locked_server(**{kind: True})
    mail_sender(f"{scheme}://{place}", "yishu@example.org")("li.an@example.org", note())

    assert tried == [(b"yishu@city", b"secret word")]
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize(("scheme", "kind"), WAYS)
def test_a_server_that_nobody_vouches_for_gets_no_password(locked_server, note, scheme, kind):
    place, tried = locked_server(**{kind: True})
    with pytest.raises(NoticeUnsent):
        mail_sender(f"{scheme}://{place}", "yishu@example.org")("li.an@example.org", note())

    assert tried == []


def test_a_password_never_leaves_in_clear(locked_server, mailbox, note):
    place, tried = locked_server()
    with pytest.raises(NoticeUnsent):
        mail_sender(f"smtp://{place}", "yishu@example.org")("li.an@example.org", note())

    assert (tried, mailbox.messages) == ([], [])
