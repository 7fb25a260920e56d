"""Starting Airflow either works or says what to do, and nothing is left running."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yishu.orchestration import demo, services
from yishu.orchestration.errors import ComponentFailed, DiskFull, NotADemo, PortTaken
from yishu.secrets import write_connections
from yishu.settings import Settings

NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/none?connect_timeout=2"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var_dir=tmp_path / "var")


def test_a_port_that_is_taken_is_named(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=str(port)):
            services.start(settings, NO_DATABASE, port=port)


def test_a_command_that_fails_shows_the_end_of_its_log(settings: Settings) -> None:
    with pytest.raises(ComponentFailed) as error:
        services.start(settings, NO_DATABASE)

    assert "db-migrate" in error.value.obj
    assert "connection" in error.value.found
    assert [one.pid for one in services.status(settings)] == [None, None, None]


def test_what_does_not_run_is_said_not_to_run(settings: Settings) -> None:
    assert services.stop(settings) == []
    with pytest.raises(ComponentFailed, match="scheduler"):
        services.require_alive(settings)


def test_a_release_is_announced_to_no_one_when_there_is_no_airflow(settings: Settings) -> None:
    assert services.announce_release(settings) is False


def test_a_folder_that_no_demo_made_is_neither_used_nor_removed(settings: Settings) -> None:
    kept = settings.var_dir / "library" / "table"
    kept.parent.mkdir(parents=True)
    kept.write_text("precious")

    with pytest.raises(NotADemo):
        demo.run(settings, lambda _: None, lambda _: None)
    with pytest.raises(NotADemo):
        demo.clean(settings)

    assert kept.read_text() == "precious"


@pytest.mark.parametrize("made", ["library", "landing", "postgres", "secrets/connections.json"])
def test_the_data_of_an_installation_keep_the_demo_out(settings: Settings, made: str) -> None:
    (settings.var_dir / made).mkdir(parents=True)

    with pytest.raises(NotADemo, match=Path(made).name):
        demo.run(settings, lambda _: None, lambda _: None)


def test_what_a_look_and_a_release_leave_does_not_keep_the_demo_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.publish_catalog(settings, datetime(2026, 11, 1, tzinfo=UTC))
    services.announce_release(settings)
    (settings.var_dir / "notes.txt").write_text("precious")
    before = sorted(path.name for path in settings.var_dir.iterdir())
    monkeypatch.setattr(demo, "MINIMUM_FREE_BYTES", 2**62)

    for _ in range(2):
        with pytest.raises(DiskFull):
            demo.run(settings, lambda _: None, lambda _: None)
    settings.landing_dir.mkdir()
    write_connections(settings.connections_path, {"taxation_files": "/drop"})
    demo.clean(settings)

    assert sorted(path.name for path in settings.var_dir.iterdir()) == before
    assert (settings.var_dir / "notes.txt").read_text() == "precious"
    assert not settings.connections_path.exists()


def test_cleaning_removes_the_folder_that_the_demo_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "MINIMUM_FREE_BYTES", 2**62)
    with pytest.raises(DiskFull):
        demo.run(settings, lambda _: None, lambda _: None)
    settings.library_dir.mkdir()

    demo.clean(settings)

    assert not settings.var_dir.exists()


def test_too_little_disk_is_said_before_anything_starts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "MINIMUM_FREE_BYTES", 2**62)
    said: list[str] = []

    with pytest.raises(DiskFull, match="YISHU_VAR_DIR"):
        demo.run(settings, lambda _: None, said.append)

    assert said == []


def test_a_city_that_cannot_be_built_leaves_nothing_running(server_folder: Path) -> None:
    settings = Settings(var_dir=server_folder / "broken-city")

    def broken(world: demo.World) -> None:
        world.children.start("city-rest", ["sleep", "60"], {"PATH": "/usr/bin:/bin"}, Path("/"))
        raise ValueError("no city")

    with pytest.raises(ValueError, match="no city"):
        demo.run(settings, broken, lambda _: None)

    children = services.processes(settings)
    assert children.find("city-rest") is None
    assert demo.embedded_postgres(settings).status() is None
    demo.clean(settings)
    assert not settings.var_dir.exists()
