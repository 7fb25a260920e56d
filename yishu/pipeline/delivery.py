"""Deliveries as a run sees them: what a wait left for the pull, what earlier pulls took, and room.

<run>/arrived.json    the delivery that the wait saw arrive in full
<run>/spool/          what a pull keeps while it reads; gone when it is done
"""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yishu.pipeline.errors import DiskFull
from yishu.pipeline.store import RunFolder, remove_folder, run_folder
from yishu.sources.arrival import Seen
from yishu.sources.protocol import DeliveredSource, Delivery, Source

ARRIVED = "arrived.json"
RECEIPT = "receipt.json"
SPOOL = "spool"


def prepare(source: Source, folder: RunFolder) -> None:
    """Hand a source of files what earlier steps left: its spool, and what a wait has seen."""
    if not isinstance(source, DeliveredSource):
        return
    source.resume_in(folder.landing / SPOOL)
    arrived = arrived_in(folder)
    if arrived is not None:
        source.expect(arrived)


def delivery_of(source: Source) -> Delivery | None:
    """The delivery that a source of files has read; None for every other source."""
    return source.delivered() if isinstance(source, DeliveredSource) else None


def clear_spool(folder: RunFolder) -> None:
    """Remove what was kept while a finished pull read."""
    remove_folder(folder.landing / SPOOL)


def arrived_in(folder: RunFolder) -> Seen | None:
    """The delivery that a wait of this run saw arrive in full; None when there was no wait."""
    if not folder.has(ARRIVED):
        return None
    return Seen.of(json.loads(folder.read_text(ARRIVED, needed_by="pull")))


def leave_arrived(folder: RunFolder, seen: Seen) -> None:
    """Leave for the pull what the wait has seen."""
    folder.write_text(ARRIVED, json.dumps(seen.record(), ensure_ascii=False))


def taken_before(var_dir: Path, entry_id: str, run_id: str) -> Seen | None:
    """The delivery that the latest pull of an entry took, this run's own aside."""
    own = run_folder(var_dir, entry_id, run_id).landing
    receipts = [path for path in own.parent.glob(f"*/{RECEIPT}") if path.parent != own]
    for path in sorted(receipts, key=lambda found: found.stat().st_mtime_ns, reverse=True):
        delivery = json.loads(path.read_text("utf-8")).get("delivery")
        if delivery is not None:
            return Seen.of(delivery)
    return None


@contextmanager
def disk_has_room(entry_id: str) -> Iterator[None]:
    """Name a full disk as what it is.

    Raises:
        DiskFull: something could not be written for want of room.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise DiskFull(
            entry_id,
            found="no room left on the disk of var/landing",
            expected="room for the rows of a pull",
            remedy="free room there, or give it a larger disk; nothing was landed, the library is "
            "unchanged and the pull can be tried again",
        ) from None
