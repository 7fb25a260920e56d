"""Work done in threads, a little ahead of who needs it.

Arrow, Parquet and the drivers of databases release the interpreter while they work, so the next
part is read on one core while another one checks or writes the part before. What lies ready is
bounded, and so is memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

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


class Behind:
    """Does what it is handed in a thread beside the caller, one call at a time and in order.

    An error is raised where the next call is handed over or the end is waited for.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._last: Future[object] | None = None

    def hand(self, use: Callable[[Item], object], item: Item) -> None:
        """Have an item used, once the call before is done."""
        self.wait()
        self._last = self._pool.submit(use, item)

    def wait(self) -> None:
        """Until everything that was handed over is done."""
        if self._last is not None:
            self._last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def used_behind(use: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Hand each item to ``use`` in a thread while the next one is made.

    Items are made in the caller's thread: some connections may not change theirs.
    """
    with Behind() as behind:
        for item in items:
            behind.hand(use, item)
        behind.wait()
