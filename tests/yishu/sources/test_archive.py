"""Zip files: read whole when they are what they should be, refused before they do harm."""

import io
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    ArchiveUnsafe,
    Connection,
    DeliveryMismatch,
    SourceUnreadable,
    SpoolFull,
    archive,
    open_source,
)

Content = str | bytes


def pack(folder: Path, members: Mapping[str, Content], name: str = "rows_1.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, content in members.items():
            packed.writestr(member, content)
    return path


def read(
    folder: Path,
    column: str = "a",
    kind: SystemKind = SystemKind.CSV,
    spool: Path | None = None,
    **more: Any,
) -> list[Any]:
    spec = SourceSpec(connection="drop", kind=kind, path="rows_*.zip", **more)
    with open_source(spec, Connection("drop", kind, str(folder))) as source:
        if spool:
            source.resume_in(spool)
        found: list[Any] = pa.Table.from_batches(list(source.read([column])))[column].to_pylist()
    return found


def test_all_data_files_are_one_table_in_the_order_of_their_names(tmp_path: Path) -> None:
    pack(
        tmp_path,
        {
            "b.csv": "b,a\nx,3\n",
            "a.CSV": "a,b\n1,x\n2,x\n",
            "说明.txt.md": "not data",
            "__MACOSX/._a.csv": b"\0\1",
            ".hidden.csv": "c\n",
            "deep/er/c.csv": "a,b\n",
        },
    )

    assert read(tmp_path) == ["1", "2", "3"]


def test_names_in_gbk_are_shown_in_errors_as_they_were_meant(tmp_path: Path) -> None:
    name = "许可".encode("gb18030").decode("cp437")
    path = pack(tmp_path, {"xx.csv": "a\n1\n", "yyyy.csv": "a,a\n"})
    path.write_bytes(path.read_bytes().replace(b"yyyy.csv", name.encode("cp437") + b".csv"))

    with pytest.raises(SourceUnreadable, match=r"许可\.csv.*first line"):
        read(tmp_path)


def test_workbooks_and_parquet_files_may_be_zipped(tmp_path: Path) -> None:
    book, table = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["a"])
    book.active.append([7])
    book.save(tmp_path / "b.xlsx")
    pq.write_table(pa.table({"a": [7]}), table)
    pack(tmp_path, {"b.xlsx": (tmp_path / "b.xlsx").read_bytes(), "p.parquet": table.getvalue()})

    assert read(tmp_path, kind=SystemKind.XLSX) == ["7"]
    assert read(tmp_path, kind=SystemKind.PARQUET) == [7]


@pytest.mark.parametrize(
    "name",
    [
        "../rows.csv",
        "a/../../rows.csv",
        "/etc/rows.csv",
        "C:\\rows.csv",
        "..\\rows.csv",
        "\\\\host\\share\\rows.csv",
    ],
)
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    pack(tmp_path, {"a.csv": "a\n1\n", name: "a\n2\n"})
    spool = tmp_path / "in" / "spool"

    with pytest.raises(ArchiveUnsafe, match="leads out"):
        read(tmp_path, spool=spool)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "rows_1.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR])
