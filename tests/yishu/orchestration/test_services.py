"""Starting Airflow either works or says what to do, and nothing is left running."""

import socket
from pathlib import Path

import pytest

from yishu.orchestration import demo, services
from yishu.orchestration.errors import ComponentFailed, DiskFull, NotADemo, PortTaken
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
