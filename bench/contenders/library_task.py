"""One task on a table of the library, in a process of its own: Yishu's way or the bare one.

library_task.py TASK FOLDER ROWS        prints one JSON line: seconds and processor seconds
                                        without imports, what it found

Rows are those of a register of companies: 12 business columns and where each row came from.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable, WriterProperties, write_deltalake

from yishu.library import Changes, publish_changes, publish_snapshot
from yishu.library.digest import digest_rows
from yishu.library.engine import connect, scan
from yishu.library.key_index import open_key_index
from yishu.library.place import Place

TABLE = "unified/bench.register"
BATCH = 16_384
CHANGED_SHARE = 10
SCHEMA = pa.schema(
    [
        ("uscc", pa.string()),
        ("name", pa.string()),
        ("address", pa.string()),
        *((f"code_{number}", pa.string()) for number in range(5)),
        ("capital", pa.decimal128(18, 2)),
        ("established_on", pa.date32()),
        ("approved_at", pa.timestamp("us", tz="UTC")),
        ("is_active", pa.bool_()),
        *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
        ("_landed_row", pa.int64()),
    ]
)


def rows(numbers: np.ndarray, run: str, turn: int = 0) -> pa.RecordBatch:
    """The rows of these numbers; another turn changes names."""
    count = len(numbers)
    plain = pa.array(numbers)
    text = pc.utf8_lpad(plain.cast(pa.string()), 10, padding="0")
    code = [pa.array((numbers * (7 + one) % 30).astype(str)) for one in range(5)]
    return pa.RecordBatch.from_arrays(
        [
            pc.binary_join_element_wise("91320213", text, ""),
            pc.binary_join_element_wise("无锡", text, f"有限公司{turn}", ""),
            pc.binary_join_element_wise("太湖大道", text, "号", ""),
            *code,
            pa.array((numbers % 1_000_000).astype(np.int32)).cast(pa.decimal128(18, 2)),
            pa.array((10_000 + numbers % 9_000).astype(np.int32)).view(pa.date32()),
            pa.array(numbers * 1_000_003).view(pa.timestamp("us")).cast(SCHEMA.field(10).type),
            pa.array(numbers % 2 == 0),
            *(pa.repeat(pa.scalar(text), count) for text in ("bench", "bench.register", run)),
            plain,
        ],
        schema=SCHEMA,
    )


def batches(count: int, run: str, turn: int = 0) -> Iterator[pa.RecordBatch]:
    """All rows of a table, in batches."""
    for start in range(0, count, BATCH):
        yield rows(np.arange(start, min(start + BATCH, count)), run, turn)


def changed(count: int) -> np.ndarray:
    """The numbers of one row in ten, spread over the whole table."""
    return np.random.default_rng(1).choice(count, count // CHANGED_SHARE, replace=False)


def made(folder: Path, count: int) -> list[Path]:
    """Input files, made before the clock starts: all rows, and the changed ones."""
    whole, some = folder / "rows.parquet", folder / "changes.parquet"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(whole, SCHEMA, compression="lz4") as writer:
            for batch in batches(count, "r1"):
                writer.write_batch(batch, row_group_size=131_072)
        pq.write_table(pa.Table.from_batches([rows(changed(count), "r2", 1)]), some)
    return [whole, some]


def reader(path: Path) -> pa.RecordBatchReader:
    """A file as a stream; one that is read to its end keeps 35 bytes a row until it is closed."""
    about = pq.read_metadata(path)

    def groups() -> Iterator[pa.RecordBatch]:
        for group in range(about.num_row_groups):
            with pq.ParquetFile(path, metadata=about) as file:
                yield from file.iter_batches(BATCH, row_groups=[group])

    return pa.RecordBatchReader.from_batches(SCHEMA, groups())


FACTS = {"key": ["uscc"], "committed_at": datetime(2026, 1, 1, tzinfo=UTC)}


def bare_publish(folder: Path, count: int) -> int:
    """``write_deltalake`` alone, compressed as ours."""
    properties = WriterProperties(compression="ZSTD", compression_level=1)
    whole, _ = made(folder, count)
    write_deltalake(str(folder / "bare"), reader(whole), writer_properties=properties)
    return count


def publish(folder: Path, count: int) -> int:
    """A first publication: keys watched, counted, committed, indexed."""
    whole, _ = made(folder, count)
    done = publish_snapshot(
        folder / "library", TABLE, SCHEMA, iter(reader(whole)), run_id="r1", read=count, **FACTS
    )
    return done.rows


def bare_merge(folder: Path, count: int) -> int:
    """``DeltaTable.merge`` alone: it counts nothing and remembers no origin."""
    _, some = made(folder, count)
    table = DeltaTable(str(folder / "bare"))
    merged = table.merge(pq.read_table(some), "t.uscc = s.uscc", source_alias="s", target_alias="t")
    merged.when_matched_update_all().when_not_matched_insert_all().execute()
    return count


def merge(folder: Path, count: int) -> int:
    """Changes merged by key: compared, counted, committed, indexed."""
    _, some = made(folder, count)
    done = publish_changes(
        folder / "library", TABLE, SCHEMA, iter(reader(some)), Changes(after="r1"),
        run_id="r2", read=count // CHANGED_SHARE, **FACTS,
    )  # fmt: skip
    assert done.updated == count // CHANGED_SHARE
    return done.rows


def unchanged(folder: Path, count: int) -> int:
    """The whole snapshot again, in which nothing changed."""
    whole, _ = made(folder, count)
    done = publish_snapshot(
        folder / "library", TABLE, SCHEMA, iter(reader(whole)), run_id="again", read=count, **FACTS
    )
    assert done.unchanged == count
    return done.rows


def changed_snapshot(folder: Path, count: int) -> int:
    """The whole snapshot again, one row in a hundred changed."""
    whole, _ = made(folder, count)
    few = np.random.default_rng(2).choice(count, count // 100, replace=False)
    is_new = np.zeros(count, bool)
    is_new[few] = True

    def stream() -> Iterator[pa.RecordBatch]:
        for start, batch in zip(range(0, count, BATCH), reader(whole), strict=True):
            picks = is_new[start : start + batch.num_rows]
            names = pc.if_else(pa.array(picks), "新名称", batch["name"])
            yield batch.set_column(1, SCHEMA.field("name"), names)

    done = publish_snapshot(
        folder / "library", TABLE, SCHEMA, stream(), run_id="r3", read=count,
        **{**FACTS, "committed_at": FACTS["committed_at"] + timedelta(days=1)},
    )  # fmt: skip
    return done.rows


def equal(folder: Path, _: int) -> str:
    """The content digest of both merged tables, which is one; no part of what is compared."""
    place = Place(folder / "library", TABLE)
    added = DeltaTable(str(folder / "bare")).get_add_actions(flatten=True)
    bare = [str(folder / "bare" / path) for path in added.column("path").to_pylist()]
    with connect() as connection:
        first, second = (
            digest_rows(connection, scan(files, SCHEMA), SCHEMA)
            for files in (bare, place.files(place.open()))
        )
    assert first == second
    return first


def lookup(folder: Path, count: int) -> dict[str, float]:
    """A thousand keys, each by itself, the index open: milliseconds."""
    index = open_key_index(folder / "library", TABLE)
    took = []
    for number in np.random.default_rng(3).integers(0, count, 1_000):
        key = {"uscc": f"91320213{number:010d}"}
        began = time.perf_counter()
        found = index.row(key)
        took.append((time.perf_counter() - began) * 1_000)
        assert found["_landed_row"][0].as_py() == number
    return {f"p{share}": round(float(np.quantile(took, share / 100)), 2) for share in (50, 95, 99)}


TASKS: dict[str, Callable[[Path, int], object]] = {
    one.__name__: one
    for one in (
        bare_publish, publish, bare_merge, merge, equal, unchanged, changed_snapshot, lookup,
    )
}  # fmt: skip


def main() -> None:
    """Run the task that the command line names; ``prepare`` makes the files only."""
    task, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    made(folder, count)
    if task == "prepare":
        shutil.rmtree(folder / "bare", ignore_errors=True)
        shutil.rmtree(folder / "library", ignore_errors=True)
        print(json.dumps({}))
        return
    began, used = time.perf_counter(), time.process_time()
    found = TASKS[task](folder, count)
    seconds = round(time.perf_counter() - began, 2)
    cpu = round(time.process_time() - used, 2)
    place = Place(folder / "library", TABLE)
    version = place.open().version() if place.exists() else None
    print(json.dumps({"seconds": seconds, "cpu": cpu, "found": found, "version": version}))


if __name__ == "__main__":
    main()
