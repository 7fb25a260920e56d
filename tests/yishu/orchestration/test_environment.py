"""The environment of Airflow's processes, and the configuration file that goes with it."""

import configparser
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from yishu.orchestration.environment import airflow_environment, password, password_file
from yishu.orchestration.links import views
from yishu.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
URL = "postgresql+psycopg://u:p@127.0.0.1:5432/airflow"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(var_dir=tmp_path / "var")


def test_keys_are_the_same_at_every_start(settings: Settings) -> None:
    names = ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
    first, second = (airflow_environment(settings, URL, 8080, {}) for _ in range(2))

    assert [first[name] for name in names] == [second[name] for name in names]
    assert len({first[name] for name in names}) == 2


def test_one_driver_serves_both_connections_to_the_database(settings: Settings) -> None:
    made = airflow_environment(settings, URL, 8080, {})

    assert made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == URL
    assert made["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == URL


def test_tasks_reach_the_api_server_without_a_proxy(settings: Settings) -> None:
    made = airflow_environment(settings, URL, 8085, {"NO_PROXY": "intranet.example"})

    assert made["NO_PROXY"] == made["no_proxy"] == "intranet.example,127.0.0.1,localhost"
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8085/execution/"


def test_an_airflow_home_of_another_installation_is_not_taken_over(settings: Settings) -> None:
    made = airflow_environment(settings, URL, 8080, {"AIRFLOW_HOME": "/other", "PATH": "/bin"})

    assert made["AIRFLOW_HOME"] == str(settings.airflow_home)
    assert made["PATH"] == "/bin"


def test_the_password_is_generated_once_and_its_owners_only(settings: Settings) -> None:
    first = password(settings)

    assert password(settings) == first
    assert json.loads(password_file(settings).read_text()) == {"yishu": first}
    assert password_file(settings).stat().st_mode & 0o777 == 0o600


def test_the_configuration_file_holds_no_path_and_no_secret() -> None:
    config = configparser.RawConfigParser()
    config.read(ROOT / "airflow.cfg", encoding="utf-8")
    values = {
        f"{section}.{name}": value
        for section in config.sections()
        for name, value in config[section].items()
    }

    assert [name for name, value in values.items() if "/" in value] == []
    assert [name for name in values if name.endswith(("_key", "_secret", "password"))] == []
    assert values["core.executor"] == "LocalExecutor"
    assert values["core.mp_start_method"] == "fork"


def test_airflow_leads_to_the_portal(settings: Settings) -> None:
    """The plugin as Airflow itself loads it, in a process of its own."""
    linked = settings.model_copy(update={"portal_url": "https://portal.example/"})
    environment = airflow_environment(linked, URL, 8080, dict(os.environ))
    code = (
        "from airflow import plugins_manager as p; import json;"
        "from airflow.api_fastapi.core_api.datamodels.plugins import PluginResponse as R;"
        "(one,) = [i for i in p.get_plugin_info() if i['name'] == 'yishu_portal'];"
        "print(json.dumps([v.model_dump() for v in R.model_validate(one).external_views]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    nav, dag = json.loads(done.stdout.splitlines()[-1])

    assert (nav["destination"], nav["href"]) == ("nav", "https://portal.example")
    assert (dag["destination"], dag["href"]) == (
        "dag", "https://portal.example/catalog/dags/{DAG_ID}",
    )  # fmt: skip
    assert nav["url_route"] is dag["url_route"] is None


def test_without_a_portal_there_are_no_links() -> None:
    assert views(None) == []
