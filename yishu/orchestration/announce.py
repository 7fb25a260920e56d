"""What Airflow must know of a newly published release: its pools, DAGs that changed or are gone.

``python -m yishu.orchestration.announce`` in Airflow's environment, which
``services.announce_release`` gives it. The DAG processor looks at its files again every few
minutes only; a request in Airflow's database makes it look at once.
"""

import logging

from catalog.model import CatalogView
from yishu.orchestration import naming, pools, release

logger = logging.getLogger(__name__)


def ask_to_parse(files: tuple[str, ...] = naming.RELEASE_FILES) -> None:
    """Ask the DAG processor to read these files of the DAG folder again, now."""
    from airflow.models.dagbag import DagPriorityParsingRequest as Request  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415  opens Airflow's database
    from sqlalchemy import select  # noqa: PLC0415

    with create_session() as session:
        asked = select(Request.relative_fileloc).where(Request.bundle_name == naming.DAG_BUNDLE)
        already = set(session.scalars(asked))
        for file in files:
            if file not in already:
                session.add(Request(naming.DAG_BUNDLE, file))


def end_withdrawn(catalog: CatalogView) -> list[str]:
    """Fail the runs on their way of DAGs that the release no longer has; the ids of those DAGs.

    The scheduler looks at no run of a DAG that is gone, so such a run would stay running forever.
    """
    from airflow.models.dag import DagModel  # noqa: PLC0415
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415  opens Airflow's database
    from airflow.utils.state import DagRunState, State  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    has = {
        *map(naming.entry_dag_id, catalog.entries),
        *map(naming.subject_dag_id, catalog.subjects),
        naming.RELEASE_DAG_ID,
    }
    with create_session() as session:
        asked = (
            select(DagRun)
            .join(DagModel, DagModel.dag_id == DagRun.dag_id)
            .where(DagModel.relative_fileloc.in_(naming.RELEASE_FILES), DagRun.dag_id.not_in(has))
            .where(DagRun.state.in_([DagRunState.QUEUED, DagRunState.RUNNING]))
        )
        runs = session.scalars(asked).all()
        for run in runs:
            for task in run.get_task_instances(session=session):
                if task.state not in State.finished:
                    task.set_state(State.FAILED, session=session)
            run.set_state(DagRunState.FAILED)
        return sorted({run.dag_id for run in runs})


def main() -> None:
    """Bring the pools in line with the current release, then have its DAGs read."""
    found = release.current()
    changed = pools.bring_in_line(found)
    ask_to_parse()
    logger.info("Pools made or changed: %s", ", ".join(changed) or "none")
    logger.info("Runs ended of withdrawn DAGs: %s", ", ".join(end_withdrawn(found)) or "none")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
