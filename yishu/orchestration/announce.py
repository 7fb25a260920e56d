"""What Airflow must know of a newly published release: its pools, and that DAGs have changed.

``python -m yishu.orchestration.announce`` in Airflow's environment, which
``services.announce_release`` gives it. The DAG processor looks at its files again every few
minutes only; a request in Airflow's database makes it look at once.
"""

import logging

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


def main() -> None:
    """Bring the pools in line with the current release, then have its DAGs read."""
    changed = pools.bring_in_line(release.current())
    ask_to_parse()
    logger.info("Pools made or changed: %s", ", ".join(changed) or "none")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
