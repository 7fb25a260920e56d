"""SQLite: the fast reader and the slower one that explains say the same of any value."""

import math
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, Since, SourceUnreadable
from yishu.sources.sqlite import BATCH_ROWS, SqliteSource, exact_texts, fraction_texts

COLUMNS = ("whole", "share", "name", "anything", "day")
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(["", "9999-9-9", "𠮷祥䶮😀", "0.10", "1e5", "a\x00b", "a'b\"c"]),
)


def opened(path: Path, table: str = "t") -> SqliteSource:
    spec = SourceSpec(connection="d", kind=SystemKind.SQL, table=table)
    return SqliteSource(spec, Connection("d", SystemKind.SQL, f"sqlite:///{path}"))


def fill(path: Path, rows: list[tuple[object, ...]]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "create table t (whole integer, share real, name text, anything, day date)"
        )
        database.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        database.commit()


def quickly(path: Path, table: str = "t") -> pa.Table:
    with opened(path, table) as source:
        return pa.Table.from_batches(list(source.read(COLUMNS)))


def slowly(path: Path) -> pa.Table:
    with opened(path) as source:
        return pa.Table.from_batches(list(source._slowly(COLUMNS, None)))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*[VALUES] * len(COLUMNS)), max_size=12))
@example([(None,) * 5] * 3)
@example([(1.5, 1, 2.5, math.inf, -0.0), (2**63 - 1, 1e20, -(2**63), 1e-7, 1e15)])
def test_both_readers_say_the_same_of_any_value(
    tmp_path: Path, rows: list[tuple[object, ...]]
) -> None:
    fill(tmp_path / "a.db", rows)

    assert quickly(tmp_path / "a.db").equals(slowly(tmp_path / "a.db"))


def test_a_type_that_comes_first_after_many_nulls_is_still_exact(tmp_path: Path) -> None:
    late = ("unknown", "half", 3, 0.1, 20_200_102)
    fill(tmp_path / "a.db", [(None,) * 5] * (2 * BATCH_ROWS) + [late])

    assert quickly(tmp_path / "a.db").to_pylist()[-1] == dict(
        zip(COLUMNS, ("unknown", "half", "3", "0.1", "20200102"), strict=True)
    )


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200))
def test_fractions_are_told_in_their_shortest_digits(patterns: list[int]) -> None:
    numbers = [struct.unpack("d", one.to_bytes(8, "little"))[0] for one in patterns]
    numbers = [number for number in numbers if not math.isnan(number)]
    numbers += [0.0, -0.0, 1e15, 1e16, 1e-5, 100000.0, 0.1]

    found = fraction_texts(pa.array(numbers, pa.float64())).to_pylist()

    assert found == exact_texts(numbers)


def test_a_view_that_makes_fractions_of_a_text_column_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    fill(path, [(1, 2.5, "x", 0.1, "2020-01-01")])
    with closing(sqlite3.connect(path)) as database:
        columns = "whole, share, name, anything, day"
        database.execute(
            f"create view v as select {columns} from t "
            "union all select 7, 8.5, 9.25, 1e20, 0.1 from t"
        )
        database.commit()

    assert quickly(path, "v").column("name").to_pylist() == ["x", "9.25"]


@pytest.mark.parametrize(("column", "value"), [("name", b"\x00\xff"), ("share", b"1.5")])
def test_a_blob_far_behind_names_its_column_and_rows(
    tmp_path: Path, column: str, value: bytes
) -> None:
    row = dict.fromkeys(COLUMNS, "1")
    rows = [tuple(row.values())] * (BATCH_ROWS + 5) + [tuple((row | {column: value}).values())]
    fill(tmp_path / "a.db", rows)

    with pytest.raises(SourceUnreadable, match=rf"column {column}: .*rows {BATCH_ROWS} to"):
        quickly(tmp_path / "a.db")


def test_a_file_that_is_damaged_in_the_middle_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    fill(path, [(1, 2.5, "x" * 100, None, "2020-01-01")] * 40_000)
    content = bytearray(path.read_bytes())
    half = len(content) // 2 // 4096 * 4096
    content[half : half + 20 * 4096] = b"\xff" * 20 * 4096
    path.write_bytes(content)

    with pytest.raises(SourceUnreadable):
        quickly(path)


def test_a_bound_is_put_to_the_file_whatever_its_text(tmp_path: Path) -> None:
    fill(tmp_path / "a.db", [(n, 0.5, "x", None, "2020-01-01") for n in range(10)])

    with opened(tmp_path / "a.db") as source:
        (batch,) = source.read_since(["whole", "share"], Since("whole", 8))

    assert batch.to_pydict() == {"whole": ["8", "9"], "share": ["0.5", "0.5"]}
