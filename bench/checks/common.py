"""What every contender of the validation benchmark does: read the task, say what it found."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def told(find: Callable[[str], Mapping[str, Any]]) -> None:
    """Run the checks on the file of the first argument and print what failed, check by check.

    Of each check: how many rows fail, and the SHA-256 of their row numbers.
    """
    imports = _age()
    failing = find(sys.argv[1])
    facts = {
        name: [len(rows), hashlib.sha256(np.sort(np.asarray(rows, np.int64)).tobytes()).hexdigest()]
        for name, rows in sorted(failing.items())
    }
    print(json.dumps({"failing": facts, "imports": imports}))


def _age() -> float:
    """Seconds since this process began: until now it did nothing but import."""
    ticks = int(Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
