"""What Airflow is told of a release, seen in a database with Airflow's real tables."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import make_url

ANNOUNCE = """
import json, os
from datetime import UTC, datetime
from types import SimpleNamespace

os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = {url!r}
from airflow import settings
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.types import DagRunType
from sqlalchemy import select
from yishu.orchestration import announce

import_all_models()
Base.metadata.create_all(settings.engine)
DAGS = {dags}
with create_session() as session:
    session.add(DagBundleModel(name="dags-folder"))
    session.flush()
    for dag_id, file in DAGS.items():
        where = dict(bundle_name="dags-folder", relative_fileloc=file, fileloc=file)
        session.add(DagModel(dag_id=dag_id, **where))
    session.flush()
    for dag_id in DAGS:
        for state in ("queued", "running", "success"):
            run = DagRun(
                dag_id=dag_id, run_id=state, run_type=DagRunType.MANUAL, state=state,
                start_date=datetime.now(UTC), run_after=datetime.now(UTC),
            )
            session.add(run)
release = SimpleNamespace(entries=["taxation.kept"], subjects=["kept"])
ended = [announce.end_withdrawn(release) for _ in range(2)]
with create_session() as session:
    runs = session.execute(select(DagRun.dag_id, DagRun.run_id, DagRun.state))
    failed = [[dag_id, run_id] for dag_id, run_id, state in runs if state == "failed"]
print(json.dumps([ended, sorted(failed)]))
"""


def test_runs_of_a_withdrawn_entry_end_and_those_of_others_go_on(
    in_airflow: Callable[[str], Any], fresh_database: str
) -> None:
    """Airflow's scheduler never looks at a run whose DAG is gone: it would run forever."""
    url = make_url(fresh_database).set(drivername="postgresql+psycopg")
    dags = {
        "taxation.kept": "entries.py",
        "taxation.gone": "entries.py",
        "subject-kept": "subjects.py",
        "subject-gone": "subjects.py",
        "maintenance": "maintenance.py",
    }
    text = url.render_as_string(hide_password=False)
    ended, failed = in_airflow(ANNOUNCE.format(url=text, dags=dags))
    gone = ["subject-gone", "taxation.gone"]
    assert ended == [gone, []]
    assert failed == [[dag_id, state] for dag_id in gone for state in ("queued", "running")]
