"""The wait for a delivery, without holding up whoever waits: made for an event loop."""

import asyncio
import logging
import time

from catalog.model import SourceSpec
from yishu.sources.arrival import Seen, Watch, patterns
from yishu.sources.drop import folder_of
from yishu.sources.errors import SourceError
from yishu.sources.files import pattern_of
from yishu.sources.protocol import Connection

logger = logging.getLogger(__name__)


async def next_delivery(
    spec: SourceSpec, connection: Connection, taken: Seen | None, *, poll_seconds: float
) -> Seen:
    """The first new delivery that is there in full, whenever that is.

    A folder that cannot be reached for a while is looked at again; that is no fault of a delivery.

    Args:
        spec: Where deliveries are dropped and when one counts as there in full.
        connection: The drop folder.
        taken: The delivery that the last pull took; None when any will do.
        poll_seconds: How long to leave the folder alone between two looks.

    Raises:
        SourceError: waiting cannot help, e.g. the account is refused.
    """
    folder = folder_of(connection)
    wanted = patterns(pattern_of(spec, connection))
    watch = Watch(spec, taken)
    while True:
        at = time.monotonic()
        try:
            found = watch.look(await folder.look(wanted), at)
        except SourceError as error:
            if not error.retryable:
                raise
            logger.warning("Still waiting: %s", error)
        else:
            if found is not None:
                return found
        await asyncio.sleep(poll_seconds)
