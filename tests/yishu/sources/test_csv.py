"""CSV: encodings, quotes, and faults named by line and byte."""

import hashlib
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    MAX_BATCH_ROWS,
    Connection,
    SourceChanged,
    SourceColumnMissing,
    SourceFileMissing,
    SourceMisdescribed,
    SourceUnreachable,
    SourceUnreadable,
)
from yishu.sources.csv import CsvSource


def source_of(folder: Path, **more: Any) -> CsvSource:
    spec = SourceSpec(connection="drop", kind=SystemKind.CSV, **({"path": "rows_*.csv"} | more))
    return CsvSource(spec, Connection("drop", SystemKind.CSV, str(folder)))


def read(folder: Path, *columns: str, **more: Any) -> dict[str, list[Any]]:
    with source_of(folder, **more) as source:
        table = pa.Table.from_batches(list(source.read(columns)))
    assert set(table.schema.types) == {pa.string()}
    found: dict[str, list[Any]] = table.to_pydict()
    return found


def drop(folder: Path, content: str | bytes, encoding: str = "utf-8", name: str = "1") -> Path:
    path = folder / f"rows_{name}.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.mark.parametrize("declared", [None, "utf-8", "UTF8"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf8_with_and_without_a_byte_order_mark(
    tmp_path: Path, declared: str | None, mark: str
) -> None:
    drop(tmp_path, mark + '"名称",b\n𠮷䶮😀,2\n')

    assert read(tmp_path, "名称", "b", encoding=declared) == {"名称": ["𠮷䶮😀"], "b": ["2"]}


@pytest.mark.parametrize("declared", [None, "gb18030", "GBK", "gb2312"])
def test_gb18030_declared_under_any_of_its_names_or_detected(
    tmp_path: Path, declared: str | None
) -> None:
    drop(tmp_path, "名称,b\n无锡市𠮷䶮€,2\n", "gb18030")

    assert read(tmp_path, "名称", encoding=declared) == {"名称": ["无锡市𠮷䶮€"]}


def test_gb18030_is_detected_when_its_first_such_character_comes_late(tmp_path: Path) -> None:
    drop(tmp_path, "a,b\n" + "1,2\n" * 600_000 + "3,无锡\n", "gb18030")

    assert read(tmp_path, "b")["b"][-1] == "无锡"


def test_utf16_with_its_mark(tmp_path: Path) -> None:
    drop(tmp_path, "名称\tb\n𠮷\t2\n", "utf-16")

    assert read(tmp_path, "名称", delimiter="\t") == {"名称": ["𠮷"]}


def test_everything_stays_the_text_it_was(tmp_path: Path) -> None:
    drop(tmp_path, 'a,b\n007,NULL\n"",\n1e5,true\n 1 ,"x\r\ny"\n5" pipe,\\N\n')

    assert read(tmp_path, "b", "a") == {
        "b": ["NULL", "", "true", "x\r\ny", "\\N"],
        "a": ["007", "", "1e5", " 1 ", '5" pipe'],
    }


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    for content in ("a,b", "a,b\n", "a,b\r\n\r\n"):
        drop(tmp_path, content)

        assert read(tmp_path, "b") == {"b": []}


def test_empty_lines_are_values_of_a_single_column_alone(tmp_path: Path) -> None:
    drop(tmp_path, "a\n1\n\n2\n")
    assert read(tmp_path, "a") == {"a": ["1", "", "2"]}

    drop(tmp_path, "a,b\n1,2\n\n3,4\n\n")
    assert read(tmp_path, "a") == {"a": ["1", "3"]}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_long_file_keeps_every_row_in_order(tmp_path: Path, encoding: str) -> None:
    numbers = [str(number) for number in range(250_000)]
    lines = (f'{number},"无锡市, {number}号",{"长" * 20}\n' for number in numbers)
    drop(tmp_path, "编号,地址,c\n" + "".join(lines), encoding)

    with source_of(tmp_path) as source:
        batches = list(source.read(["编号"]))

    assert max(batch.num_rows for batch in batches) <= MAX_BATCH_ROWS
    assert pa.Table.from_batches(batches)["编号"].to_pylist() == numbers


def test_the_newest_finished_file_by_name_is_the_delivery(tmp_path: Path) -> None:
    for name, value in [("20250101", "old"), ("20250301", "new"), ("20250201", "middle")]:
        drop(tmp_path, f"a\n{value}\n", name=name)
    for name in ("rows_20250401.csv.part", ".rows_20250501.csv", "~$rows_9.csv", "other_9.csv"):
        (tmp_path / name).write_text("a\nunfinished\n")
    (tmp_path / "rows_20259999.csv").mkdir()

    assert read(tmp_path, "a") == {"a": ["new"]}


