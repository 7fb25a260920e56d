"""How far sheets reach, found before a reader makes room for it."""

import zipfile

import pytest

from yishu.interchange import reading
from yishu.interchange.errors import FileRefused
from yishu.sources import extent
from yishu.sources.errors import SourceUnreadable
from yishu.sources.extent import require_extent


def workbook(path, rows):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet>{rows}</worksheet>")
    return path


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        ('<row r="1"><c r="A1"/></row><row r="10"><c r="J10"/></row>', 100),
        ("<row r='2'><c s='1' r='AA2'/></row>", 54),
        ('<x:row r="5"><x:c r="B5"/></x:row>', 10),
        ('<row r="4"><c/><c><v>1</v></c></row>', 8),
        ("", 0),
    ],
)
def test_a_sheet_reaches_over_rows_times_columns(tmp_path, rows, cells):
    path = workbook(tmp_path / "x.xlsx", rows)
    require_extent("x", path, cells)
    with pytest.raises(SourceUnreadable, match="cells"):
        require_extent("x", path, cells - 1)


def test_elements_that_lie_across_blocks_are_read_whole(tmp_path, monkeypatch):
    rows = "".join(f'<row r="{n}"><c r="C{n}"/></row>' for n in range(1, 40))
    path = workbook(tmp_path / "x.xlsx", rows)
    for size in (1, 7, 64):
        monkeypatch.setattr(extent, "_BLOCK_BYTES", size)
        require_extent("x", path, 3 * 39)
        with pytest.raises(SourceUnreadable, match="117 cells"):
            require_extent("x", path, 3 * 39 - 1)


def test_a_far_cell_in_an_import_is_refused(tmp_path):
    path = workbook(tmp_path / "x.xlsx", '<row r="1048576"><c r="XFD1048576"/></row>')
    with pytest.raises(FileRefused, match="reaches over"):
        reading.read("x.xlsx", path.read_bytes())
