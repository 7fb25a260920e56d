"""Code that needs Airflow runs in a process of its own, as in production."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/none"


@pytest.fixture
def in_airflow(tmp_path: Path) -> Callable[[str], Any]:
    """Run code where Airflow is imported; what it prints last is JSON and comes back."""

    def run(code: str) -> Any:
        environment = {
            **os.environ,
            "YISHU_VAR_DIR": str(tmp_path / "var"),
            "AIRFLOW_HOME": str(tmp_path / "airflow"),
            "AIRFLOW_CONFIG": str(ROOT / "airflow.cfg"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": NO_DATABASE,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": NO_DATABASE,
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
