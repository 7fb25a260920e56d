"""A new release is read before somebody waits for it, and once for all who ask."""

import gc
import threading
import time
from dataclasses import replace
from datetime import date

import pytest
from fastapi.testclient import TestClient

from catalog.release import compile_release, write_release
from yishu.portal import warming, world
from yishu.portal.app import create_app

ENTRY = "taxation.taxpayer"


@pytest.fixture
def grown(portal_world, loaded_catalog, tmp_path):
    """A world with releases of its own, and what publishes another name of an entry there."""
    settings = portal_world.settings.model_copy(update={"var_dir": tmp_path})

    def publish(name):
        entry = loaded_catalog.entries[ENTRY].model_copy(update={"name": name})
        entries = {**loaded_catalog.entries, ENTRY: entry}
        changed = loaded_catalog.model_copy(update={"entries": entries})
        return write_release(settings.releases_dir, compile_release(changed, date(2026, 11, 2)))

    return replace(portal_world, settings=settings), publish


def until(is_so):
    deadline = time.monotonic() + 20
    while not (so := is_so()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return so


def test_a_release_is_made_ready_without_anybody_asking(grown):
    here, publish = grown
    ended = threading.Event()
    keeper = threading.Thread(target=warming.keep_warm, args=(here, ended, 0.01))
    keeper.start()
    try:
        for name in ("甲", "乙"):
            release = publish(name)
            assert until(lambda id_=release.id: _id_read(here) == id_)
            assert here.names()[ENTRY] == name
            assert until(lambda: _is_left_in_peace(here.release()))
    finally:
        ended.set()
        keeper.join(10)
    assert not keeper.is_alive()
    assert not _is_left_in_peace(here.release())


def _is_left_in_peace(release):
    """Whether the search for cycles passes a release by."""
    return not any(one is release for one in gc.get_objects())


def _id_read(here):
    """Which release was read last, without reading one."""
    release = world._NEWEST.get(here.settings.releases_dir)
    return release and release.id


def test_what_did_not_change_is_not_read_again_and_what_did_is(grown):
    here, publish = grown
    publish("甲")
    here.warm()
    before = here.release()

    publish("乙")
    after = here.release()

    assert after.id != before.id
    assert after.entries[ENTRY].name == "乙"
    assert before.entries[ENTRY].name == "甲"
    others = before.entries.keys() - {ENTRY}
    assert all(after.entries[one] is before.entries[one] for one in others)


def test_pages_that_ask_at_once_wait_for_one_reading(grown, monkeypatch):
    here, publish = grown
    publish("丙")
    read = []
    load = world.load_release

    def slowly(*given):
        read.append(given)
        time.sleep(0.1)
        return load(*given)

    monkeypatch.setattr(world, "load_release", slowly)
    askers = [threading.Thread(target=here.release) for _ in range(5)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(10)
    assert len(read) == 1


def test_the_thread_ends_with_the_application(portal_world):
    def running():
        return [one for one in threading.enumerate() if one.name == "warming"]

    already = len(running())
    with TestClient(create_app(portal_world)):
        assert len(running()) == already + 1
    assert until(lambda: len(running()) == already)
