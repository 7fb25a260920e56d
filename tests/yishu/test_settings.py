"""Settings come from the environment when asked, and never earlier."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from yishu.settings import Settings, project_root

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"YISHU_{name.upper()}", raising=False)


def test_everything_has_a_default_below_the_checkout():
    settings = Settings()

    assert settings.var_dir == CHECKOUT / "var"
    assert settings.catalog_dir == CHECKOUT / "catalog"
    assert settings.database_url is None


def test_one_variable_moves_an_installation_as_a_whole(monkeypatch, tmp_path):
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))

    settings = Settings()

    places = (
        settings.secrets_dir,
        settings.connections_path,
        settings.postgres_dir,
        settings.releases_dir,
        settings.landing_dir,
        settings.library_dir,
        settings.lineage_file,
        settings.airflow_home,
    )
    assert all(place.is_relative_to(tmp_path) for place in places)
    assert len(set(places)) == len(places)


def test_a_password_is_not_shown_by_repr(monkeypatch):
    monkeypatch.setenv("YISHU_DATABASE_URL", "postgresql://u:hush@h/d")

    settings = Settings()

    assert "hush" not in repr(settings)
    assert settings.database_url.get_secret_value() == "postgresql://u:hush@h/d"


@pytest.mark.parametrize("port", ["80", "70000", "many"])
def test_a_port_that_cannot_be_is_refused_by_name(monkeypatch, port):
    monkeypatch.setenv("YISHU_POSTGRES_PORT", port)
    with pytest.raises(ValidationError, match="postgres_port"):
        Settings()


def test_without_a_checkout_the_working_directory_is_the_root(monkeypatch, tmp_path):
    monkeypatch.setattr("yishu.settings.__file__", str(tmp_path / "site" / "yishu" / "settings.py"))
    monkeypatch.chdir(tmp_path)
    assert project_root() == tmp_path


def test_nothing_is_read_at_import(tmp_path):
    """A wrong variable hurts only who asks for settings."""
    code = "import yishu.settings, yishu.secrets, yishu.embedded, yishu.redact"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"YISHU_POSTGRES_PORT": "many", "YISHU_VAR_DIR": str(tmp_path / "var")},
        cwd=CHECKOUT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "var").exists()
