"""Where events go: always to a file of our own, and from there on to any OpenLineage transport.

The file is the record: one JSON object a line, readable by its owner only. Several processes append
to it at once, so an event is one ``write`` on a descriptor opened with O_APPEND, under a lock that
ends with the process, and it is on disk before the stage goes on. A machine that dies in the middle
leaves at most one torn last line; the next event starts on a line of its own and readers pass over
the torn one.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from openlineage.client.client import Event
from openlineage.client.serde import Serde
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport
from openlineage.client.transport.transport import Transport
from pydantic import SecretStr

from yishu.lineage.errors import LineageNotWritten

logger = logging.getLogger(__name__)


class FileTransport(Transport):
    """Appends events to one file."""

    kind = "yishu_file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def emit(self, event: Event) -> None:
        """Append one event and wait until it is on disk.

        Raises:
            LineageNotWritten: no space, no permission, or only part of it could be written.
        """
        line = json.dumps(Serde.to_dict(event), ensure_ascii=False, sort_keys=True) + "\n"
        try:
            self._append(line.encode("utf-8"))
        except OSError as error:
            raise LineageNotWritten(
                str(self.path),
                found=error.strerror or type(error).__name__,
                expected="one more line at its end",
                remedy="make space or give access there, then run the stage again",
            ) from error

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            # Without the lock, a line that another process is writing would look torn.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = b"\n" + line if is_torn else line
            if os.write(descriptor, line) != len(line):
                raise OSError("only part of the line was written")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class LedgerTransport(Transport):
    """Hands events, as plain JSON, to whoever keeps them in the ledger."""

    kind = "yishu_ledger"

    def __init__(self, keep: Callable[[Mapping[str, Any]], object]) -> None:
        self._keep = keep

    def emit(self, event: Event) -> None:
        """Hand one event over."""
        self._keep(Serde.to_dict(event))


class Relay(Transport):
    """Another transport, and a file for what it could not take.

    After a failure it is left alone for a minute: a collector that is down for a day costs each
    run no more than one time-out. What it missed lies in a file of its own, and `replay` sends it.
    """

    kind = "yishu_relay"

    def __init__(self, to: Transport, missed: Path, rest: float = 60) -> None:
        self._to = to
        self._missed = FileTransport(missed)
        self._rest = rest
        self._failed_at: float | None = None

    def emit(self, event: Event) -> None:
        """Send an event, or keep it for later."""
        if self._is_resting():
            self._missed.emit(event)
            return
        try:
            self._to.emit(event)
        except Exception as error:
            self._failed_at = time.monotonic()
            self._missed.emit(event)
            logger.warning("lineage not sent by %s: %s", self._to, type(error).__name__)

    def _is_resting(self) -> bool:
        return self._failed_at is not None and time.monotonic() - self._failed_at < self._rest


class Fanout(Transport):
    """The record first, then others as well as they can.

    A collector that is down must not stop the collection of data: what it missed is in the record
    and can be sent again.
    """

    kind = "yishu_fanout"

    def __init__(self, record: Transport, others: Sequence[Transport]) -> None:
        self.record = record
        self.others = tuple(others)

    def emit(self, event: Event) -> None:
        """Hand the event to all.

        Raises:
            LineageNotWritten: the record could not take it; the others then never see it.
        """
        self.record.emit(event)
        for other in self.others:
            try:
                other.emit(event)
            except Exception as error:
                logger.warning("lineage not sent by %s: %s", other, type(error).__name__)

    def close(self, timeout: float = -1) -> bool:
        """Close all, each within the timeout in seconds; whether all had sent everything."""
        closed = [one.close(timeout) for one in (self.record, *self.others)]
        return all(closed)


def open_transport(
    path: Path,
    url: str | None = None,
    api_key: SecretStr | None = None,
    keep: Callable[[Mapping[str, Any]], object] | None = None,
) -> Transport:
    """The transport of an installation: the file, the ledger, and a collector where one is set.

    Args:
        path: The file of events.
        url: Base URL of the collector; None sends nothing anywhere.
        api_key: Bearer key for the collector; None sends none.
        keep: Keeps an event in the ledger; None keeps none there.
    """
    others: list[Transport] = []
    if keep is not None:
        others.append(Relay(LedgerTransport(keep), missed_file(path, "ledger")))
    if url is not None:
        others.append(Relay(collector(url, api_key), missed_file(path, "collector")))
    return Fanout(FileTransport(path), others) if others else FileTransport(path)


def collector(url: str, api_key: SecretStr | None = None) -> HttpTransport:
    """An OpenLineage collector over HTTP, e.g. Marquez."""
    config = HttpConfig(url=url, timeout=5, retry={"total": 1})
    if api_key is not None:
        config.auth = ApiKeyTokenProvider({"api_key": api_key.get_secret_value()})
    return HttpTransport(config)


def missed_file(path: Path, name: str) -> Path:
    """Where events that another transport could not take wait, beside the file of events."""
    return path.with_name(f"missed-{name}.jsonl")


def replay(path: Path, send: Callable[[Mapping[str, Any]], object]) -> int:
    """Send the events of a file, oldest first; what was sent is removed from a file of the missed.

    The first that cannot be sent stops it and stays, with all after it. Consumers know an event by
    its run, type and time, so one that is sent twice after a kill is no harm.

    Returns:
        How many were sent.
    """
    sent = 0
    waiting = list(read_events(path))
    for event in waiting:
        try:
            send(event)
        except Exception as error:
            logger.warning("lineage not sent again: %s", type(error).__name__)
            break
        sent += 1
    return sent


def replay_missed(path: Path, send: Callable[[Mapping[str, Any]], object]) -> tuple[int, int]:
    """Send what a transport missed and forget what was sent; how many were sent, how many wait."""
    if not path.exists():
        return 0, 0
    taken = path.with_suffix(".sending")
    # A file that an earlier replay was killed over goes first; new misses go to a new file.
    if not taken.exists():
        path.rename(taken)
    total = sum(1 for _ in read_events(taken))
    sent = replay(taken, send)
    if sent < total:
        _keep_rest(taken, sent, path)
    else:
        taken.unlink()
    return sent, total - sent


def _keep_rest(taken: Path, sent: int, path: Path) -> None:
    """Put events that were not sent back, before those that were missed meanwhile."""
    rest = list(read_events(taken))[sent:]
    newer = list(read_events(path))
    made = taken.with_suffix(".rest")
    lines = (json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in (*rest, *newer))
    made.write_text("".join(lines), "utf-8")
    made.chmod(0o600)
    made.replace(path)
    taken.unlink()


def post_event(transport: HttpTransport) -> Callable[[Mapping[str, Any]], object]:
    """Sends events that are plain JSON already to a collector."""

    def send(event: Mapping[str, Any]) -> None:
        bearer = transport.config.auth.get_bearer()
        answer = transport.session.post(
            url=urljoin(transport.url, transport.endpoint),
            data=json.dumps(event, ensure_ascii=False).encode("utf-8"),
            headers={
                "Content-Type": "application/json",
                **({"Authorization": bearer} if bearer else {}),
            },
            timeout=transport.timeout,
        )
        answer.raise_for_status()

    return send


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of the file in order; a torn line is passed over and logged by its number."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError:
                logger.warning("%s line %d is no whole event", path.name, number)
