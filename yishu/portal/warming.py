"""Each process of the portal reads a new release before somebody waits for it.

Ten thousand entries take seconds to read and to make searchable, and every process has to do it
for itself; a thread beside the pages looks whether another release is in force.
"""

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from threading import Event, Thread

from anyio import to_thread
from fastapi import FastAPI

from catalog.errors import CatalogError
from yishu.portal.world import World

logger = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two looks; one look asks for the time of one file."""


def warming(world: World) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What runs as long as the application does."""

    @asynccontextmanager
    async def beside(_: FastAPI) -> AsyncIterator[None]:
        ended = Event()
        thread = Thread(target=keep_warm, args=(world, ended), daemon=True, name="warming")
        thread.start()
        yield
        ended.set()
        # Another application of this process shall not find its release unfrozen afterwards.
        await to_thread.run_sync(thread.join)

    return beside


def keep_warm(world: World, ended: Event, pause: float = PAUSE) -> None:
    """Make each new release ready until told to end; pause in seconds."""
    lasting = None
    while not ended.is_set():
        try:
            world.warm()
            if world.release() is not lasting:
                lasting = world.release()
                _settle()
        except CatalogError as error:
            # Pages say the same to whoever asks; the next release may be sound.
            logger.debug("no release to make ready: %s", error)
        ended.wait(pause)
    gc.unfreeze()


def _settle() -> None:
    """Take what is there now for lasting: no page is to wait while cycles are looked for in it.

    A release of a city is millions of objects, and looking at each takes a second.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
