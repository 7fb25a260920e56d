"""Secrets are generated once, owner-only; connections are read by Airflow and by us alike."""

import base64
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from yishu import secrets

CONNECTIONS = {
    "market_regulation_db": "postgresql://reader:p%40ss%2Fword@127.0.0.1:5433/market",
    "civil_affairs_db": "sqlite:////srv/civil/affairs.db",
    "housing_drop": "/srv/drops/housing",
    "health_api": "http://127.0.0.1:8090/api/v1",
    "tax_drop": "sftp://reader:p%40ss@10.0.0.8:2222/drop/tax?host_key=SHA256%3Aab%2Bc%2Fd",
    "archive_db": "mysql://reader:x@10.0.0.7:3306/archive?charset=utf8mb4",
}


def test_a_secret_stays_the_same_and_is_readable_by_its_owner_only(tmp_path):
    directory = tmp_path / "secrets"
    first = secrets.jwt_secret(directory)

    assert secrets.jwt_secret(directory) == first
    assert len(first) >= 64
    assert [oct(path.stat().st_mode & 0o777) for path in directory.iterdir()] == ["0o600"]
    assert directory.stat().st_mode & 0o777 == 0o700


def test_each_secret_is_another(tmp_path):
    values = {
        secrets.fernet_key(tmp_path),
        secrets.jwt_secret(tmp_path),
        secrets.reader_password(tmp_path),
        secrets.postgres_password(tmp_path),
    }
    assert len(values) == 4


def test_the_fernet_key_is_32_bytes_in_urlsafe_base64(tmp_path):
    assert len(base64.urlsafe_b64decode(secrets.fernet_key(tmp_path))) == 32


def test_processes_that_start_together_agree_on_a_secret(tmp_path):
    number = count()
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(secrets.once, tmp_path / "key", lambda: str(next(number)))
            for _ in range(32)
        ]
    assert len({future.result() for future in made}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_secret_that_others_may_read_is_not_used(tmp_path):
    secrets.jwt_secret(tmp_path)
    (tmp_path / secrets.JWT_SECRET).chmod(0o644)
    with pytest.raises(secrets.SecretExposed, match="chmod 600"):
        secrets.jwt_secret(tmp_path)


@pytest.mark.parametrize("url", CONNECTIONS.values())
def test_a_url_survives_airflows_fields(url):
    assert secrets.url_of(**secrets.fields_of(url)) == url


def test_a_password_is_in_airflows_password_field_which_its_logs_mask():
    fields = secrets.fields_of(CONNECTIONS["market_regulation_db"])
    assert fields == {
        "conn_type": "postgres",
        "host": "127.0.0.1",
        "port": 5433,
        "login": "reader",
        "password": "p@ss/word",
        "schema": "market",
    }


def test_connections_are_written_owner_only_and_read_back(tmp_path):
    path = tmp_path / "secrets" / "connections.json"
    secrets.write_connections(path, {"housing_drop": "/old"})
    secrets.write_connections(path, CONNECTIONS)

    assert secrets.read_connections(path) == CONNECTIONS
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["connections.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": {}}', '{"a": {"conn_type": "fs"}}', '{"a": {"x": "hush"}}']
)
def test_a_broken_connections_file_is_named_without_its_content(tmp_path, text):
    path = tmp_path / "connections.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(secrets.ConnectionsUnreadable) as caught:
        secrets.read_connections(path)
    assert "hush" not in str(caught.value)


def test_a_missing_connections_file_says_what_to_do(tmp_path):
    with pytest.raises(secrets.ConnectionsUnreadable, match="write the connections again"):
        secrets.read_connections(tmp_path / "connections.json")


def test_airflow_reads_the_same_connections(tmp_path):
    path = tmp_path / "connections.json"
    secrets.write_connections(path, CONNECTIONS)
    code = (
        "import json, sys\n"
        "from airflow.secrets.local_filesystem import load_connections_dict\n"
        "from yishu.secrets import url_of\n"
        "found = load_connections_dict(sys.argv[1])\n"
        "print(json.dumps({n: url_of(c.conn_type, host=c.host, port=c.port, login=c.login,"
        " password=c.password, schema=c.schema, extra=c.extra) for n, c in found.items()}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == CONNECTIONS
