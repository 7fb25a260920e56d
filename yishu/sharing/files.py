"""Files of a delivery: CSV, XLSX, Parquet, each of which gives back exactly the rows it was given.

Two things would make a clerk's spreadsheet run or lose what a file holds, so text is escaped
without loss: in CSV a text that begins like a formula (and one that begins with the escape itself)
gets a leading apostrophe; in XLSX every text is a text cell. ``read_back`` undoes it; the receipt
compares the content digest of what it reads.
"""

import codecs
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import xlsxwriter
from python_calamine import CalamineWorkbook

from yishu.sharing.errors import DeliveryFailed
from yishu.sharing.vocabulary import ShareFormat

ESCAPE = "'"
_FORMULA = r"^([=+\-@\t\r\n'＝＋－＠])"
_ESCAPED = r"^'(?s:(.*))$"

XLSX_ROWS = 1_048_575
"""Rows of a worksheet below its heading."""

_XLSX_DIGITS = 15
"""Digits that a spreadsheet's number keeps; longer ones are written as text."""

_XLSX_TEXT = 32_767
_CHUNK = 1 << 20

SUFFIX: Mapping[ShareFormat, str] = {
    ShareFormat.CSV_UTF8: "csv",
    ShareFormat.CSV_GB18030: "csv",
    ShareFormat.XLSX: "xlsx",
    ShareFormat.PARQUET: "parquet",
}
_ENCODING = {ShareFormat.CSV_UTF8: "utf-8-sig", ShareFormat.CSV_GB18030: "gb18030"}


@dataclass(frozen=True)
class About:
    """What a file says of itself: the grant, and a Chinese name for each column."""

    grant_id: str
    names: Mapping[str, str]
    notes: Mapping[str, str]


def write(
    path: Path,
    format_: ShareFormat,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    about: About,
) -> None:
    """Write rows as one file in a format, readable by its owner alone.

    Raises:
        DeliveryFailed: a worksheet cannot hold that many rows or that long a text.
    """
    path.touch(mode=0o600)
    if format_ is ShareFormat.PARQUET:
        _write_parquet(path, schema, batches, about)
    elif format_ is ShareFormat.XLSX:
        _write_xlsx(path, schema, batches, about)
    else:
        _write_csv(path, _ENCODING[format_], schema, batches)


def read_back(path: Path, format_: ShareFormat, schema: pa.Schema) -> pa.Table:
    """The rows of a file, in the types they had before they were written."""
    if format_ is ShareFormat.PARQUET:
        return pq.read_table(path).cast(schema)
    if format_ is ShareFormat.XLSX:
        return _read_xlsx(path, schema)
    return _read_csv(path, _ENCODING[format_], schema)


def as_text(values: pa.Array) -> pa.Array:
    """Values as a person reads them; moments in Beijing time with their offset."""
    if pa.types.is_timestamp(values.type):
        local = values.cast(pa.timestamp("us", tz="Asia/Shanghai"))
        return pc.strftime(local, format="%Y-%m-%dT%H:%M:%S%z")
    return values.cast(pa.string())


def _write_parquet(
    path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], about: About
) -> None:
    told = {"yishu.grant_id": about.grant_id, **about.notes}
    with pq.ParquetWriter(path, schema.with_metadata(told), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(told))


