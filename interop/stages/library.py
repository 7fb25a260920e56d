"""A small library with every standard type, an update, a deletion and a packed version."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from yishu.library import content_digest, maintain, publish_snapshot
from yishu.library.place import Place

TABLE = "subject/legal_entity"
_SCHEMA = pa.schema(
    [
        ("uscc", pa.string()),
        ("名称", pa.string()),
        ("registered_capital", pa.decimal128(18, 2)),
        ("established_on", pa.date32()),
        ("approved_at", pa.timestamp("us", tz="UTC")),
        ("employees", pa.int64()),
        ("is_active", pa.bool_()),
        *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
        ("_landed_row", pa.int64()),
    ]
)


@contextmanager
def stage(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """Publish three versions; the request, and the answer that every client must give.

    Files are given in a folder whose name is not plain ASCII. The Delta table is not: Polars'
    reader looks for percent-encoded names there, and finds none.
    """
    root, elsewhere = folder / "library", folder / "图书馆 library"
    for run in range(2):
        rows = pa.RecordBatch.from_pylist(_rows(run), schema=_SCHEMA)
        moment = datetime(2026, 1, 1 + run, tzinfo=UTC)
        facts = {"key": ["uscc"], "run_id": f"r{run}", "committed_at": moment}
        publish_snapshot(root, TABLE, _SCHEMA, [rows], read=rows.num_rows, **facts)
    newest = maintain(root, TABLE, history_days=1095).version
    versions = sorted({0, 1, newest})
    shutil.copytree(root, elsewhere)
    place, beyond_ascii = Place(root, TABLE), Place(elsewhere, TABLE)
    types = {field.name: str(field.type) for field in _SCHEMA}
    yield (
        {
            "versions": [
                {
                    "path": str(place.path),
                    "version": version,
                    "files": beyond_ascii.files(beyond_ascii.open(version)),
                    "types": types,
                }
                for version in versions
            ]
        },
        [
            {"rows": 1_000 - min(version, 1), "digest": content_digest(root, TABLE, version)}
            for version in versions
        ],
    )


def _rows(run: int) -> list[dict[str, Any]]:
    return [
        {
            "uscc": f"91320213MA{number:08d}",
            "名称": None if number % 7 == 0 else f"甲{number}有限公司{'（变更）' * run}",
            "registered_capital": None if number % 5 == 0 else Decimal(number * 1_001) / 100,
            "established_on": date(1998 + number % 28, 1 + number % 12, 1 + number % 28),
            "approved_at": datetime(2025, 12, 31, 23, 59, 59, number, tzinfo=UTC),
            "employees": None if number % 11 == 0 else number - 500,
            "is_active": (True, False, None)[number % 3],
            "_provider_org": "market_regulation",
            "_entry_id": "market_regulation.enterprise_registration",
            "_run_id": f"r{run}",
            "_landed_row": number,
        }
        for number in range(1_000 - run)
    ]
