"""Data Docs of a run hold counts, and of the rows nothing."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from expectations.datadocs import build_docs
from expectations.plan import plan
from expectations.run import validate

MARK = "标记张三320281199902291236"


@pytest.mark.requirement("SEC-11")
def test_no_value_of_a_row_is_on_any_page(make_entry, catalog, loader, tolerant, tmp_path):
    texts = ("uscc", "name", "status", "person_id", "phone")
    entry = make_entry()
    checks = [c for c in plan(entry, catalog) if set(c.columns) <= set(texts)]
    columns = {field: pa.array([MARK, MARK, "x"]) for field in texts}
    items = [item for item in entry.items if item.field in texts]
    asked = {"gate": tolerant, "entry_id": entry.id, "run_id": "run-1"}
    verdict = validate(checks, 3, loader(columns), profiled=items, **asked)

    page = build_docs(
        checks,
        entry.id,
        tmp_path,
        run_id="run-1",
        decided_at=datetime(2026, 11, 25, tzinfo=UTC),
        outcomes=verdict.results,
    )

    pages = [path.read_text("utf-8") for path in page.parent.rglob("*.html")]
    assert len(pages) >= 3
    assert any("统一社会信用代码" in text for text in pages)
    files = (path for path in tmp_path.rglob("*") if path.is_file())
    everything = "".join(path.read_text("utf-8", errors="replace") for path in files)
    assert "张三" not in everything
    assert "320281199902291236" not in everything