def _write_csv(
    path: Path, encoding: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> None:
    text_schema = pa.schema([(name, pa.string()) for name in schema.names])
    encoder = codecs.getincrementalencoder(encoding)()
    with path.open("wb") as file:
        file.write(encoder.encode(",".join(f'"{name}"' for name in schema.names) + "\r\n"))
        for batch in batches:
            columns = [_escaped(values) for values in batch.columns]
            rows = pa.RecordBatch.from_arrays(columns, schema=text_schema)
            sink = io.BytesIO()
            pcsv.write_csv(rows, sink, pcsv.WriteOptions(include_header=False, eol="\r\n"))
            file.write(encoder.encode(sink.getvalue().decode("utf-8")))


def _escaped(values: pa.Array) -> pa.Array:
    if not pa.types.is_string(values.type):
        return as_text(values)
    return pc.replace_substring_regex(values, pattern=_FORMULA, replacement=r"'\1")


def _read_csv(path: Path, encoding: str, schema: pa.Schema) -> pa.Table:
    options = pcsv.ConvertOptions(
        column_types={name: pa.string() for name in schema.names},
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
    )
    source: Any = pa.input_stream(str(path))
    if encoding == "gb18030":
        source = pa.transcoding_input_stream(source, "gb18030", "utf-8")
    with source:
        parse = pcsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        table = pcsv.read_csv(source, parse_options=parse, convert_options=options)
    columns = [
        _typed(table.column(name), schema.field(name).type, escaped=True) for name in schema.names
    ]
    return pa.table(columns, schema=schema)


def _typed(values: pa.ChunkedArray, kind: pa.DataType, *, escaped: bool) -> pa.ChunkedArray:
    if pa.types.is_string(kind):
        return (
            pc.replace_substring_regex(values, pattern=_ESCAPED, replacement=r"\1")
            if escaped
            else values
        )
    return values.cast(kind)


def _write_xlsx(
    path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], about: About
) -> None:
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"comments": about.grant_id, "title": about.notes.get("name", "")})
        sheet = book.add_worksheet("数据")
        sheet.set_footer(f"&L授权编号 {about.grant_id}&R第 &P 页，共 &N 页")
        sheet.freeze_panes(1, 0)
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for column, name in enumerate(schema.names):
            sheet.write_string(0, column, about.names.get(name, name))
        number = 0
        for number, row in enumerate(_rows(batches), 1):
            if number > XLSX_ROWS:
                raise _too_much(path, f"more than {XLSX_ROWS:,} rows")
            for column, value in enumerate(row):
                _write_cell(sheet, number, column, value, day)
        # Rows without any value leave no trace in a worksheet, so their number is said beside it.
        _write_notes(book.add_worksheet("说明"), schema, about, number)


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        columns = [
            (as_text(values) if pa.types.is_timestamp(values.type) else values).to_pylist()
            for values in batch.columns
        ]
        yield from zip(*columns, strict=True)


def _write_cell(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | Decimal) and len(str(value).strip("-0.")) <= _XLSX_DIGITS:
        sheet.write_number(row, column, value)
    elif isinstance(value, date) and value.year >= _XLSX_YEAR:
        sheet.write_datetime(row, column, value, day)
    else:
        # An empty cell is no value, so an empty text is written as the escape alone.
        text = str(value)
        is_odd = isinstance(value, str) and (not text or text.startswith(ESCAPE))
        text = ESCAPE + text if is_odd else text
        if len(text) > _XLSX_TEXT:
            raise _too_much(sheet, f"a text of more than {_XLSX_TEXT:,} characters")
        sheet.write_string(row, column, text)


_XLSX_YEAR = 1901
"""Earlier days are no numbers in a spreadsheet."""


def _write_notes(sheet: Any, schema: pa.Schema, about: About, rows: int) -> None:
    facts = {"授权编号": about.grant_id, "行数": str(rows), **about.notes}
    for row, (name, value) in enumerate(facts.items()):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, value)
    for row, name in enumerate(schema.names, len(facts) + 1):
        sheet.write_string(row, 0, name)
        sheet.write_string(row, 1, about.names.get(name, name))


def _read_xlsx(path: Path, schema: pa.Schema) -> pa.Table:
    book = CalamineWorkbook.from_path(str(path))
    said = book.get_sheet_by_name("说明").to_python()
    notes = {str(row[0]): str(row[1]) for row in said if len(row) > 1}
    found = book.get_sheet_by_name("数据").to_python(skip_empty_area=False)[1:]
    found += [[]] * (int(notes["行数"]) - len(found))
    rows = [row + [""] * (len(schema) - len(row)) for row in found]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array([_cell(value, field.type) for value in values], type=field.type)
        for values, field in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)


def _cell(value: Any, kind: pa.DataType) -> Any:
    if value == "" or value is None:
        return None
    if pa.types.is_string(kind):
        text = str(value)
        return text[1:] if text.startswith(ESCAPE) else text
    if pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))
    return _CELLS[kind.id](value)


_CELLS: Mapping[int, Callable[[Any], Any]] = {
    pa.int64().id: int,
    pa.bool_().id: bool,
    pa.date32().id: lambda value: date.fromisoformat(str(value)[:10]),
    pa.timestamp("us").id: datetime.fromisoformat,
}


def _too_much(where: object, found: str) -> DeliveryFailed:
    name = where.name if isinstance(where, Path) else "worksheet"
    return DeliveryFailed(
        name, found=found, expected="what one worksheet holds", remedy="ask for CSV or Parquet"
    )


def fsync(path: Path) -> None:
    """Wait until a file is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
