"""What the validation of a small entry costs, again and again in one process, as forks find it."""

import json
import sys
import time
from itertools import count

from ours import find


def main(path: str, entries: int) -> None:
    """Print seconds an entry, the first one included."""
    started = time.perf_counter()
    numbers = count(1)
    failing = {}
    while next(numbers) <= entries:
        failing = find(path, profiled=True)
    seconds = (time.perf_counter() - started) / entries
    print(json.dumps({"failing": {}, "imports": 0.0, "seconds": seconds, "checks": len(failing)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
