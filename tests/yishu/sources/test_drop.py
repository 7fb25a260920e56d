"""Deliveries: when one has arrived, which one is read, what its manifest says, what changed."""

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    DeliveryMismatch,
    SourceChanged,
    SourceFileMissing,
    SourceIncomplete,
    SourceUnreadable,
)
from yishu.sources.arrival import Seen, Watch
from yishu.sources.csv import CsvSource

DAY_NS = 86_400 * 10**9


def spec_of(**more: Any) -> SourceSpec:
    return SourceSpec(connection="drop", kind=SystemKind.CSV, **({"path": "rows_*"} | more))


def source_of(folder: Path, **more: Any) -> CsvSource:
    connection = Connection("drop", SystemKind.CSV, str(folder))
    return CsvSource(spec_of(**more), connection)


def read(folder: Path, settled: Seen | None = None, **more: Any) -> list[str]:
    with source_of(folder, **more) as source:
        if settled:
            source.expect(settled)
        found: list[str] = pa.Table.from_batches(list(source.read(["a"])))["a"].to_pylist()
    return found


def drop(folder: Path, content: str = "a\n1\n", name: str = "rows_1.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def seen(name: str, size: int = 1, changed_ns: int = 0) -> Seen:
    return Seen(name, size, changed_ns)


class TestWatch:
    """The rules, over looks at a folder; times are seconds of our own clock."""

    def test_without_a_rule_the_newest_file_counts_at_once(self) -> None:
        watch = Watch(spec_of())

        assert watch.look([seen("rows_1"), seen("rows_2"), seen("rows_3.part")], 0) == seen(
            "rows_2"
        )

    def test_a_file_is_stable_after_two_looks_that_are_far_enough_apart(self) -> None:
        watch = Watch(spec_of(arrival="stable_size", settle_seconds=30))
        looks = [
            ([seen("a", 1)], 0, None),
            ([seen("a", 2)], 29, None),
            ([seen("a", 2)], 58, None),
            ([seen("a", 2)], 59, seen("a", 2)),
            ([seen("a", 2, changed_ns=5)], 60, None),
            ([seen("a", 2, changed_ns=5), seen("b", 1)], 90, seen("a", 2, 5)),
            ([], 91, None),
            ([seen("b", 1)], 150, None),
        ]

        for listing, at, found in looks:
            assert (at, watch.look(listing, at)) == (at, found)

    @pytest.mark.parametrize("skew", [-DAY_NS, 0, DAY_NS])
    def test_the_departments_clock_does_not_matter_for_stability(self, skew: int) -> None:
        watch = Watch(spec_of(arrival="stable_size", settle_seconds=30))
        file = seen("a", 1, time.time_ns() + skew)

        assert watch.look([file], 100) is None
        assert watch.look([file], 130) == file

    @pytest.mark.parametrize("marker", ["a.csv.done", "a.done"])
    def test_a_marker_says_at_once_that_its_data_are_there(self, marker: str) -> None:
        watch = Watch(spec_of(arrival="done_marker"))
        data = seen("a.csv", 9, changed_ns=5)

        assert watch.look([data], 0) is None
        assert watch.look([data], 99) is None
        assert watch.look([data, seen("b.csv"), seen(marker, 0, changed_ns=5)], 100) == data

    def test_a_marker_that_is_older_than_its_data_came_too_early(self) -> None:
        watch = Watch(spec_of(arrival="done_marker", settle_seconds=30))
        marker = seen("a.csv.done", 0, changed_ns=4)

        assert watch.look([marker], 0) is None
        assert watch.look([marker, seen("a.csv", 1, changed_ns=5)], 10) is None
        assert watch.look([marker, seen("a.csv", 2, changed_ns=6)], 39) is None
        assert watch.look([marker, seen("a.csv", 2, changed_ns=6)], 69) == seen("a.csv", 2, 6)

    def test_only_a_later_or_replaced_delivery_is_new(self) -> None:
        taken = seen("rows_2", 5, 1)
        watch = Watch(spec_of(arrival="present"), taken)

        assert watch.look([seen("rows_1"), taken], 0) is None
        assert watch.look([seen("rows_1", 7, 9)], 1) is None
        assert watch.look([seen("rows_2", 5, 2)], 2) == seen("rows_2", 5, 2)
        assert watch.look([taken, seen("rows_3")], 3) == seen("rows_3")

    def test_a_look_survives_being_written_down(self) -> None:
        one = Seen("目录/rows_1.csv", 2**40, 1_700_000_000_123_456_789, 7)

        assert Seen.of(json.loads(json.dumps(one.record()))) == one
        assert Seen.of(None) is None


class TestArrival:
    def test_a_marker_without_its_data_is_told_and_tried_again(self, tmp_path: Path) -> None:
        drop(tmp_path, "", "rows_1.csv.done")

        with pytest.raises(SourceIncomplete, match="marker") as caught:
            read(tmp_path, arrival="done_marker")
        assert caught.value.retryable

    def test_data_without_a_marker_are_not_read(self, tmp_path: Path) -> None:
        drop(tmp_path)
        with pytest.raises(SourceIncomplete):
            read(tmp_path, arrival="done_marker")

        drop(tmp_path, "", "rows_1.done")
        assert read(tmp_path, arrival="done_marker") == ["1"]

    def test_a_file_that_still_grows_is_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = drop(tmp_path, "a\n1\n2")
        sleep = time.sleep

        def grow(seconds: float) -> None:
            sleep(seconds)
            with path.open("a") as file:
                file.write("2\n3\n")

        monkeypatch.setattr(time, "sleep", grow)
        with pytest.raises(SourceIncomplete) as caught:
            read(tmp_path, arrival="stable_size", settle_seconds=1)
        assert caught.value.retryable

        monkeypatch.setattr(time, "sleep", sleep)
        assert read(tmp_path, arrival="stable_size", settle_seconds=1) == ["1", "22", "3"]

    def test_what_a_wait_has_seen_settle_is_read_without_another_wait(self, tmp_path: Path) -> None:
        path = drop(tmp_path)
        stat = path.stat()
        settled = Seen(path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
        began = time.monotonic()

        assert read(tmp_path, settled, arrival="stable_size") == ["1"]
        assert time.monotonic() - began < 10

    def test_a_marker_or_manifest_is_never_taken_for_data(self, tmp_path: Path) -> None:
        drop(tmp_path)
        for name in ("rows_2.csv.done", "rows_2.manifest.json", "rows_1.csv.manifest.csv"):
            drop(tmp_path, "file,rows\nrows_1.csv,1\n", name)

        assert read(tmp_path) == ["1"]

    def test_a_link_out_of_the_folder_is_no_delivery(self, tmp_path: Path) -> None:
        outside = drop(tmp_path, "a\nsecret\n", "outside.csv")
        folder = tmp_path / "drop"
        folder.mkdir()
        (folder / "rows_9.csv").symlink_to(outside)
        with pytest.raises(SourceFileMissing):
            read(folder)

        drop(folder)
        (folder / "rows_2.csv").symlink_to("rows_1.csv")
        assert read(folder) == ["1"]

    @pytest.mark.parametrize(
        ("content", "words"), [("", "no first line"), ("a,b\n1,2\n3", "line 3, 1 fields")]
    )
    def test_an_empty_and_a_half_written_file_are_refused(
        self, tmp_path: Path, content: str, words: str
    ) -> None:
        drop(tmp_path, content)

        with pytest.raises(SourceUnreadable, match=words):
            read(tmp_path)


def manifest(path: Path, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path.name, "rows": 2, "sha256": digest} | more


class TestManifest:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("manifest.json", '[{"file": "rows_0.csv", "rows": 9}, {file}]'),
            ("manifest.json", '{"files": [{file}]}'),
            ("rows_1.csv.manifest.json", "{file}"),
            ("manifest.json", '{"name": "x", "rows": 1}\n{file}\n'),
            ("manifest.csv", "\ufeff文件名,行数,SHA256\nrows_1.csv, 2 ,{digest}\n"),
            ("rows_1.csv.manifest.csv", "sha256,file\n{digest},rows_1.csv\n"),
        ],
    )
    def test_a_delivery_that_is_what_its_manifest_says_is_read(
        self, tmp_path: Path, name: str, content: str
    ) -> None:
        path = drop(tmp_path, "a\n1\n2\n")
        given = manifest(path)
        text = content.replace("{file}", json.dumps(given))
        drop(tmp_path, text.replace("{digest}", given["sha256"].upper()), name)

        assert read(tmp_path, manifest_required=True) == ["1", "2"]

    @pytest.mark.parametrize(
        ("more", "words"),
        [({"rows": 3}, "2 rows; expected 3 rows"), ({"sha256": "0" * 64}, "SHA-256 [0-9a-f]{64};")],
    )
    def test_a_delivery_that_is_not_is_refused(
        self, tmp_path: Path, more: dict[str, Any], words: str
    ) -> None:
        path = drop(tmp_path, "a\n1\n2\n")
        drop(tmp_path, json.dumps(manifest(path, **more)), "manifest.json")

        with pytest.raises(DeliveryMismatch, match=words) as caught:
            read(tmp_path)
        assert not caught.value.retryable

    def test_a_manifest_of_the_files_own_must_name_it(self, tmp_path: Path) -> None:
        drop(tmp_path)
        drop(tmp_path, '{"file": "rows_2.csv", "rows": 1}', "rows_1.csv.manifest.json")

        with pytest.raises(DeliveryMismatch, match="does not name"):
            read(tmp_path)

    def test_a_missing_manifest_matters_where_one_is_required(self, tmp_path: Path) -> None:
        drop(tmp_path)
        drop(tmp_path, '{"file": "rows_0.csv", "rows": 1}', "manifest.json")

        assert read(tmp_path) == ["1"]
        with pytest.raises(SourceIncomplete, match="manifest"):
            read(tmp_path, manifest_required=True)

    @pytest.mark.parametrize(
        "content",
        [
            *("", "[", "[1]", "{}", '{"file": "x"}', '{"file": "x", "rows": "many"}'),
            *('{"file": "x", "sha256": "short"}', "a,b\n1,2\n", '{"files": 1}'),
        ],
    )
    def test_a_manifest_that_is_none_is_refused(self, tmp_path: Path, content: str) -> None:
        drop(tmp_path)
        drop(tmp_path, content, "rows_1.csv.manifest.json")

        with pytest.raises(SourceUnreadable, match="manifest"):
            read(tmp_path)


