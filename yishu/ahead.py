"""Work done in threads, a little ahead of who needs it.

Arrow, Parquet and the drivers of databases release the interpreter while they work, so the next
part is read on one core while another one checks or writes the part before. What lies ready is
bounded, and so is memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

THREADS = 2


def made_ahead(
    make: Callable[[Item], Made], items: Iterable[Item], threads: int = THREADS
) -> Iterator[Made]:
    """What ``make`` makes of each item, in order, made by threads up to ``threads`` items ahead.

    An error of ``make`` is raised when its item's turn has come.
    """
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(make, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def used_behind(use: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Hand each item to ``use``, one at a time and in order, in a thread while the next is made.

    Items are made in the caller's thread: some connections may not change theirs.
    """
    last: Future[object] | None = None
    with ThreadPoolExecutor(1) as pool:
        for item in items:
            if last is not None:
                last.result()
            last = pool.submit(use, item)
        if last is not None:
            last.result()
