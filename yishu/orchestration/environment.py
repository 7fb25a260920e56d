"""The environment variables of Airflow's processes: all that differs from machine to machine.

What is the same everywhere is in ``airflow.cfg``. Keys are generated once under ``var/`` (see
``yishu.secrets``): without them Airflow stores passwords in clear and its processes do not trust
each other's tokens.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import yishu.secrets as kept
from yishu.settings import Settings, project_root

USER = "yishu"
"""Who signs in to Airflow's UI on a single machine; the same name as in ``airflow.cfg``."""

HOST = "127.0.0.1"

_PASSWORDS = "airflow_passwords.json"
_SIGN_IN = Path(__file__).parent / "sign_in" / "webserver_config.py"
_API_SECRET = "airflow_api_secret"  # noqa: S105 - the name of a file


def airflow_environment(
    settings: Settings, database_url: str, port: int, inherited: Mapping[str, str]
) -> dict[str, str]:
    """The whole environment of an Airflow process.

    Args:
        settings: Places and secrets of this installation.
        database_url: SQLAlchemy URL of Airflow's own database, ``postgresql+psycopg://...``; the
            driver serves both Airflow's synchronous and its asynchronous connection.
        port: Port of the API server on the loopback interface.
        inherited: The environment to build on; ``AIRFLOW_*`` variables of another installation
            are left out, except ``AIRFLOW__*__*`` overrides, which an operator sets on purpose.
    """
    root = project_root()
    kept_back = {"AIRFLOW_HOME", "AIRFLOW_CONFIG"}
    return {
        **{name: value for name, value in inherited.items() if name not in kept_back},
        **_defaults(inherited),
        "AIRFLOW_HOME": str(settings.airflow_home),
        "AIRFLOW_CONFIG": str(root / "airflow.cfg"),
        # Read only where the operator chose the FAB auth manager.
        "AIRFLOW__FAB__CONFIG_FILE": inherited.get("AIRFLOW__FAB__CONFIG_FILE", str(_SIGN_IN)),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base_url(port)}/execution/",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(Path(__file__).parent / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": kept.fernet_key(settings.secrets_dir),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(settings)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database_url,
        "AIRFLOW__API__BASE_URL": base_url(port),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": _once(settings.secrets_dir / _API_SECRET),
        "AIRFLOW__API_AUTH__JWT_SECRET": kept.jwt_secret(settings.secrets_dir),
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
            {"connections_file_path": str(settings.connections_path)}
        ),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.var_dir / "logs" / "tasks"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(
            settings.var_dir / "logs" / "dag-files"
        ),
        "PYTHONPATH": _first(Path(__file__).parent / "preload", inherited.get("PYTHONPATH")),
        **_own(settings),
    }


def base_url(port: int) -> str:
    """Where Airflow's UI and API are."""
    return f"http://{HOST}:{port}"


def password_file(settings: Settings) -> Path:
    """Airflow's users and their passwords, generated once, mode 0600."""
    path = settings.secrets_dir / _PASSWORDS
    kept.once(path, lambda: json.dumps({USER: secrets.token_urlsafe(12)}))
    return path


def password(settings: Settings) -> str:
    """The password of ``USER``."""
    return str(json.loads(password_file(settings).read_text("ascii"))[USER])


def _own(settings: Settings) -> dict[str, str]:
    own = {"YISHU_VAR_DIR": str(settings.var_dir), "YISHU_CATALOG_DIR": str(settings.catalog_dir)}
    if settings.database_url is not None:
        own["YISHU_DATABASE_URL"] = settings.database_url.get_secret_value()
    if settings.portal_url is not None:
        own["YISHU_PORTAL_URL"] = settings.portal_url
    return own


def _defaults(inherited: Mapping[str, str]) -> dict[str, str]:
    # Tasks talk to the API server on this machine; a proxy in between would break that.
    direct = [name for name in inherited.get("NO_PROXY", "").split(",") if name]
    no_proxy = ",".join(dict.fromkeys([*direct, HOST, "localhost"]))
    return {
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        # A library that phones home would hang where there is no internet, and start threads in
        # a process that forks.
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
    }


def _once(path: Path) -> str:
    return kept.once(path, lambda: secrets.token_urlsafe(32))


def _first(folder: Path, others: str | None) -> str:
    return os.pathsep.join([str(folder), *([others] if others else [])])
