"""The governed task, so that every peer is asked the same.

From ``public.e_baseinfo`` (legal entities, 12 columns): run the checks below, write the rows that
pass all of them as the result, and the others aside with the names of the checks that they fail.
The checks are those that the catalog entry ``market_regulation.enterprise_registration`` leads to,
under the same names, except ``*.readable``: a typed database column holds nothing unreadable.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TABLE = "public.e_baseinfo"
KEY = "uniscid"
COLUMNS = (
    "uniscid",
    "entname",
    "reg_dept",
    "lerep",
    "regcap",
    "estdate",
    "opto",
    "apprdate",
    "domdistrict",
    "industryphy",
    "regstate",
    "dom",
)
VALID = "valid"
"""The column of booleans that a peer computes from the credit code's check digit, since Great
Expectations has no such expectation."""

ASIDE = "aside.parquet"
REASONS = "_reasons"


@dataclass(frozen=True)
class Task:
    """What a contender is asked.

    Attributes:
        url: The source database.
        folder: Where to write; empty at the start.
        codes: Codes that are allowed, by column.
    """

    url: str
    folder: Path
    codes: Mapping[str, list[str]]


def task() -> Task:
    """The task of this process: the command line names its file and the folder to write to."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    return Task(asked["url"], Path(sys.argv[2]), asked["codes"])


def select() -> str:
    """The query; the capital as float8, which every driver brings faster than numeric."""
    casts = (f"{name}::float8 AS {name}" if name == "regcap" else name for name in COLUMNS)
    return f"SELECT {', '.join(casts)} FROM {TABLE}"


def checks(codes: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """The checks by name, in the words of Great Expectations' own expectations."""
    listed = [
        ("registrar", "reg_dept"),
        ("region_code", "domdistrict"),
        ("industry_code", "industryphy"),
        ("status", "regstate"),
    ]
    given = [
        ("uscc", KEY),
        ("name", "entname"),
        ("legal_representative", "lerep"),
        ("established_on", "estdate"),
        ("approved_on", "apprdate"),
        *listed,
    ]
    widths = [("name", "entname", 200), ("legal_representative", "lerep", 60)]
    widths += [("address", "dom", 300)]
    return [
        {"name": "uscc.unique", "kind": "unique", "column": KEY},
        {"name": "uscc.format", "kind": "in_set", "column": VALID, "values": [True]},
        {"name": "registered_capital.range", "kind": "at_least", "column": "regcap", "least": 0},
        *({"name": f"{n}.present", "kind": "not_null", "column": c} for n, c in given),
        *({"name": f"{n}.length", "kind": "length", "column": c, "most": m} for n, c, m in widths),
        *(
            {"name": f"{n}.code_list", "kind": "in_set", "column": c, "values": codes[c]}
            for n, c in listed
        ),
        *(
            {
                "name": f"established_on.ordered.{name}",
                "kind": "ordered",
                "earlier": "estdate",
                "later": later,
            }
            for name, later in (("term_end_on", "opto"), ("approved_on", "apprdate"))
        ),
    ]


_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)], dtype=np.float32)
_NUMBERS = np.full(256, -1, dtype=np.float32)
_NUMBERS[np.frombuffer(_ALPHABET, dtype=np.uint8)] = np.arange(31)
_AT_ONCE = 1 << 16


def credit_code_valid(codes: pa.ChunkedArray) -> np.ndarray:
    """GB 32100-2015 check digits, vectorised; null counts as valid (absence is another check)."""
    parts = [
        _valid(chunk.slice(start, _AT_ONCE))
        for chunk in codes.chunks
        for start in range(0, len(chunk), _AT_ONCE)
    ]
    return np.concatenate(parts)


def _valid(codes: pa.Array) -> np.ndarray:
    is_whole = pc.equal(pc.binary_length(codes), 18)
    padded = pc.if_else(pc.fill_null(is_whole, False), codes, "0" * 18)
    fixed = padded.cast(pa.large_binary() if pa.types.is_large_string(padded.type) else pa.binary())
    matrix = np.frombuffer(fixed.buffers()[2], dtype=np.uint8, count=18 * len(fixed))
    # A 32-bit float holds these whole numbers exactly, and its matrix product is BLAS.
    numbers = _NUMBERS[matrix.reshape(-1, 18)]
    last = (31 - (numbers[:, :17] @ _WEIGHTS) % 31) % 31
    valid = (numbers.min(axis=1) >= 0) & (numbers[:, 17] == last)
    return valid & is_whole.fill_null(True).to_numpy(zero_copy_only=False)


def split(failing: Mapping[str, np.ndarray], rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows that pass all checks, and of those that fail any."""
    bad = np.unique(np.concatenate(list(failing.values())))
    keep = np.ones(rows, dtype=bool)
    keep[bad] = False
    return np.flatnonzero(keep), bad


def write_aside(bad_rows: pa.Table, failing: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write the failing rows, ascending by position, with the names of the checks they fail."""
    positions = np.concatenate(list(failing.values()))
    names = np.repeat(np.array(list(failing)), [len(found) for found in failing.values()])
    order = np.argsort(positions, kind="stable")
    bad, counts = np.unique(positions, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    assert len(bad) == bad_rows.num_rows
    reasons = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(names[order]))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(bad_rows.append_column(REASONS, reasons), folder / ASIDE)


def finish(started: float, imported: float, rows: int, **more: object) -> None:
    """Print what was done; ``imports`` are the seconds that the script's imports took."""
    done = {"imports": imported - started, "after_imports": time.perf_counter() - imported}
    print(json.dumps({**done, "rows": rows, **more}), flush=True)
