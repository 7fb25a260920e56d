"""Parquet files in a drop folder: typed columns, streamed row group by row group."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from yishu.sources.drop import DropSource
from yishu.sources.errors import SourceUnreadable
from yishu.sources.files import DroppedFile, require_header, unreadable_file
from yishu.sources.protocol import MAX_BATCH_ROWS, SourceColumn


class ParquetPart:
    """One Parquet file."""

    def __init__(self, obj: str, file: DroppedFile) -> None:
        self._obj = obj
        try:
            # Nothing in the file may decide how much memory its text takes.
            self._file = pq.ParquetFile(file.path, thrift_string_size_limit=64 * 1024**2)
            self._schema = pa.schema([_plain(field) for field in self._file.schema_arrow])
        except pa.ArrowException:
            raise _broken(obj) from None
        except OSError as error:
            raise _meant(obj, error) from None
        require_header(obj, self._schema.names)

    @property
    def columns(self) -> list[SourceColumn]:
        """Names and types as Arrow calls them."""
        return [SourceColumn(field.name, str(field.type)) for field in self._schema]

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """The schema of batches of these columns."""
        return pa.schema([self._schema.field(name) for name in columns])

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The columns, in the file's row order.

        Raises:
            SourceUnreadable: the file is damaged.
        """
        schema = self.schema(columns)
        try:
            # Arrow takes "a" to mean "a.b" as well, so what comes is selected once more.
            for batch in self._file.iter_batches(MAX_BATCH_ROWS, columns=list(columns)):
                yield batch.select(list(columns)).cast(schema)
        except pa.ArrowException:
            raise _broken(self._obj) from None
        except OSError as error:
            raise _meant(self._obj, error) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ParquetSource(DropSource):
    """The newest Parquet file of a name pattern in a drop folder."""

    endings = (".parquet", ".parq", ".pq")

    def open_part(self, obj: str, file: DroppedFile) -> ParquetPart:
        """Open one file of the delivery."""
        return ParquetPart(obj, file)


def _plain(field: pa.Field) -> pa.Field:
    """A column without dictionary and without the metadata of who wrote it."""
    plain = field.remove_metadata()
    if pa.types.is_dictionary(plain.type):
        return plain.with_type(plain.type.value_type)
    return plain


def _meant(obj: str, error: OSError) -> Exception:
    # Arrow raises the same class for a damaged file, then without the system's error number.
    return _broken(obj) if error.errno is None else unreadable_file(obj, error)


def _broken(obj: str) -> SourceUnreadable:
    return SourceUnreadable(
        obj,
        found="a file that is no readable Parquet file: damaged, half-written or of another kind",
        expected="a Parquet file that is not encrypted",
        remedy="ask the department to write it anew and to deliver it again; no row was taken",
    )
