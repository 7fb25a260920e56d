"""Tiny tables of the library: three enterprises, published by run after run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from yishu.library import Commit, publish_snapshot

SCHEMA = pa.schema(
    [
        ("uscc", pa.string()),
        ("name", pa.string()),
        ("capital", pa.decimal128(18, 2)),
        pa.field("_provider_org", pa.string(), nullable=False),
        pa.field("_entry_id", pa.string(), nullable=False),
        pa.field("_run_id", pa.string(), nullable=False),
        pa.field("_landed_row", pa.int64(), nullable=False),
    ]
)


@pytest.fixture
def schema() -> pa.Schema:
    """Columns of the enterprises' table."""
    return SCHEMA


@pytest.fixture
def table() -> str:
    """Name of the enterprises' table."""
    return "unified/market_regulation.enterprise"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty library, in a folder whose name is not plain ASCII."""
    return tmp_path / "数据 库"


@pytest.fixture
def moment() -> datetime:
    """When the first run publishes; run ``r2`` a day later, and so on."""
    return datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def enterprises() -> Callable[..., list[pa.RecordBatch]]:
    """Make batches of enterprises out of ``uscc=name`` pairs; one batch a row."""

    def make(run_id: str, names: dict[str, str | None]) -> list[pa.RecordBatch]:
        rows = [
            {
                "uscc": uscc,
                "name": name,
                "capital": None,
                "_provider_org": "market_regulation",
                "_entry_id": "market_regulation.enterprise",
                "_run_id": run_id,
                "_landed_row": position,
            }
            for position, (uscc, name) in enumerate(names.items())
        ]
        return [pa.RecordBatch.from_pylist([row], schema=SCHEMA) for row in rows]

    return make


@pytest.fixture
def publish(
    root: Path, table: str, moment: datetime, enterprises: Callable[..., list[pa.RecordBatch]]
) -> Callable[..., Commit]:
    """Publish enterprises by run ``r1``, ``r2``, ...; read from an iterator that ends for good."""

    def run(run_id: str, names: dict[str, str | None], **more: Any) -> Commit:
        facts = {
            "key": ["uscc"],
            "run_id": run_id,
            "committed_at": moment + timedelta(days=int(run_id.removeprefix("r")) - 1),
            "read": len(names),
            "metadata": {"entry_version": "4"},
        }
        return publish_snapshot(
            root, table, SCHEMA, iter(enterprises(run_id, names)), **(facts | more)
        )

    return run
