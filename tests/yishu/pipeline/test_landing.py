import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from yishu.pipeline.landing import Landed


@pytest.fixture
def parts(tmp_path):
    """Two parts of 7 and 5 rows, in row groups of up to 3."""
    files = [tmp_path / name for name in ("part-000.parquet", "part-001.parquet")]
    for file, numbers in zip(files, (range(7), range(7, 12)), strict=True):
        pq.write_table(pa.table({"number": pa.array(numbers)}), file, row_group_size=3)
    return Landed(files)


@pytest.mark.parametrize(
    ("start", "stop"), [(0, None), (0, 3), (2, 4), (5, 9), (6, 7), (7, None), (0, 0), (11, 40)]
)
def test_a_column_over_some_rows_crosses_row_groups_and_parts(parts, start, stop):
    assert parts.column("number", start, stop).to_pylist() == list(range(12))[start:stop]


def test_a_column_of_no_rows_keeps_its_type(tmp_path):
    file = tmp_path / "data.parquet"
    pq.write_table(pa.table({"number": pa.array([], pa.int32())}), file)
    assert Landed([file]).column("number").type == pa.int32()


@pytest.mark.parametrize("source", ["csv", "postgresql"])
def test_a_pull_also_of_changes_loads_no_engine_no_checks_and_no_scheduler(source):
    code = f"import sys, yishu.pipeline.changes, yishu.pipeline.pull, yishu.sources.{source}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"airflow", "duckdb", "great_expectations", "pandas", "sqlalchemy"}