def test_a_link_or_device_is_refused(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "rows_1.zip", "w") as packed:
        packed.writestr(info, "/etc/passwd")

    with pytest.raises(ArchiveUnsafe, match="link or device"):
        read(tmp_path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    pack(tmp_path, {"a.csv": b"a\n" + b"1\n" * 30_000_000})

    with pytest.raises(ArchiveUnsafe, match="more than"):
        read(tmp_path)


def test_a_bomb_that_declares_little_is_stopped_while_it_is_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a.csv": b"a\n" + b"1\n" * 30_000_000})
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", content, content.rindex(mark) + place, 9)
    path.write_bytes(content)
    spool = tmp_path / "spool"

    with pytest.raises(SourceUnreadable):
        read(tmp_path, spool=spool)
    assert list(spool.iterdir()) == []


def test_each_bound_holds_by_itself(tmp_path: Path) -> None:
    path = pack(tmp_path, {f"{number}.csv": "a\n1\n" for number in range(5)})
    for bounds, words in (
        (archive.Bounds(entries=4), "5 members"),
        (archive.Bounds(total=19), "more than 19 bytes"),
        (archive.Bounds(ratio=0, harmless=0), "more than 0 bytes"),
    ):
        with pytest.raises(ArchiveUnsafe, match=words):
            archive.unpack("x", path, tmp_path, [".csv"], bounds)

    enough = archive.Bounds(entries=5, total=20, ratio=1, harmless=0)
    (tmp_path / "in").mkdir()
    found = archive.unpack("x", path, tmp_path / "in", [".csv"], enough)
    assert len(found.members) == 5


def test_a_workbook_is_held_to_the_same_bounds(tmp_path: Path) -> None:
    path = tmp_path / "rows_1.xlsx"
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/bomb", b"\0" * 50_000_000)
    spec = SourceSpec(connection="drop", kind=SystemKind.XLSX, path="*.xlsx")
    connection = Connection("drop", spec.kind, str(tmp_path))

    with open_source(spec, connection) as source, pytest.raises(ArchiveUnsafe):
        source.columns()


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_half_written_zip_file_is_unreadable(tmp_path: Path, cut: int) -> None:
    path = pack(tmp_path, {"a.csv": "a\n" + "".join(f"{n}\n" for n in range(1_000))})
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(SourceUnreadable, match="damaged"):
        read(tmp_path)


def test_a_damaged_member_is_unreadable(tmp_path: Path) -> None:
    path = pack(tmp_path, {"a.csv": "a\n" + "".join(f"{n}\n" for n in range(1_000))})
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(SourceUnreadable):
        read(tmp_path)


def test_an_encrypted_zip_file_and_one_without_data_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path, {"readme.md": "x"})
    with pytest.raises(SourceUnreadable, match="without a data file"):
        read(tmp_path)

    path = pack(tmp_path, {"a.csv": "a\n1\n"})
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + place] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceUnreadable, match="encrypted"):
        read(tmp_path)


def test_files_of_different_tables_are_refused(tmp_path: Path) -> None:
    pack(tmp_path, {"a.csv": "a,b\n1,2\n", "b.csv": "a,c\n1,2\n"})

    with pytest.raises(SourceUnreadable, match="other columns"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ("file,rows\na.csv,2\nb.csv,1\n", None),
        ("file,rows\na.csv,2\nb.csv,2\n", "1 rows"),
        ("file,rows\na.csv,2\n", "does not name"),
        ("file,rows\na.csv,2\nb.csv,1\nc.csv,1\n", "1 files fewer"),
        ("[1, 2", "cannot be read"),
    ],
)
def test_a_manifest_inside_is_held_against_every_file(
    tmp_path: Path, manifest: str, words: str | None
) -> None:
    pack(tmp_path, {"a.csv": "a\n1\n2\n", "b.csv": "a\n3\n", "manifest.csv": manifest})

    if words is None:
        assert read(tmp_path, manifest_required=True) == ["1", "2", "3"]
        return
    with pytest.raises(SourceUnreadable, match=words) as caught:
        read(tmp_path)
    assert isinstance(caught.value, DeliveryMismatch) is (words != "cannot be read")


def test_what_was_unpacked_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    pack(tmp_path, {"a.csv": "a\n1\n"})
    spool = tmp_path / "spool"
    spec = SourceSpec(connection="drop", kind=SystemKind.CSV, path="rows_*.zip")
    connection = Connection("drop", spec.kind, str(tmp_path))

    with open_source(spec, connection) as source:
        source.resume_in(spool)
        source.columns()
        modes = {path.name: path.stat().st_mode & 0o777 for path in spool.rglob("*")}

    assert modes == {"unpacked": 0o700, "0000.csv": 0o600}
    assert list(spool.iterdir()) == []


def test_no_room_to_unpack_is_said_of_our_own_disk(tmp_path: Path, small_disk: Path) -> None:
    pack(tmp_path, {"a.csv": "a\n" + "".join(f"{n}\n" for n in range(300_000))})

    with pytest.raises(SpoolFull) as caught:
        read(tmp_path, spool=small_disk / "spool")
    assert caught.value.retryable
    assert list((small_disk / "spool").iterdir()) == []
