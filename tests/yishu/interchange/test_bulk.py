"""A file of entries is taken as a whole or not at all, with every fault in its cell."""

import csv
import io
import time
import zipfile

import openpyxl
import pytest
import yaml

from yishu.interchange.bulk import drafts
from yishu.interchange.columns import COLUMNS, HEADINGS
from yishu.interchange.errors import FileFaulty, FileRefused
from yishu.interchange.files import written
from yishu.interchange.reading import read
from yishu.interchange.workbook import SHEET, export, with_errors


def plain(content):
    """Content as JSON has it, without keys that say nothing."""
    if isinstance(content, dict):
        shown = {key: plain(value) for key, value in content.items()}
        return {key: value for key, value in shown.items() if value not in (None, [], {})}
    return [plain(one) for one in content] if isinstance(content, list) else content


def column_of(heading):
    return COLUMNS.index(HEADINGS[heading]) + 1


def edited(contents, change):
    """A workbook of all entries after a person changed it with a spreadsheet program."""
    book = openpyxl.load_workbook(io.BytesIO(export(contents.values())))
    change(book[SHEET])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def faults(data, faults_of, name="目录.xlsx"):
    with pytest.raises(FileFaulty) as refused:
        drafts(read(name, data), faults_of)
    return refused.value.faults


@pytest.mark.parametrize("ending", ["xlsx", "csv", "yaml"])
def test_what_is_written_out_comes_in_again_unchanged(contents, faults_of, ending):
    book = export(contents.values())
    if ending == "csv":
        rows = list(openpyxl.load_workbook(io.BytesIO(book))[SHEET].values)
        text = "\n".join(
            ",".join('"' + str(cell or "").replace('"', '""') + '"' for cell in row) for row in rows
        )
        book = text.encode("gb18030")
    if ending == "yaml":
        book = yaml.safe_dump_all(contents.values(), allow_unicode=True).encode()

    found = drafts(read(f"目录.{ending}", book), faults_of)

    assert {one.entry_id: plain(one.content) for one in found} == {
        entry: plain(content) for entry, content in contents.items()
    }


@pytest.mark.parametrize("text", ["=1+1", "+86", "-无", "@SUM(A1)", "＝1", "'=1", "''-x", "'好'"])
def test_no_text_becomes_a_formula_and_each_comes_back_as_it_was(city, faults_of, text):
    entry = city.entries["taxation.taxpayer"].model_copy(update={"summary": text})
    at = column_of("信息资源摘要") - 1

    raw = written([entry], city, "csv", "")
    (_, first, *_) = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    sheet = openpyxl.load_workbook(io.BytesIO(written([entry], city, "xlsx", "")))[SHEET]
    (back,) = drafts(read("目录.csv", raw), faults_of)

    assert first[at][0] not in "=+-@＝＋－＠"
    assert sheet.cell(2, at + 1).data_type == "s"
    assert back.content["summary"] == text


def test_the_columns_stand_in_the_order_of_the_national_guide():
    guide = [
        "信息资源分类", "信息资源名称", "信息资源代码", "信息资源提供方",
        "信息资源摘要", "信息资源格式分类", "信息项名称", "共享类型",
        "开放类型", "更新周期", "发布日期", "关联资源代码",
    ]  # fmt: skip

    places = [column_of(heading) for heading in guide]

    assert places == sorted(places)


def test_the_template_offers_every_choice_and_explains_every_column():
    sheet = openpyxl.load_workbook(io.BytesIO(export([])))[SHEET]

    assert [cell.value for cell in sheet[1]] == [column.heading for column in COLUMNS]
    assert all(cell.comment for cell in sheet[1])
    chosen = [
        one for one in COLUMNS if (one.choices and one.shape != "list") or one.shape == "flag"
    ]
    assert len(sheet.data_validations.dataValidation) == len(chosen)


