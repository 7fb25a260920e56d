"""A small example city with all its faults, and the world in which its entries run."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.release import Release, compile_release, write_release
from example.city import Systems, build, connections
from example.manifest import Manifest
from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate
from yishu.pipeline import PipelineContext, run_publish, run_pull, run_validate
from yishu.settings import Settings
from yishu.sources.protocol import Connection

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
SIZE = 1_000


@dataclass(frozen=True)
class BuiltCity:
    """The department systems, what is known about them, and how to reach them."""

    manifest: Manifest
    urls: Mapping[str, str]
    release: Release
    postgres: EmbeddedPostgres
    folder: Path


@pytest.fixture(scope="session")
def city_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server for the city alone: its databases have fixed names that other tests build too."""
    server = EmbeddedPostgres(server_folder / "city", "of-the-tests")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def city(
    city_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BuiltCity]:
    """Every department system of the example city, its REST service running."""
    folder = tmp_path_factory.mktemp("city")
    where = Systems(city_server.url(), folder)
    manifest = build(where, SIZE, reader_password="reader-of-the-tests")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-m", "example.rest_server", "--folder", str(folder)]
    service = subprocess.Popen([*argv, "--port", str(port)], cwd=ROOT)
    _wait_for(port)
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    release = write_release(folder / "releases", compile_release(loaded, date(2026, 11, 1)))
    urls = connections(where, f"http://127.0.0.1:{port}", "reader-of-the-tests")
    yield BuiltCity(manifest, urls, release, city_server, folder)
    service.terminate()
    service.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the city's service did not start within 30 s")


MakeWorld = Callable[..., PipelineContext]


@pytest.fixture
def make_world(city: BuiltCity, fresh_database: str, tmp_path: Path) -> MakeWorld:
    """A pipeline context on an empty library and ledger; ``urls`` replaces connections."""
    migrate.upgrade(fresh_database)

    def make(urls: Mapping[str, str] | None = None, **kwargs: object) -> PipelineContext:
        return world_of(city, fresh_database, tmp_path, urls, **kwargs)

    return make


def world_of(
    city: BuiltCity,
    ledger_url: str,
    var_dir: Path,
    urls: Mapping[str, str] | None = None,
    *,
    release: Release | None = None,
) -> PipelineContext:
    """A pipeline context over the city."""
    in_force = release or city.release
    every = {**city.urls, **(urls or {})}
    known = {
        entry.source.connection: Connection(
            entry.source.connection, entry.source.kind, every[entry.source.connection]
        )
        for entry in in_force.entries.values()
    }
    settings = Settings(var_dir=var_dir, catalog_dir=ROOT / "catalog")
    return PipelineContext(settings, in_force, ledger_url, known, lambda: NOW)


def run_entry(entry_id: str, run_id: str, ctx: PipelineContext) -> dict[str, dict]:
    """All three stages of one entry."""
    stages = {"pull": run_pull, "validate": run_validate, "publish": run_publish}
    return {name: stage(entry_id, run_id, ctx) for name, stage in stages.items()}


@pytest.fixture(scope="session")
def published_city(
    city: BuiltCity, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PipelineContext, dict[str, dict]]]:
    """The city with every entry published once; what each stage returned, by entry."""
    var_dir = tmp_path_factory.mktemp("published")
    url = city.postgres.ensure_database("published_city")
    migrate.upgrade(url)
    ctx = world_of(city, url, var_dir)
    done = {entry_id: run_entry(entry_id, "first", ctx) for entry_id in city.release.entries}
    yield ctx, done
    shutil.rmtree(var_dir)
