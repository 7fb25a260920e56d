"""Entries as data contracts, one of them with its published table."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from catalog.load import load_catalog
from catalog.model import CatalogEntry
from yishu.interchange import odcs
from yishu.library import publish_snapshot
from yishu.library.place import Place

_CATALOG = Path(__file__).resolve().parents[2] / "catalog"
_ENTRY = "taxation.taxpayer"
_ROWS = 200
_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "money": pa.decimal128(18, 2),
    "date": pa.date32(),
}


@contextmanager
def stage(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """Contracts of every entry, a right and a wrong one for a table that is really there."""
    catalog, _ = load_catalog(_CATALOG)
    paths = {}
    for entry in catalog.entries.values():
        paths[entry.id] = folder / f"{entry.id}.odcs.yaml"
        paths[entry.id].write_text(odcs.to_yaml(entry), "utf-8")
    entry = catalog.entries[_ENTRY]
    table = _published(folder / "library", entry)
    server = {
        "server": "library",
        "type": "local",
        "path": f"{table}/*.parquet",
        "format": "parquet",
    }
    right = odcs.contract(entry, [server])
    wrong = yaml.safe_load(yaml.safe_dump(right))
    year = next(one for one in wrong["schema"][0]["properties"] if one["name"] == "credit_year")
    year["logicalTypeOptions"]["maximum"] = 2000
    for name, content in (("right", right), ("wrong", wrong)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    yield (
        {
            "contracts": {name: str(path) for name, path in paths.items()},
            "right": str(folder / "right.yaml"),
            "wrong": str(folder / "wrong.yaml"),
        },
        {
            "sound": sorted(paths),
            "right": {"checked": True, "failed": []},
            "wrong": {"checked": True, "failed": ["credit_year"]},
        },
    )


def _published(root: Path, entry: CatalogEntry) -> Path:
    table = "unified/taxation.taxpayer"
    own = [(item.field, _TYPES[item.type.value]) for item in entry.items]
    texts = [(name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")]
    schema = pa.schema([*own, *texts, ("_landed_row", pa.int64())])
    rows = pa.RecordBatch.from_pylist([_row(number) for number in range(_ROWS)], schema=schema)
    facts = {"key": ["uscc"], "run_id": "r", "committed_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
    publish_snapshot(root, table, schema, [rows], read=_ROWS, **facts)
    return Path(Place(root, table).path)


def _row(number: int) -> dict[str, Any]:
    return {
        "uscc": f"91320213MA{number:08d}",
        "taxpayer_name": f"甲{number}有限公司",
        "tax_credit_grade": "ABM"[number % 3],
        "credit_year": 2020 + number % 5,
        "tax_office": None if number % 4 else "第一税务分局",
        "tax_registered_on": dt.date(2001 + number % 20, 1 + number % 12, 1),
        "deregistered_on": None,
        "paid_tax_amount": Decimal(number * 1_001) / 100,
        "_provider_org": "taxation",
        "_entry_id": _ENTRY,
        "_run_id": "r",
        "_landed_row": number,
    }
