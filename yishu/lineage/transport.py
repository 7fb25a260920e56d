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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

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
    path: Path, url: str | None = None, api_key: SecretStr | None = None
) -> Transport:
    """The transport of an installation: the file, and an OpenLineage collector where one is set.

    Args:
        path: The file of events.
        url: Base URL of the collector; None sends nothing anywhere.
        api_key: Bearer key for the collector; None sends none.
    """
    record = FileTransport(path)
    if url is None:
        return record
    config = HttpConfig(url=url, timeout=5, retry={"total": 1})
    if api_key is not None:
        config.auth = ApiKeyTokenProvider({"api_key": api_key.get_secret_value()})
    return Fanout(record, [HttpTransport(config)])


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
