"""Airflow's sign-in of production: the city's OpenID provider, by the file shipped for it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import oidc_provider_mock
import pytest

from yishu.orchestration.environment import USER, airflow_environment, base_url, password
from yishu.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        not any(metadata.distributions(name="apache-airflow-providers-fab")),
        reason="apache-airflow-providers-fab is not installed: see docs/how-to/sign-in.md",
    ),
]

ROOT = Path(__file__).resolve().parents[3]
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
ENGINEER, STRANGER = "4711", "4712"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A real OpenID provider on this machine; it knows one data engineer and one stranger."""
    claims = [
        oidc_provider_mock.User(sub=ENGINEER, claims={"name": "周工", "groups": ["data-admins"]}),
        oidc_provider_mock.User(sub=STRANGER, claims={"name": "路人", "groups": []}),
    ]
    with oidc_provider_mock.run_server_in_thread(user_claims=claims) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="module")
def airflow(postgres_server, provider, tmp_path_factory) -> Iterator[tuple[str, str]]:
    """Airflow's API server as an operator starts it: address, and password of the commands."""
    folder = tmp_path_factory.mktemp("airflow-sign-in")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = Settings(var_dir=folder / "var", catalog_dir=ROOT / "catalog")
    operators = {
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "YISHU_OPENID_ISSUER": provider,
        "AIRFLOW_OPENID_CLIENT_ID": "airflow",
        "AIRFLOW_OPENID_CLIENT_SECRET": "of-the-tests",
        "AIRFLOW_OPENID_ROLES": json.dumps({"data-admins": ["Admin"]}),
    }
    url = postgres_server.ensure_database("airflow_sign_in")
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    environment = airflow_environment(settings, url, port, {**os.environ, **operators})
    account = (
        "--username", USER, "--password", password(settings), "--role", "Admin",
        "--firstname", "Yishu", "--lastname", "Yishu", "--email", "yishu@localhost",
    )  # fmt: skip
    log = folder / "log"
    with log.open("w") as output:
        run = {"env": environment, "cwd": ROOT, "stdout": output, "stderr": subprocess.STDOUT}
        for arguments in (("db", "migrate"), ("users", "create", *account)):
            command = [sys.executable, "-m", "airflow", *arguments]
            assert subprocess.run(command, check=False, **run).returncode == 0, log.read_text()
        command = [sys.executable, "-m", "airflow", "api-server", "--workers", "1"]
        server = subprocess.Popen(command, **run)
        try:
            _wait(base_url(port), server, log)
            yield base_url(port), password(settings)
        finally:
            server.terminate()
            server.wait(30)


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{address}/api/v2/version", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(log.read_text()[-3000:])


@pytest.fixture
def visitor(airflow) -> Iterator[httpx.Client]:
    """A browser without a session."""
    with httpx.Client(base_url=airflow[0], trust_env=False, timeout=60) as made:
        yield made


def come_in(visitor: httpx.Client, subject: str) -> httpx.Response:
    """Follow the way of a browser: Airflow, the provider's form, and back with the code."""
    asked = visitor.get("/auth/login/city", follow_redirects=False)
    address = asked.headers["location"]
    assert urlsplit(address).path == "/oauth2/authorize"
    back = httpx.post(address, data={"sub": subject}, trust_env=False).headers["location"]
    assert urlsplit(back).path == "/auth/oauth-authorized/city"
    return visitor.get(back, follow_redirects=True)


def test_without_a_session_nothing_is_told(visitor):
    assert visitor.get("/api/v2/dags").status_code == 401
    assert visitor.get("/ui/auth/me").status_code == 401


def test_a_data_engineer_comes_in_by_the_provider_with_the_roles_of_the_group(visitor):
    came = come_in(visitor, ENGINEER)

    assert came.status_code == 200, came.text[:500]
    assert str(came.url).startswith(str(visitor.base_url))
    assert visitor.get("/api/v2/dags").json()["total_entries"] == 0
    assert visitor.get("/ui/auth/me").json()["username"] == ENGINEER
    assert visitor.get("/api/v2/connections").status_code == 200


def test_who_is_in_no_group_may_do_nothing(visitor):
    come_in(visitor, STRANGER)

    assert visitor.get("/api/v2/dags").status_code in (401, 403)
    assert visitor.get("/api/v2/connections").status_code in (401, 403)


def test_a_forged_return_is_refused(visitor):
    visitor.get("/auth/login/city", follow_redirects=False)

    visitor.get("/auth/oauth-authorized/city?code=1&state=forged", follow_redirects=True)

    assert visitor.get("/api/v2/dags").status_code == 401


def test_commands_use_a_local_account_of_their_own(visitor, airflow):
    def token(secret: str) -> httpx.Response:
        return visitor.post("/auth/token", json={"username": USER, "password": secret})

    assert token("wrong").status_code == 401
    bearer = {"Authorization": f"Bearer {token(airflow[1]).json()['access_token']}"}
    assert visitor.get("/api/v2/dags", headers=bearer).status_code == 200
