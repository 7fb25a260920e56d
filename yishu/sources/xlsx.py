"""Spreadsheets in a drop folder: typed cells as exact text in ISO form.

openpyxl reads the cells, because it keeps integers of more than 15 digits exact; calamine says
which cells are merged, which openpyxl does not know while it streams. A merged cell hides whose
value it is, so a sheet with one is not read.

Text: dates ``YYYY-MM-DD``, moments ``YYYY-MM-DD HH:MM:SS``, integers without a decimal point,
booleans ``true`` and ``false``. An empty cell is null. A formula gives its stored result; a
workbook that stores none is not read.
"""

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import python_calamine
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from yishu.sources.archive import check_declared
from yishu.sources.drop import DropSource
from yishu.sources.errors import SourceError, SourceTableMissing, SourceUnreadable
from yishu.sources.extent import require_extent
from yishu.sources.files import DroppedFile, require_header, unreadable_file
from yishu.sources.formulas import require_results
from yishu.sources.protocol import MAX_BATCH_ROWS, SourceColumn, string_schema

BROKEN = (
    zipfile.BadZipFile,
    InvalidFileException,
    python_calamine.CalamineError,
    KeyError,
    ValueError,
    SyntaxError,
)
"""What the two readers raise on a file that is no workbook, or a damaged one."""

Row = tuple[Any, ...]

_MOST_CELLS = 64 * 1_048_576
"""Every row that a sheet can have, 64 columns wide: the reader of merged cells holds each cell."""


class XlsxSource(DropSource):
    """One sheet of the newest workbook of a name pattern in a drop folder.

    Without ``source.sheet`` it is the first sheet that is not hidden.
    """

    endings = (".xlsx", ".xlsm")

    def open_part(self, obj: str, file: DroppedFile) -> "XlsxPart":
        """Open one workbook of the delivery."""
        return XlsxPart(obj, file, self._spec.sheet)


class XlsxPart:
    """One sheet of one workbook."""

    def __init__(self, obj: str, file: DroppedFile, sheet: str | None) -> None:
        try:
            # A workbook is a zip file inside, and its readers unpack whatever it declares.
            check_declared(obj, file.path)
            require_extent(obj, file.path, _MOST_CELLS)
            self._sheet = _sheet(obj, file.path, sheet)
            self._workbook: Any = _loaded(file.path)
            header = next(iter(_taken(self._rows(), 1)), ())
            require_results(f"{obj}, sheet {self._sheet}", file.path, self._sheet)
        except BROKEN:
            raise _broken(obj) from None
        except OSError as error:
            raise unreadable_file(obj, error) from None
        self._obj = f"{obj}, sheet {self._sheet}"
        names = [_text(cell) or "" for cell in _trimmed(header)]
        self._names = require_header(self._obj, names)

    @property
    def columns(self) -> list[SourceColumn]:
        """The first row's names, all of type ``string``."""
        return [SourceColumn(name, "string") for name in self._names]

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Text alone."""
        return string_schema(columns)

    def close(self) -> None:
        """Close the workbook."""
        self._workbook.close()

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The columns in the sheet's row order; blank rows at the end are no rows.

        Raises:
            SourceUnreadable: a row has a value outside the named columns, or is damaged.
        """
        schema = string_schema(columns)
        places = [self._names.index(name) for name in columns]
        rows = self._body(self._obj)
        try:
            while some := _taken(rows, MAX_BATCH_ROWS):
                values = [[_text(row[place]) for row in some] for place in places]
                arrays = [pa.array(column, pa.string()) for column in values]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except BROKEN:
            raise _broken(self._obj) from None
        except OSError as error:
            raise unreadable_file(self._obj, error) from None

    def _body(self, obj: str) -> Iterator[Row]:
        """Rows below the header, as wide as the header, without blank ones at the end."""
        width = len(self._names)
        blank = 0
        for number, cells in enumerate(islice(self._rows(), 1, None), start=2):
            row = _trimmed(cells)
            if len(row) > width:
                raise SourceUnreadable(
                    obj,
                    found=f"a value in cell {get_column_letter(len(row))}{number}, outside the "
                    "named columns",
                    expected="values below a column name only",
                    remedy="ask the department to remove it or to name its column",
                )
            if not row:
                blank += 1
                continue
            for _ in range(blank):
                yield (None,) * width
            blank = 0
            yield row + (None,) * (width - len(row))

    def _rows(self) -> Iterator[Row]:
        sheet = self._workbook[self._sheet]
        # Some programs write a wrong extent, and openpyxl would believe it.
        sheet.reset_dimensions()
        yield from sheet.iter_rows(values_only=True)


def _loaded(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return openpyxl.load_workbook(path, read_only=True, data_only=True)


def _sheet(obj: str, path: Path, wanted: str | None) -> str:
    """The name of the sheet to read, once it is known to have no merged cells.

    Raises:
        SourceTableMissing: there is no such sheet.
        SourceUnreadable: it has merged cells.
    """
    with python_calamine.CalamineWorkbook.from_path(path) as workbook:
        visible = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        name = wanted if wanted is not None else next(iter(visible), None)
        if name is None or name not in workbook.sheet_names:
            raise SourceTableMissing(
                obj,
                found=f"sheets {', '.join(workbook.sheet_names)}",
                expected=f"sheet {wanted}" if wanted else "a sheet that is not hidden",
                remedy="ask the department whether it was renamed, then update source.sheet",
            )
        merged = workbook.get_sheet_by_name(name).merged_cell_ranges or []
    for (row, column), _ in merged:
        raise SourceUnreadable(
            f"{obj}, sheet {name}",
            found=f"{'a merged header' if row == 0 else 'merged cells'} from cell "
            f"{get_column_letter(column + 1)}{row + 1}, {len(merged)} merges in all",
            expected="one name for each column in row 1, and one value in each cell",
            remedy="ask the department to deliver the sheet without merged cells and titles",
        )
    return name


def _taken(rows: Iterator[Row], most: int) -> list[Row]:
    """The next rows; openpyxl's warnings are kept back, since they quote values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return list(islice(rows, most))


def _trimmed(cells: Row) -> Row:
    """A row without the empty cells at its end."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return cells[:end]


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # The shortest digits that mean this number: 1234.56, though the file may say more.
            text = format(Decimal(repr(value)), "f")
            return text.removesuffix(".0")
        case dt.datetime():
            midnight = value.time() == dt.time()
            return value.date().isoformat() if midnight else value.isoformat(" ")
        case _:
            return str(value)


def _broken(obj: str) -> SourceError:
    return SourceUnreadable(
        obj,
        found="a file that is no readable .xlsx workbook: damaged, encrypted or of another kind",
        expected="an .xlsx workbook without a password",
        remedy="ask the department to save it as .xlsx and to deliver it again",
    )
