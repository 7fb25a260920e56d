"""Manifests: what a department says of its own delivery, so that both can be compared.

JSON (a list of objects, ``{"files": [...]}``, one object, or one object a line) or CSV with a
header; for each file its name, number of rows and SHA-256, of which either may be left out.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from yishu.sources.errors import DeliveryMismatch, SourceUnreadable

MOST_BYTES = 8 * 1024 * 1024
"""A manifest is small; what is longer is none."""

NAMES = {
    "file": ("file", "name", "filename", "file_name", "文件", "文件名", "文件名称"),
    "rows": ("rows", "row_count", "count", "records", "行数", "记录数", "数据量"),
    "sha256": ("sha256", "sha-256", "digest", "摘要", "校验值"),
}
"""What departments call the three things."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Promise:
    """What a manifest says of one file; None where it says nothing."""

    rows: int | None = None
    sha256: str | None = None

    def check_digest(self, obj: str, digest: Callable[[], str]) -> None:
        """Let pass only a file of the promised digest; without a promise nobody asks for it.

        Raises:
            DeliveryMismatch: it is another one.
        """
        if self.sha256 is not None and self.sha256 != (found := digest()):
            raise _mismatch(obj, f"SHA-256 {found}", f"{self.sha256}, as its manifest says")

    def check_rows(self, obj: str, rows: int) -> None:
        """Let pass only a file of as many rows as promised, its header not counted.

        Raises:
            DeliveryMismatch: it has more or fewer.
        """
        if self.rows not in {None, rows}:
            raise _mismatch(obj, f"{rows} rows", f"{self.rows} rows, as its manifest says")


NOTHING_PROMISED = Promise()


def promises(obj: str, content: bytes) -> dict[str, Promise]:
    """By file name: what a manifest promises.

    Raises:
        SourceUnreadable: it is no manifest.
    """
    try:
        if len(content) >= MOST_BYTES:
            raise ValueError
        text = content.decode("utf-8-sig")
        return dict(map(_promise, _records(text)))
    except (ValueError, TypeError, AttributeError, csv.Error):
        raise SourceUnreadable(
            obj,
            found="a manifest that cannot be read",
            expected="JSON or CSV in UTF-8: for each file its name, rows and sha256",
            remedy="ask the department to deliver the manifest again; no row was taken",
        ) from None


def _records(text: str) -> Iterable[Mapping[str, Any]]:
    if text.lstrip()[:1] not in {"{", "["}:
        return csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(found, dict):
        files = found.get("files", [found])
        return files if isinstance(files, list) else [files]
    return list(found)


def _promise(record: Mapping[str, Any]) -> tuple[str, Promise]:
    given = {str(key).strip().lower(): value for key, value in record.items()}
    file, rows, sha256 = (_first(given, names) for names in NAMES.values())
    if file is None or (rows is None and sha256 is None):
        raise ValueError
    if sha256 is not None and not _DIGEST.fullmatch(sha256.lower()):
        raise ValueError
    number = None if rows is None else int(rows)
    return file, Promise(number, None if sha256 is None else sha256.lower())


def _first(given: Mapping[str, Any], names: Iterable[str]) -> str | None:
    found = (str(given[name]).strip() for name in names if given.get(name) not in {None, ""})
    return next(found, None)


def _mismatch(obj: str, found: str, expected: str) -> DeliveryMismatch:
    return DeliveryMismatch(
        obj,
        found=found,
        expected=expected,
        remedy="ask the department to deliver file and manifest again; no row was taken",
    )