def test_the_digest_is_that_of_the_delivery(tmp_path: Path) -> None:
    path = drop(tmp_path, "a\n1\n")

    assert source_of(tmp_path).delivered().sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "encoding", "line", "offset"),
    [
        (b"a,b\n1,2\n3,\xff\n", "utf-8", 3, 10),
        ("名称,b\n无锡,1\n".encode() + b"x,\xe6\x97\n", None, 3, 20),
        ("a,b\n无锡,1\n".encode("gb18030") + b"x,\xff\n", "gb18030", 3, 13),
        ("a,b\n1,锡".encode("gb18030")[:-1], "gb18030", 2, 6),
        (b"a,b\n" + b"1,2\n" * 700_000 + b"1,\xff2\n", "gb18030", 700_002, 2_800_006),
        (b"a,\xff\n1,2\n", "utf-8", 1, 2),
    ],
)
def test_a_bad_byte_is_named_by_line_and_offset(
    tmp_path: Path, content: bytes, encoding: str | None, line: int, offset: int
) -> None:
    drop(tmp_path, content)

    with pytest.raises(SourceUnreadable) as caught:
        read(tmp_path, "b", encoding=encoding)

    assert f"on line {line}, at byte {offset}," in caught.value.found
    assert "rows_1.csv" in caught.value.obj


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,2\n3,4,5\n", 3),
        ("1,2\n3\n", 3),
        ('"x\ny",2\n3,4,秘密\n', 4),
        ('1,"never closed\n2,3\n', 2),
        ('1,2\n3,"4', 3),
        ('1,"a\n2,"b"\n', 2),
        ('1,2\n"x"y,2\n', 3),
        ('1,2\n3,"' + "长" * 3_000_000 + "\n4,5\n", 3),
    ],
)
def test_a_row_of_wrong_shape_is_named_by_line_and_not_shown(
    tmp_path: Path, rows: str, line: int
) -> None:
    drop(tmp_path, "a,b\n" + rows)

    with pytest.raises(SourceUnreadable, match=rf"line {line}\b") as caught:
        read(tmp_path, "a")

    assert "秘密" not in repr(caught.value)


@pytest.mark.parametrize("header", ["", "a,a\n", "a,,b\n", "张三,320200199001011234\n"])
def test_a_first_line_that_is_no_header_is_refused(tmp_path: Path, header: str) -> None:
    drop(tmp_path, header + "1,2,3\n" * bool(header))

    with pytest.raises(SourceUnreadable, match="first line") as caught:
        source_of(tmp_path).columns()

    assert "张三" not in repr(caught.value)


def test_a_first_row_in_place_of_the_header_is_not_shown(tmp_path: Path) -> None:
    drop(tmp_path, "张三,无锡\n李四,苏州\n")

    with pytest.raises(SourceColumnMissing) as caught:
        read(tmp_path, "姓名")

    assert "张三" not in repr(caught.value)


def test_a_missing_file_is_named_by_its_pattern(tmp_path: Path) -> None:
    with pytest.raises(SourceFileMissing, match=r"rows_\*\.csv"):
        read(tmp_path, "a")


def test_a_missing_folder_may_be_a_share_that_comes_back(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable) as caught:
        read(tmp_path / "share", "a")

    assert caught.value.retryable


@pytest.mark.parametrize("path", ["/etc/*.csv", "../*.csv", "a/../../b.csv"])
def test_a_pattern_that_leads_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceMisdescribed):
        read(tmp_path, "a", path=path)


def test_an_unknown_encoding_is_misdescribed(tmp_path: Path) -> None:
    drop(tmp_path, "a\n1\n")

    with pytest.raises(SourceMisdescribed):
        read(tmp_path, "a", encoding="gb-unknown")


def test_a_file_that_changes_while_it_is_read_is_tried_again(tmp_path: Path) -> None:
    path = drop(tmp_path, "a,b\n" + "1,2\n" * 2_500_000)

    with source_of(tmp_path) as source:
        batches = source.read(["a"])
        next(batches)
        with path.open("ab") as file:
            file.write(b"3,4\n")
            os.fsync(file.fileno())
        with pytest.raises(SourceChanged) as caught:
            list(batches)

    assert caught.value.retryable
