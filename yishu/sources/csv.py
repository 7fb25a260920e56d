"""CSV files in a drop folder, streamed in blocks as text and nothing but text.

What a field means is decided later; here an empty field is an empty string. A file is taken whole
or not at all: a byte that its encoding does not allow, a row with more or fewer fields, a quote
that never closes stop the pull and are named by line.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.csv as arrow_csv

from catalog.model import SourceSpec
from yishu.sources.drop import DropSource
from yishu.sources.encoding import encoding_of, first_bad_byte
from yishu.sources.errors import SourceMisdescribed, SourceUnreadable
from yishu.sources.files import DroppedFile, require_header, unreadable_file
from yishu.sources.protocol import Connection, SourceColumn, bounded, string_schema
from yishu.sources.text import QuoteWatch, Utf8Stream
from yishu.sources.transcode import settled

BLOCK_BYTES = 4 * 1024 * 1024
"""How much is parsed at a time; also the longest row that can be read."""


class CsvSource(DropSource):
    """The newest file of a name pattern in a drop folder."""

    endings = (".csv", ".tsv", ".txt")

    def __init__(self, spec: SourceSpec, connection: Connection) -> None:
        if len(spec.delimiter) != 1 or not spec.delimiter.isascii():
            raise SourceMisdescribed(
                connection.id,
                found="a delimiter that is not one ASCII character",
                expected="e.g. a comma, a tab or |",
                remedy="correct the catalog entry's source.delimiter",
            )
        super().__init__(spec, connection)

    def open_part(self, obj: str, file: DroppedFile) -> "CsvPart":
        """Open one file of the delivery."""
        return CsvPart(obj, file, self._spec)


class CsvPart:
    """One CSV file."""

    def __init__(self, obj: str, file: DroppedFile, spec: SourceSpec) -> None:
        self._obj = obj
        self._file = file
        self._spec = spec
        try:
            self._encoding = _encoding(obj, file.path, spec.encoding)
            self._names = require_header(obj, self._header(obj, file.path))
        except OSError as error:
            raise unreadable_file(obj, error) from None

    @property
    def columns(self) -> list[SourceColumn]:
        """The header's names, all of type ``string``."""
        return [SourceColumn(name, "string") for name in self._names]

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Text alone."""
        return string_schema(columns)

    def close(self) -> None:
        """Nothing stays open between reads."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The columns in the file's row order.

        Raises:
            SourceUnreadable: a byte, a row or a quote is wrong; the line is named.
            SourceChanged: the file was written to meanwhile.
        """
        obj, file = self._obj, self._file
        watch = QuoteWatch(self._spec.delimiter)
        try:
            with file.path.open("rb") as raw:
                for batch in self._batches(Utf8Stream(raw, self._encoding, watch), columns):
                    if watch.doubtful:
                        self._require_sound(obj, file.path)
                        watch.trust()
                    yield from bounded(batch)
            if watch.doubtful:
                self._require_sound(obj, file.path)
        except (pa.ArrowException, UnicodeError):
            file.require_unchanged(obj)
            self._require_sound(obj, file.path)
            raise _unsound(obj, f"a row longer than {BLOCK_BYTES} bytes") from None
        except OSError as error:
            raise unreadable_file(obj, error) from None

    def _batches(self, stream: Utf8Stream, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        try:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._spec.delimiter,
                    newlines_in_values=True,
                    # With one column an empty line is an empty value; with more it is no row.
                    ignore_empty_lines=len(self._names) > 1,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=list(columns),
                    # What was decoded here is good UTF-8 already.
                    check_utf8=self._encoding == "utf-8",
                    column_types=string_schema(columns),
                    strings_can_be_null=False,
                    null_values=[],
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error):
                return
            raise
        yield from reader

    def _header(self, obj: str, path: Path) -> list[str]:
        try:
            with _opened(path, self._encoding) as text:
                names = next(csv.reader(text, delimiter=self._spec.delimiter), [])
                return [settled(name, self._encoding) for name in names]
        except (UnicodeError, csv.Error):
            self._require_sound(obj, path)
            raise _unsound(obj, "a first line that cannot be read") from None

    def _require_sound(self, obj: str, path: Path) -> None:
        """Read the file slowly and exactly, to say on which line it is wrong.

        Raises:
            SourceUnreadable: it is wrong.
        """
        bad = first_bad_byte(path, self._encoding)
        if bad is not None:
            raise _unsound(
                obj,
                f"on line {bad.line}, at byte {bad.offset}, a byte that {self._encoding} does "
                "not allow",
            )
        csv.field_size_limit(max(csv.field_size_limit(), BLOCK_BYTES))
        with _opened(path, self._encoding) as text:
            reader = csv.reader(text, delimiter=self._spec.delimiter, strict=True)
            line = 1
            try:
                width = len(next(reader, []))
                for row in reader:
                    if row and len(row) != width:
                        raise _unsound(
                            obj, f"on line {line + 1}, {len(row)} fields instead of {width}"
                        )
                    line = reader.line_num
            except csv.Error:
                raise _unsound(
                    obj, f"in the row from line {line + 1}, a quote that does not close its field"
                ) from None


def _opened(path: Path, encoding: str) -> TextIO:
    text = path.open(encoding=encoding, newline="")
    if text.read(1) != "\ufeff":
        text.seek(0)
    return text


def _encoding(obj: str, path: Path, declared: str | None) -> str:
    try:
        return encoding_of(path, declared)
    except LookupError:
        raise SourceMisdescribed(
            obj,
            found="an encoding of unknown name",
            expected="e.g. utf-8 or gb18030",
            remedy="correct the catalog entry's source.encoding, or leave it out",
        ) from None


def _unsound(obj: str, found: str) -> SourceUnreadable:
    return SourceUnreadable(
        obj,
        found=found,
        expected="rows of as many fields as the header has, in one encoding",
        remedy="ask the department to repair the file and to deliver it again; no row was taken",
    )
