"""Tables of pages as files for Excel."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from yishu.pipeline.sheets import write_xlsx


def workbook(name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Response:
    """A download of one sheet; ``name`` is the sheet's and, with ``.xlsx``, the file's."""
    folder = TemporaryDirectory()
    path = Path(folder.name) / "table.xlsx"
    write_xlsx(path, headings, ([_cell(value) for value in row] for row in rows), name=name)
    told = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.xlsx"}
    return FileResponse(path, headers=told, background=BackgroundTask(folder.cleanup))


def _cell(value: Any) -> str | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return "" if value is None else str(value)
