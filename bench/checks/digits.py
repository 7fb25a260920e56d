"""Check digits alone, on one core: how many values a second."""

import json
import sys
import time
from pathlib import Path

import pyarrow as pa
from landed import _codes, _persons, np

from catalog.vocabulary import ItemFormat
from expectations import masks

pa.set_cpu_count(1)


def main(number: int) -> None:
    """Print values a second for credit codes and resident numbers."""
    numbers = np.arange(number)
    found = {}
    for shape, values in (
        (ItemFormat.USCC, _codes(numbers)),
        (ItemFormat.RESIDENT_ID, _persons(numbers)),
    ):
        column = pa.chunked_array([values])
        started = time.process_time()
        right = int(masks.follows(column, shape).sum())
        found[shape.value] = number / (time.process_time() - started)
        assert right == number, f"{shape}: {number - right:,} right values were called wrong"
    print(json.dumps({"failing": {}, "imports": 0.0, **found}))


if __name__ == "__main__":
    main(int(Path(sys.argv[1]).stem))
