"""The content digest of the library, computed from plain rows: for clients that share no code.

It follows ``docs/explanation/library.md`` and imports nothing of the project, so that equal digests
mean that two readers really got the same values. Standard library only.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_RUN_FACTS = ("_run_id", "_landed_row")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - values are compared as UTC without their zone
_MODULUS = 1 << 256


def digest(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> dict[str, Any]:
    """Number of rows, and their digest.

    Args:
        rows: Rows as name -> value of Python's own types.
        types: Arrow type of each column of the table.
    """
    columns = sorted(name for name in types if not name.startswith(_RUN_FACTS))
    total = count = 0
    for row in rows:
        line = "".join(_rendered(row[name], types[name]) for name in columns)
        total += int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")
        count += 1
    head = "\n".join(f"{len(name)}:{name} {types[name]}" for name in columns)
    whole = f"{head}\n{count}\n{total % _MODULUS:064x}"
    return {"rows": count, "digest": hashlib.sha256(whole.encode()).hexdigest()}


def _rendered(value: Any, kind: str) -> str:
    if value is None or value != value:  # NaN and NaT differ from themselves
        return "n"
    letter, text = _text(value, kind)
    return f"{letter}{len(text.encode())}:{text}"


def _text(value: Any, kind: str) -> tuple[str, str]:
    if kind.startswith("timestamp"):
        delta = value.replace(tzinfo=None) - (value.utcoffset() or value.min - value.min) - _EPOCH
        return "t", str((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)
    if kind.startswith("date"):
        day = value.date() if isinstance(value, datetime) else value
        return "e", (day if isinstance(day, date) else date.fromisoformat(str(day))).isoformat()
    if kind.startswith("decimal"):
        scale = int(kind.rstrip(")").rsplit(",", 1)[1])
        return "d", f"{Decimal(value):.{scale}f}"
    if kind == "bool":
        return "b", "true" if value else "false"
    return ("i", str(int(value))) if kind == "int64" else ("s", str(value))
