"""XLSX: typed cells as exact text, and sheets that cannot be read exactly."""

import datetime as dt
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    SourceFileMissing,
    SourceTableMissing,
    SourceUnreadable,
)
from yishu.sources.xlsx import XlsxSource


def source_of(folder: Path, **more: Any) -> XlsxSource:
    spec = SourceSpec(connection="drop", kind=SystemKind.XLSX, path="rows_*.xlsx", **more)
    return XlsxSource(spec, Connection("drop", SystemKind.XLSX, str(folder)))


def read(folder: Path, *columns: str, **more: Any) -> dict[str, list[Any]]:
    with source_of(folder, **more) as source:
        table = pa.Table.from_batches(list(source.read(columns)))
    found: dict[str, list[Any]] = table.to_pydict()
    return found


def drop(folder: Path, *rows: Sequence[Any], merge: str | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    if merge:
        sheet.merge_cells(merge)
    path = folder / "rows_1.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (dt.date(2020, 1, 2), "2020-01-02"),
        (dt.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02 03:04:05"),  # noqa: DTZ001
        (dt.datetime(2500, 12, 31), "2500-12-31"),  # noqa: DTZ001
        (dt.time(8, 30), "08:30:00"),
        (42, "42"),
        (42.0, "42"),
        (1234.56, "1234.56"),
        (1e-7, "0.0000001"),
        (True, "true"),
        ("007", "007"),
        (" 中 文 ", " 中 文 "),
        ("#N/A", "#N/A"),
    ],
)
def test_a_cell_is_its_exact_text(tmp_path: Path, cell: Any, text: str) -> None:
    drop(tmp_path, ["值"], [cell])

    assert read(tmp_path, "值") == {"值": [text]}


def test_blank_rows_count_within_the_data_and_not_after_it(tmp_path: Path) -> None:
    path = drop(tmp_path, ["a", "b"], [1, 2], [None, None], [3, None])
    book = openpyxl.load_workbook(path)
    # A format alone makes a cell exist, as when somebody once typed there.
    book.active["A9"].number_format = "0.00"
    book.active["D2"].number_format = "0.00"
    book.save(path)

    assert read(tmp_path, "b", "a") == {"b": ["2", None, None], "a": ["1", None, "3"]}


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    drop(tmp_path, ["a", "b"])

    assert read(tmp_path, "b") == {"b": []}


def test_the_first_visible_sheet_is_read_or_the_named_one(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["a"])
    book.active.sheet_state = "hidden"
    for title, value in (("数据", 1), ("旧数据", 2)):
        book.create_sheet(title).append(["a"])
        book[title].append([value])
    book.active = 1
    book.save(tmp_path / "rows_1.xlsx")

    assert read(tmp_path, "a") == {"a": ["1"]}
    assert read(tmp_path, "a", sheet="旧数据") == {"a": ["2"]}
    with pytest.raises(SourceTableMissing, match="旧数据"):
        read(tmp_path, "a", sheet="没有")


@pytest.mark.parametrize(
    ("merge", "words"),
    [("A1:B1", "a merged header from cell A1"), ("A2:A3", "merged cells from cell A2")],
)
def test_merged_cells_are_refused(tmp_path: Path, merge: str, words: str) -> None:
    drop(tmp_path, ["a", "b"], [1, 2], [3, 4], merge=merge)

    with pytest.raises(SourceUnreadable, match=words):
        read(tmp_path, "a")


def test_a_value_outside_the_named_columns_is_named_by_cell_and_not_shown(tmp_path: Path) -> None:
    drop(tmp_path, ["a", "b"], [1, 2], [3, 4, None, "秘密"])

    with pytest.raises(SourceUnreadable, match="cell D3") as caught:
        read(tmp_path, "a")

    assert "秘密" not in repr(caught.value)


@pytest.mark.parametrize("header", [[], ["a", "a"], ["a", None, "b"], ["张三", 320200199001011]])
def test_a_first_row_that_is_no_header_is_refused(tmp_path: Path, header: list[Any]) -> None:
    drop(tmp_path, *[header] * bool(header))

    with pytest.raises(SourceUnreadable, match="first line") as caught:
        source_of(tmp_path).columns()

    assert "张三" not in repr(caught.value)


def test_a_wrong_extent_in_the_file_is_not_believed(tmp_path: Path) -> None:
    path = drop(tmp_path, ["a", "b"], [1, 2])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b'ref="A1:B2"', b'ref="A1"')
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)

    assert read(tmp_path, "a", "b") == {"a": ["1"], "b": ["2"]}


def test_a_cell_far_away_is_refused_before_room_is_made_for_it(tmp_path: Path) -> None:
    path = drop(tmp_path, ["name"], ["甲"])
    book = openpyxl.load_workbook(path)
    book.active["XFD1048576"] = "x"
    book.save(path)

    with pytest.raises(SourceUnreadable, match="reaches over 17,179,869,184 cells"):
        read(tmp_path, "name")


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 damaged", b"\xd0\xcf\x11\xe0"]
)
def test_a_file_that_is_no_workbook_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows_1.xlsx").write_bytes(content)

    with pytest.raises(SourceUnreadable, match="no readable"):
        read(tmp_path, "a")


def test_a_damaged_sheet_is_unreadable(tmp_path: Path) -> None:
    path = drop(tmp_path, ["a"], [1])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name][: len(parts[name]) // 2]
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)

    with pytest.raises(SourceUnreadable):
        read(tmp_path, "a")


def test_lock_files_of_office_programs_are_no_delivery(tmp_path: Path) -> None:
    (tmp_path / "~$rows_1.xlsx").write_bytes(b"")

    with pytest.raises(SourceFileMissing):
        read(tmp_path, "a")


@pytest.mark.parametrize("kind", ["=A2*2", "=SUM(A2:A3)"])
def test_a_formula_without_its_result_is_refused_and_not_read_as_nothing(
    tmp_path: Path, kind: str
) -> None:
    drop(tmp_path, ["a", "b"], [1, "x"], [2, kind])

    with pytest.raises(SourceUnreadable, match="formula in cell B3"):
        source_of(tmp_path).columns()


@pytest.mark.parametrize(
    ("kind", "result", "text"), [("n", "<v>4</v>", "4"), ("str", "<v></v>", None)]
)
def test_a_formula_gives_its_stored_result(
    tmp_path: Path, kind: str, result: str, text: str | None
) -> None:
    path = drop(tmp_path, ["a", "b"], ["=1+3", "x"])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    sheet = re.sub("</f><v ?(/>|></v>)", f"</f>{result}", parts[name].decode())
    parts[name] = sheet.replace('r="A2"', f'r="A2" t="{kind}"').encode()
    assert result in sheet
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)

    assert read(tmp_path, "a", "b") == {"a": [text], "b": ["x"]}


def test_days_are_counted_from_where_the_workbook_says(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["a"])
    book.active.append([dt.date(2020, 1, 2)])
    book.save(tmp_path / "rows_1.xlsx")

    assert read(tmp_path, "a") == {"a": ["2020-01-02"]}