class TestReplaced:
    ROWS = "a\n" + "1\n" * 3_000_000

    def noticed(self, folder: Path, change: Any) -> SourceChanged:
        """What reading says when the file changes after the first rows."""
        path = drop(folder, self.ROWS)
        with source_of(folder) as source:
            batches = source.read(["a"])
            next(batches)
            change(path)
            with pytest.raises(SourceChanged) as caught:
                list(batches)
        return caught.value

    def test_a_file_put_in_its_place_is_noticed(self, tmp_path: Path) -> None:
        def put_another(path: Path) -> None:
            drop(tmp_path, self.ROWS.replace("1", "2"), "new").replace(path)

        assert self.noticed(tmp_path, put_another).retryable

    def test_a_removed_file_is_noticed(self, tmp_path: Path) -> None:
        assert self.noticed(tmp_path, lambda path: path.unlink()).retryable

    def test_same_size_same_file_and_a_clock_put_back_are_noticed(self, tmp_path: Path) -> None:
        def rewrite(path: Path) -> None:
            before = path.stat()
            with path.open("r+") as file:
                file.write(self.ROWS.replace("1", "2"))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

        assert self.noticed(tmp_path, rewrite).retryable

    def test_a_delivery_is_known_by_its_digest(self, tmp_path: Path) -> None:
        path = drop(tmp_path)
        with source_of(tmp_path) as source:
            first = source.delivered()
        drop(tmp_path, "a\n2\n", "new").replace(path)
        with source_of(tmp_path) as source:
            second = source.delivered()

        assert first.sha256 == hashlib.sha256(b"a\n1\n").hexdigest()
        assert second.sha256 == hashlib.sha256(b"a\n2\n").hexdigest()
        assert first.seen != second.seen
