"""The manifest of a delivered file: what it holds, by which grant, on which terms."""

from pathlib import Path
from typing import Any

from sqlalchemy import Row

from yishu.sharing import files
from yishu.sharing.house import Ready

ONWARD_TERMS = (
    "仅限本授权所列用途使用，不得以任何形式提供给第三方，也不得用于其他目的（S004 第十七条）"
)


def place(file: Path) -> Path:
    """Where the manifest of a file lies."""
    return file.with_suffix(".manifest.json")


def about(served: Ready, row: Row[Any]) -> files.About:
    """What the file says of itself."""
    names = {one.field: one.name for one in served.object_.columns.values()}
    notes = {"name": served.object_.name, "批次": str(row.batch_no), "使用条件": ONWARD_TERMS}
    return files.About(row.grant_id, names, notes)


def manifest(served: Ready, row: Row[Any], path: Path, digest: str) -> dict[str, Any]:
    """What stands beside the file: columns, rows, digests, terms; ``digest`` is its SHA-256."""
    columns = [
        {
            "field": field.name,
            "name": served.object_.columns[field.name].name,
            "type": str(field.type),
            "mask": served.grant.masks.get(field.name),
        }
        for field in served.projection.schema
    ]
    return {
        "grant_id": row.grant_id,
        "request_id": served.grant.request_id,
        "delivery_id": row.delivery_id,
        "object": served.grant.object_id,
        "table_version": row.table_version,
        "run_id": served.run_id,
        "file": path.name,
        "format": served.grant.format,
        "csv_escape": files.ESCAPE,
        "rows": served.projection.rows,
        "bytes": path.stat().st_size,
        "sha256": digest,
        "content_digest": row.content_digest,
        "columns": columns,
        "terms": ONWARD_TERMS,
        "made_at": row.started_at.isoformat(),
    }