def test_each_fault_is_told_in_its_cell_and_in_the_last_column(contents, faults_of):
    def spoil(sheet):
        sheet.cell(2, column_of("共享类型")).value = "随便共享"
        sheet.cell(3, column_of("数据长度")).value = -1
        sheet.cell(4, column_of("信息项名称")).value = None

    data = edited(contents, spoil)
    found = faults(data, faults_of)

    assert {(one.row, one.heading) for one in found} >= {
        (2, "共享类型"), (3, "数据长度"), (4, "信息项名称"),
    }  # fmt: skip
    table = read("目录.xlsx", data)
    sheet = openpyxl.load_workbook(io.BytesIO(with_errors(table.rows, found)))[SHEET]
    assert "随便共享" in sheet.cell(2, column_of("共享类型")).comment.text
    assert "数据长度" in sheet.cell(3, len(COLUMNS) + 1).value
    assert sheet.cell(5, len(COLUMNS) + 1).value is None


def test_two_hundred_faults_are_all_told(contents, faults_of):
    def spoil(sheet):
        rows = range(2, min(sheet.max_row, 201) + 1)
        for row in rows:
            sheet.cell(row, column_of("敏感程度")).value = "不知道"

    found = faults(edited(contents, spoil), faults_of)

    assert len({one.row for one in found if one.code == "EXC_CELL_UNREADABLE"}) == min(
        200, sum(len(content["items"]) for content in contents.values())
    )


def test_a_merged_cell_and_a_formula_are_faults_of_their_cells(contents, faults_of):
    def spoil(sheet):
        sheet.merge_cells(
            start_row=2, end_row=3, start_column=column_of("信息资源名称"),
            end_column=column_of("信息资源名称"),
        )  # fmt: skip
        sheet.cell(4, column_of("数据长度")).value = "=9*2"

    found = faults(edited(contents, spoil), faults_of)

    hidden = {(one.row, one.heading, one.found) for one in found if one.code == "EXC_CELL_HIDDEN"}
    assert hidden == {(2, "信息资源名称", "合并单元格"), (4, "数据长度", "公式")}


def test_an_entry_twice_names_the_first_row(contents, faults_of):
    content = contents["taxation.taxpayer"]
    other = contents["public_security.resident"]

    found = faults(export([content, other, content]), faults_of)

    assert [one.code for one in found] == ["EXC_ENTRY_TWICE"]
    assert "第 2 行" in found[0].found


def test_a_column_that_the_template_does_not_have_is_a_fault(contents, faults_of):
    def spoil(sheet):
        sheet.cell(1, len(COLUMNS) + 1).value = "备注"

    assert [one.code for one in faults(edited(contents, spoil), faults_of)] == [
        "EXC_COLUMN_UNKNOWN"
    ]


def test_columns_may_stand_in_another_order(contents, faults_of):
    def move(sheet):
        sheet.move_range("B1:B400", cols=len(COLUMNS))

    assert len(drafts(read("目录.xlsx", edited(contents, move)), faults_of)) == len(contents)


def test_an_empty_template_has_no_entries(faults_of):
    assert [one.code for one in faults(export([]), faults_of)] == ["EXC_FILE_EMPTY"]


def with_member(data, name, content):
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("宏.xlsx", lambda book: with_member(book, "xl/vbaProject.bin", b"x"), "macros"),
        ("弹.xlsx", lambda book: with_member(book, "xl/bomb.xml", b"0" * 300_000_000), "bytes"),
        ("断.xlsx", lambda book: book[: len(book) // 2], "opening"),
        ("空.csv", lambda _: b"", "empty"),
        ("别.docx", lambda book: book, ".docx"),
        ("乱.yaml", lambda _: b"a: [1", "line"),
        ("列.csv", lambda _: "名称\n甲".encode(), "条目标识"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_of_values_is_refused(contents, name, spoil, told):
    with pytest.raises(FileRefused) as refused:
        read(name, spoil(export(contents.values())))

    assert told in refused.value.found


def test_a_hundred_thousand_rows_are_read_in_time(contents, faults_of):
    one = contents["taxation.taxpayer"]
    head = ",".join(column.heading for column in COLUMNS)
    rows = "\n".join(f"taxation.t{number}" + "," * (len(COLUMNS) - 1) for number in range(100_000))

    began = time.monotonic()
    table = read("多.csv", f"{head}\n{rows}".encode())

    assert len(table.rows) == 100_000
    assert time.monotonic() - began < 30
    with pytest.raises(FileRefused) as refused:
        read("更多.csv", (f"{head}\n" + f"{one['id']}\n" * 250_001).encode())
    assert "250,002 rows" in refused.value.found
