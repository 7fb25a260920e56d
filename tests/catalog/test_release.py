"""Releases: immutable, verified on every read, swapped as a whole, parsed on demand."""

import json
import os
import pickle
from datetime import date

import pytest

from catalog.errors import NotCataloged, ReleaseDamaged
from catalog.faults import CatalogFaults
from catalog.release import (
    NoRelease,
    compile_release,
    current_release,
    load_release,
    write_release,
)

DAY = date(2026, 1, 31)
NEXT_DAY = date(2026, 2, 1)
ENTERPRISE = "market_regulation.enterprise"


@pytest.fixture
def content(small_catalog):
    return compile_release(small_catalog, DAY)


@pytest.fixture
def released(tmp_path, content):
    """A directory with one release in force."""
    write_release(tmp_path, content)
    return tmp_path


def release_file(directory):
    return next(directory.glob("*.json"))


def overwrite(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_release_gives_back_what_the_catalog_said(released, small_catalog):
    release = current_release(released)
    for kind in ("entries", "elements", "departments", "code_lists", "subjects", "profiles"):
        assert dict(getattr(release, kind)) == getattr(small_catalog, kind)
    assert release.released_on == DAY
    assert release.id.startswith("2026-01-31-")


def test_the_same_catalog_gives_the_same_release(small_catalog, tmp_path):
    first = write_release(tmp_path / "a", compile_release(small_catalog, DAY))
    second = write_release(tmp_path / "b", compile_release(small_catalog, DAY))
    assert first.id == second.id
    assert release_file(tmp_path / "a").read_bytes() == release_file(tmp_path / "b").read_bytes()


def test_content_is_canonical_json_whose_digest_stands_inside(released):
    document = json.loads(release_file(released).read_text("utf-8"))
    assert set(document) == {"digest", "content"}
    assert document["content"]["entries"][ENTERPRISE]["published_on"] == "2026-01-05"


@pytest.mark.requirement("CAT-01")
def test_data_outside_the_catalog_are_refused_by_name(released):
    with pytest.raises(NotCataloged) as refusal:
        current_release(released).entry("health.ghost")
    assert refusal.value.code == "CAT_NOT_CATALOGED"
    assert refusal.value.obj == "health.ghost"
    assert "yishu catalog release" in refusal.value.remedy


@pytest.mark.requirement("CAT-01")
def test_a_released_entry_is_found(released):
    assert current_release(released).entry(ENTERPRISE).id == ENTERPRISE


@pytest.mark.requirement("SEC-01")
def test_a_secret_entry_never_gets_into_a_release(catalog_of, data, enterprise):
    enterprise["secrecy"] = "state_secret"
    with pytest.raises(CatalogFaults) as refusal:
        compile_release(catalog_of(data), DAY)
    assert [fault.code for fault in refusal.value.faults] == ["CAT_SECRET"]


def test_faults_survive_pickling(catalog_of, data, enterprise):
    enterprise["secrecy"] = "state_secret"
    with pytest.raises(CatalogFaults) as refusal:
        compile_release(catalog_of(data), DAY)
    again = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301
    assert again.faults == refusal.value.faults


def test_entries_are_parsed_only_when_asked_for(tmp_path, content):
    """A value that this version cannot read harms its own entry alone, and by name."""
    content["entries"][ENTERPRISE]["update_cycle"] = "hourly"
    release = write_release(tmp_path, content)
    assert release.entry("civil_affairs.organisation").version == 1
    with pytest.raises(ReleaseDamaged, match=ENTERPRISE):
        release.entry(ENTERPRISE)


DAMAGE = {
    "a changed letter": lambda data: data.replace("登记系统".encode(), "登录系统".encode()),
    "cut off": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "another file": lambda _: b"{}",
    "more behind it": lambda data: data + b"{}",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_refused(released, damage):
    path = release_file(released)
    overwrite(path, damage(path.read_bytes()))
    with pytest.raises(ReleaseDamaged) as refusal:
        current_release(released)
    assert "yishu catalog release" in refusal.value.remedy


def test_a_changed_value_is_told_from_the_digest(released):
    path = release_file(released)
    overwrite(path, DAMAGE["a changed letter"](path.read_bytes()))
    with pytest.raises(ReleaseDamaged, match="found content with SHA-256"):
        load_release(path)


def test_a_file_under_another_name_is_refused(released):
    path = release_file(released)
    other = path.rename(path.with_name("2026-01-31-000000000000.json"))
    with pytest.raises(ReleaseDamaged):
        load_release(other)


def test_a_format_of_another_version_is_refused(tmp_path, content):
    content["format"] = 2
    with pytest.raises(ReleaseDamaged, match="format 2"):
        write_release(tmp_path, content)


def test_releasing_again_mends_a_damaged_file(released, content):
    path = release_file(released)
    overwrite(path, b"garbage")
    write_release(released, content)
    assert current_release(released).entry(ENTERPRISE)


def test_a_new_release_takes_over_and_the_old_one_stays(released, small_catalog):
    first = current_release(released)
    write_release(released, compile_release(small_catalog, NEXT_DAY))
    assert current_release(released).released_on == NEXT_DAY
    assert load_release(released / f"{first.id}.json").released_on == DAY


def test_a_failed_release_leaves_the_last_good_one_in_force(released, small_catalog, monkeypatch):
    """The disk fills up while the new file is written."""

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_release(released, compile_release(small_catalog, NEXT_DAY))

    assert current_release(released).released_on == DAY
    assert sorted(path.suffix for path in released.iterdir()) == ["", ".json"]


def test_a_release_file_is_read_only(released):
    assert release_file(released).stat().st_mode & 0o222 == 0


def test_without_a_release_the_remedy_is_named(tmp_path):
    with pytest.raises(NoRelease, match="yishu catalog release"):
        current_release(tmp_path)


@pytest.mark.parametrize("pointer", ["", "../../secrets", "2026-01-31-0123456789ab/../x"])
def test_a_pointer_out_of_the_directory_is_refused(released, pointer):
    (released / "current").write_text(pointer, encoding="ascii")
    with pytest.raises(ReleaseDamaged):
        current_release(released)


def test_a_pointer_to_a_file_that_is_gone_is_refused(released):
    release_file(released).unlink()
    with pytest.raises(ReleaseDamaged, match="cannot be read"):
        current_release(released)
