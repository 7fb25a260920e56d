"""Rows on their way into a table, and their columns."""

from collections.abc import Iterator

import pyarrow as pa


class Guard:
    """Rows on their way through foreign code, which would hide the error that they raise."""

    def __init__(self, rows: Iterator[pa.RecordBatch]) -> None:
        self._rows = rows
        self.error: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._rows
        except GeneratorExit:
            # The reader broke off; the rows are not to blame.
            raise
        except BaseException as error:
            self.error = error
            raise


def same_columns(first: pa.Schema, second: pa.Schema) -> bool:
    """Whether two tables have columns of the same names and types in the same order."""
    return list(zip(first.names, first.types, strict=True)) == list(
        zip(second.names, second.types, strict=True)
    )


def described(schema: pa.Schema) -> str:
    """Columns and types, for an error."""
    return ", ".join(f"{one.name} {one.type}" for one in schema)
