"""Airflow of an installation is started, looked at, used and stopped by its own commands."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from yishu.cli import app

pytestmark = pytest.mark.slow


@pytest.fixture
def yishu(postgres_server, monkeypatch, tmp_path):
    """The command on an installation of its own, whose databases are on a server that it names."""
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))
    for name in ("DATABASE_URL", "AIRFLOW_DATABASE_URL"):
        url = postgres_server.ensure_database(f"{name.lower()}_{tmp_path.name[-8:]}")
        monkeypatch.setenv(f"YISHU_{name}", url)

    def run(*arguments, expect=0):
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exit_code == expect, result.output
        return json.loads(result.stdout or result.stderr)

    yield run
    CliRunner().invoke(app, ["airflow", "stop"])


def test_airflow_is_started_used_and_stopped(yishu, tmp_path):
    assert yishu("airflow", "start", expect=1)["error"]["code"] == "CAT_NO_RELEASE"
    assert [one["pid"] for one in yishu("airflow", "status", expect=1)] == [None, None, None]

    yishu("catalog", "release")
    started = yishu("airflow", "start", "--port", str(_free_port()))

    assert Path(started["password_file"]).is_file()
    assert all(one["pid"] for one in yishu("airflow", "status"))
    assert {row["dag_id"] for row in _airflow("dags", "list", "--output", "json")} >= {
        "alarms",
        "maintenance",
    }
    with _under_a_service_manager(tmp_path / "var" / "run"):
        looked = {one["what"]: one for one in yishu("doctor", expect=1)}
        assert looked["airflow"]["found"] == f"all parts are alive at {started['url']}"
    assert yishu("airflow", "stop")["stopped"] == ["scheduler", "dag-processor", "api-server"]
    assert not (tmp_path / "var" / "postgres").exists()


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _airflow(*arguments):
    done = subprocess.run(
        [Path(sys.executable).with_name("yishu"), "airflow", "run", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _under_a_service_manager(run_dir):
    """Processes that somebody else started have no pid file of ours."""
    kept = [path.rename(path.with_suffix(".kept")) for path in sorted(run_dir.glob("*.pid"))]
    yield
    for path in kept:
        path.rename(path.with_suffix(".pid"))
