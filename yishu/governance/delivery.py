"""Sending what the outbox holds: by mail and webhook, tried until it is there.

A row is locked while it is sent and marked in the same transaction, so two senders never take the
same one. A process that is killed after the other side took a notice sends it again with the same
Message-ID and ``Idempotency-Key``, by which the other side knows it.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import httpx
from sqlalchemy import Engine, select, update

from yishu.governance.errors import NoticeUnsent
from yishu.governance.notices import Channel
from yishu.ledger.models import NoticeDelivery, NoticeRow
from yishu.redact import error_text
from yishu.settings import Settings

Send = Callable[[str, NoticeRow], None]
"""Hands a notice to an address, or raises `NoticeUnsent`."""

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_PATIENCE_SECONDS = 20
_FAILURES_IN_A_ROW = 5
"""After so many the channel is down, and the rest of its notices wait without being tried."""


@dataclass(frozen=True)
class Sent:
    """What one round of sending did."""

    sent: int
    failed: int


def deliver(
    engine: Engine, senders: Mapping[Channel, Send], now: datetime, *, most: int = 10_000
) -> Sent:
    """Send what is due, the oldest first; what fails is tried again after a growing wait.

    A notice is never given up. A channel without a sender keeps its notices waiting.
    """
    sent = failed = 0
    left = dict(senders)
    in_a_row = dict.fromkeys(senders, 0)
    while left and sent + failed < most:
        outcome = _deliver_one(engine, left, now)
        if outcome is None:
            break
        channel, is_sent = outcome
        sent += is_sent
        failed += not is_sent
        in_a_row[channel] = 0 if is_sent else in_a_row[channel] + 1
        if in_a_row[channel] == _FAILURES_IN_A_ROW:
            del left[channel]
    return Sent(sent, failed)


def _deliver_one(
    engine: Engine, senders: Mapping[Channel, Send], now: datetime
) -> tuple[Channel, bool] | None:
    with engine.begin() as connection:
        asked = (
            select(NoticeDelivery.__table__, NoticeRow.subject, NoticeRow.text)
            .join(NoticeRow, NoticeRow.key == NoticeDelivery.key)
            .where(NoticeDelivery.sent_at.is_(None), NoticeDelivery.next_try_at <= now)
            .where(NoticeDelivery.channel.in_([channel.value for channel in senders]))
            .order_by(NoticeDelivery.next_try_at, NoticeDelivery.key)
            .limit(1)
            .with_for_update(of=NoticeDelivery, skip_locked=True)
        )
        row = connection.execute(asked).one_or_none()
        if row is None:
            return None
        channel = Channel(row.channel)
        notice = NoticeRow(key=row.key, subject=row.subject, text=row.text)
        values = _attempt(senders[channel], row.address, notice, row.tries, now)
        this = (
            (NoticeDelivery.key == row.key)
            & (NoticeDelivery.channel == row.channel)
            & (NoticeDelivery.address == row.address)
        )
        connection.execute(update(NoticeDelivery).where(this).values(values))
        return channel, "sent_at" in values


def _attempt(
    send: Send, address: str, notice: NoticeRow, tries: int, now: datetime
) -> dict[str, object]:
    try:
        send(address, notice)
    except NoticeUnsent as error:
        wait = min(_FIRST_WAIT * 2 ** min(tries, 10), _LONGEST_WAIT)
        return {"tries": tries + 1, "next_try_at": now + wait, "last_error": error.found}
    return {"tries": tries + 1, "sent_at": now, "last_error": None}


@contextmanager
def open_senders(settings: Settings) -> Iterator[dict[Channel, Send]]:
    """The channels of this installation: webhooks, and mail where a server is set."""
    with httpx.Client(timeout=_PATIENCE_SECONDS) as client:
        senders = {Channel.WEBHOOK: webhook_sender(client)}
        if settings.mail_url is not None:
            url = settings.mail_url.get_secret_value()
            senders[Channel.MAIL] = mail_sender(url, settings.mail_from)
        yield senders


def mail_sender(url: str, sender: str) -> Send:
    """Sends by a mail server, given as ``smtp://user:password@host:port`` or ``smtps://``.

    A password never leaves in clear: who logs in by ``smtp://`` does so after STARTTLS. The
    server's certificate is checked; ``SSL_CERT_FILE`` names an authority of the city's own.
    """
    parts = urlsplit(url)
    trust = ssl.create_default_context()

    def send(address: str, notice: NoticeRow) -> None:
        message = EmailMessage()
        message["From"], message["To"] = sender, address
        message["Subject"] = notice.subject
        message["Message-ID"] = f"<{_fingerprint(notice.key, address)}@yishu>"
        message.set_content(notice.text)
        try:
            with _connected(parts, trust) as server:
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise _unsent(notice.key, error) from None

    return send


def _connected(parts: SplitResult, trust: ssl.SSLContext) -> smtplib.SMTP:
    host, port = parts.hostname or "", parts.port or 0
    if parts.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=_PATIENCE_SECONDS, context=trust)
    server = smtplib.SMTP(host, port, timeout=_PATIENCE_SECONDS)
    if parts.username:
        try:
            server.starttls(context=trust)
        except BaseException:
            server.close()
            raise
    return server


def webhook_sender(client: httpx.Client) -> Send:
    """Sends as JSON to the address, with the key as ``Idempotency-Key``."""

    def send(address: str, notice: NoticeRow) -> None:
        key = _fingerprint(notice.key, address)
        body = {"key": notice.key, "subject": notice.subject, "text": notice.text}
        try:
            answer = client.post(address, json=body, headers={"Idempotency-Key": key})
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise _unsent(notice.key, error) from None

    return send


def _fingerprint(key: str, address: str) -> str:
    return hashlib.sha256(f"{key}\x1f{address}".encode()).hexdigest()[:32]


def _unsent(key: str, error: Exception) -> NoticeUnsent:
    # The text of a foreign error may hold an address or a password; its class says enough.
    return NoticeUnsent(
        key,
        found=error_text(error).code or type(error).__name__,
        expected="a server that takes it",
        remedy="it is tried again by itself; see `yishu notices`",
    )
