"""Projections: how rows are laid out in files, and that no row is lost between two."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from yishu.sharing import projection
from yishu.sharing.projection import Rules


def test_another_file_begins_when_one_is_full_and_no_row_is_lost(monkeypatch, tmp_path):
    monkeypatch.setattr(projection, "FILE_BYTES", 2_000)
    monkeypatch.setattr(projection, "GROUP_ROWS", 100)
    rows = pa.table({"uscc": [f"91320205MA{n * 7_919 % 10_007:08d}" for n in range(1_050)]})
    parts = projection._Parts(tmp_path, rows.schema)
    for batch in projection.project(ds.dataset(rows), Rules(("uscc",))):
        for start in range(0, batch.num_rows, 50):
            parts.write(batch.slice(start, 50))
    parts.close()

    assert len(parts.files) > 2
    assert parts.rows == 1_050
    sizes = [path.stat().st_size for path in parts.files]
    assert all(size < 4_000 for size in sizes)
    assert pa.concat_tables(map(pq.read_table, parts.files)).equals(rows)


def test_a_projection_without_rows_is_one_file(tmp_path):
    empty = pa.schema([("uscc", pa.string())]).empty_table()
    parts = projection._Parts(tmp_path, empty.schema)
    parts.close()

    (path,) = parts.files
    assert pq.read_table(path).equals(empty)
