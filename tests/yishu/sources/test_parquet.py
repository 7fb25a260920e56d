"""Parquet: typed columns as the file has them, and files that cannot be read exactly."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import MAX_BATCH_ROWS, Connection, SourceUnreadable
from yishu.sources.parquet import ParquetSource


def source_of(folder: Path) -> ParquetSource:
    spec = SourceSpec(connection="drop", kind=SystemKind.PARQUET, path="rows_*.parquet")
    return ParquetSource(spec, Connection("drop", SystemKind.PARQUET, str(folder)))


def drop(folder: Path, columns: dict[str, Any], **more: Any) -> Path:
    path = folder / "rows_1.parquet"
    pq.write_table(pa.table(columns), path, **more)
    return path


def read(folder: Path, *columns: str) -> pa.Table:
    with source_of(folder) as source:
        return pa.Table.from_batches(list(source.read(columns)))


def test_types_are_kept_and_metadata_and_dictionaries_are_not(tmp_path: Path) -> None:
    moment = dt.datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
    schema = pa.schema([pa.field("t", pa.timestamp("us", "UTC"), metadata={"who": "wrote"})])
    table = pa.table({"t": [moment]}, schema=schema.with_metadata({"pandas": "{}"}))
    table = table.append_column("d", pa.array(["甲"]).dictionary_encode())
    pq.write_table(table, tmp_path / "rows_1.parquet")

    found = read(tmp_path, "d", "t")

    assert found.schema.equals(
        pa.schema([("d", pa.string()), ("t", pa.timestamp("us", "UTC"))]), check_metadata=True
    )
    assert found.to_pydict() == {"d": ["甲"], "t": [moment]}


def test_batches_stay_short_whatever_the_row_groups_are(tmp_path: Path) -> None:
    drop(tmp_path, {"a": list(range(200_000))}, row_group_size=150_000)

    with source_of(tmp_path) as source:
        batches = list(source.read(["a"]))

    assert max(batch.num_rows for batch in batches) <= MAX_BATCH_ROWS
    assert pa.Table.from_batches(batches)["a"].to_pylist() == list(range(200_000))


def test_a_name_with_a_dot_is_no_path_into_another_column(tmp_path: Path) -> None:
    drop(tmp_path, {"a.b": [1], "a": [2]})

    assert read(tmp_path, "a").to_pydict() == {"a": [2]}
    assert read(tmp_path, "a.b").to_pydict() == {"a.b": [1]}


def test_no_rows_still_have_types(tmp_path: Path) -> None:
    drop(tmp_path, {"a": pa.array([], pa.int32())})

    assert read(tmp_path, "a").schema == pa.schema([("a", pa.int32())])


def test_names_twice_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "rows_1.parquet")

    with pytest.raises(SourceUnreadable, match="twice"):
        source_of(tmp_path).columns()


@pytest.mark.parametrize("keep", [0, 3, 2_000, -1])
def test_a_half_written_file_is_unreadable(tmp_path: Path, keep: int) -> None:
    path = drop(tmp_path, {"a": list(range(5_000))})
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(SourceUnreadable, match="no readable Parquet"):
        source_of(tmp_path).columns()


def test_a_damaged_page_is_unreadable(tmp_path: Path) -> None:
    path = drop(tmp_path, {"a": ["秘密"] * 50_000, "b": list(range(50_000))}, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[20:400] = b"\xff" * 380
    path.write_bytes(content)

    with pytest.raises(SourceUnreadable) as caught:
        read(tmp_path, "a")
    assert "秘密" not in repr(caught.value)
