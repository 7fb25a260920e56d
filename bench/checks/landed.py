"""A landed Parquet file of twelve columns with known faults, and the twelve checks on it.

Every fault is one in ``EVERY`` rows, each check's at its own place, so that equal counts cannot
come from luck. Built with the example city's code generator, which knows none of the product's
checks.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from example import codes

GROUP_ROWS = 131_072
EVERY = 1_009
REGIONS = ["320205", "320206", "320211", "320213", "320214", "320281", "320282"]
STATUS = ["1", "2", "3"]
INDUSTRY = [chr(ord("A") + number) for number in range(20)]
PHONE = r"1[3-9]\d{9}"
LONGEST_NAME = 40
_DAY_2000 = 10_957
_BLOCK = 1 << 19

CHECKS: list[dict[str, Any]] = [
    {"id": "uscc.present", "kind": "present", "columns": ["uscc"]},
    {"id": "uscc.format", "kind": "format", "columns": ["uscc"], "format": "uscc"},
    {"id": "uscc.unique", "kind": "unique", "columns": ["uscc"]},
    {"id": "person.format", "kind": "format", "columns": ["person"], "format": "resident_id"},
    {"id": "name.present", "kind": "present", "columns": ["name"]},
    {"id": "name.length", "kind": "length", "columns": ["name"], "most": LONGEST_NAME},
    {"id": "region.code_list", "kind": "code_list", "columns": ["region"], "codes": REGIONS},
    {"id": "status.code_list", "kind": "code_list", "columns": ["status"], "codes": STATUS},
    {"id": "industry.code_list", "kind": "code_list", "columns": ["industry"], "codes": INDUSTRY},
    {"id": "phone.pattern", "kind": "pattern", "columns": ["phone"], "pattern": PHONE},
    {"id": "capital.range", "kind": "range", "columns": ["capital"], "least": 0},
    {"id": "begins.ordered.ends", "kind": "ordered", "columns": ["begins", "ends"]},
]


def write(path: Path, rows: int) -> None:
    """Write the file of so many rows, a block at a time; the same one for the same number."""
    stamp = path.with_suffix(".json")
    about = {"rows": rows, "every": EVERY}
    if path.exists() and stamp.exists() and json.loads(stamp.read_text("utf-8")) == about:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, _block(0, 1).schema, compression="zstd") as writer:
        for start in range(0, rows, _BLOCK):
            block = _block(start, min(start + _BLOCK, rows))
            writer.write_table(block, row_group_size=GROUP_ROWS)
    stamp.write_text(json.dumps(about), "utf-8")


def _block(start: int, stop: int) -> pa.Table:
    numbers = np.arange(start, stop, dtype=np.int64)
    days = (_DAY_2000 + numbers % 9_000).astype(np.int32)
    names = [f"无锡市第{number}号有限公司" for number in numbers.tolist()]
    columns = {
        "uscc": _with_nulls(_fault(_codes(numbers), numbers, 1, _spoilt), numbers, 2),
        "name": _with_nulls(_fault(pa.array(names), numbers, 4, _lengthened), numbers, 5),
        "person": _fault(_persons(numbers), numbers, 3, _spoilt),
        "phone": _fault(_texts(numbers, "138", 8), numbers, 6, _spoilt),
        "capital": pa.array(np.where(_at(numbers, 7), -1.0, numbers % 10_000 / 4.0)),
        "begins": pa.array(days, pa.date32()),
        "ends": pa.array(
            np.where(_at(numbers, 8), days - 1, days + 365).astype(np.int32), pa.date32()
        ),
        "region": _picked(REGIONS, numbers, 9),
        "status": _picked(STATUS, numbers, 10),
        "industry": _picked(INDUSTRY, numbers, 11),
        "address": pa.array([f"观山路{number % 5_000}号" for number in numbers.tolist()]),
        "registrar": _picked(["无锡市市场监督管理局", "滨湖区市场监督管理局"], numbers, None),
    }
    return pa.table(columns)


def _at(numbers: Any, place: int) -> Any:
    return numbers % EVERY == place


def _codes(numbers: Any) -> pa.Array:
    """Credit codes; every thousand-and-ninth is that of the row before it: two that are one."""
    own = np.where(_at(numbers, 12), numbers - 1, numbers)
    front = codes.repeated("91320200", len(numbers))
    return _joined(codes.social_credit_codes(front, codes.digits(own, 8)))


def _persons(numbers: Any) -> pa.Array:
    region = codes.repeated("320205", len(numbers))
    birth = codes.digits(19_500_101 + numbers % 60 * 10_000 + numbers % 12 * 100 + numbers % 28, 8)
    return _joined(codes.resident_ids(region, birth, codes.digits(numbers % 1_000, 3)))


def _texts(numbers: Any, front: str, width: int) -> pa.Array:
    head = codes.repeated(front, len(numbers))
    return _joined(np.concatenate([head, codes.digits(numbers % 10**width, width)]))


def _joined(characters: Any) -> pa.Array:
    matrix = np.ascontiguousarray(characters.T)
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    return pa.Array.from_buffers(
        pa.string(), len(matrix), [None, pa.py_buffer(offsets), pa.py_buffer(matrix)]
    )


def _fault(values: pa.Array, numbers: Any, place: int, spoil: Any) -> pa.Array:
    rows = np.flatnonzero(_at(numbers, place))
    texts = pa.array([spoil(text) for text in values.take(pa.array(rows)).to_pylist()], pa.string())
    where = np.full(len(values), -1, dtype=np.int64)
    where[rows] = len(values) + np.arange(len(rows))
    order = np.where(where < 0, np.arange(len(values)), where)
    return pa.concat_arrays([values, texts]).take(pa.array(order))


def _spoilt(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1") if len(text) != 11 else "0" + text[1:]


def _lengthened(text: str) -> str:
    return text + "分" * LONGEST_NAME


def _with_nulls(values: pa.Array, numbers: Any, place: int) -> pa.Array:
    return pc.if_else(pa.array(_at(numbers, place)), pa.scalar(None, pa.string()), values)


def _picked(texts: list[str], numbers: Any, place: int | None) -> pa.Array:
    choice = numbers % len(texts)
    if place is not None:
        choice = np.where(_at(numbers, place), len(texts), choice)
    return pa.array([*texts, "?"], pa.string()).take(pa.array(choice))
