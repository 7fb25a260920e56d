"""What the tasks of sharing do, and their DAGs: deliver what is due, end what is over."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.exceptions import AirflowNotFoundException

from catalog.model import CatalogView
from yishu.orchestration import naming, release
from yishu.orchestration.factory import COMMON, RETRIES, unified_asset
from yishu.orchestration.tasks import Record, permanent_errors_fail_at_once

if TYPE_CHECKING:
    from yishu.sharing.house import House

logger = logging.getLogger(__name__)

DELIVER_CRON = "15 * * * *"
"""Besides every publication: what could not be delivered is tried again every hour."""

EXPIRE_CRON = "5 0 * * *"
"""Terms end at midnight in Beijing; a channel is closed by then in any case, this tidies up."""


def deliver_dag(catalog: CatalogView, doc_md: str) -> DAG:
    """Deliver what is due, when data are published and every hour."""
    assets = [unified_asset(entry) for entry in catalog.entries.values()]
    hourly = CronTriggerTimetable(DELIVER_CRON, timezone=naming.TIME_ZONE)
    schedule = AssetOrTimeSchedule(timetable=hourly, assets=AssetAny(*assets)) if assets else hourly
    return _dag("deliver_shares", "Deliveries to consumers", doc_md, schedule, deliver)


def expire_dag(doc_md: str) -> DAG:
    """End grants whose term is over, remind, clear, seal the use log."""
    schedule = CronTriggerTimetable(EXPIRE_CRON, timezone=naming.TIME_ZONE)
    return _dag("expire_grants", "Expiry, reminders, seals", doc_md, schedule, expire)


def deliver() -> Record:
    """Deliver every grant that is due; one that fails stops no other, and is tried again.

    Raises:
        DeliveryFailed: some could not be delivered; the others were.
    """
    from yishu.lineage import open_transport  # noqa: PLC0415
    from yishu.sharing.delivering import deliver_all  # noqa: PLC0415
    from yishu.sharing.errors import DeliveryFailed  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        house, settings = _house(), release.settings_and_release()[0]
        file, url, key = settings.lineage_file, settings.lineage_url, settings.lineage_api_key
        done, failed = deliver_all(house, _Urls(), open_transport(file, url, key))
        for one in failed:
            logger.error("Grant %s not delivered: %s", one.grant_id, one.text)
        if any(one.code == DeliveryFailed.code for one in failed):
            raise DeliveryFailed(
                "deliver_shares",
                found=f"{len(failed)} of {len(done) + len(failed)} deliveries failed",
                expected="consumers that take their deliveries",
                remedy="see the log of this task; what failed is tried again",
            )
    return {"delivered": [one.delivery_id for one in done], "held": [asdict(one) for one in failed]}


def expire() -> Record:
    """The work of a night on grants and the use log."""
    from yishu.ledger.seal import signing_key  # noqa: PLC0415
    from yishu.sharing.housekeeping import nightly  # noqa: PLC0415

    with permanent_errors_fail_at_once():
        settings, _ = release.settings_and_release()
        done = nightly(_house(), signing_key(settings.secrets_dir))
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(done).items()}


class _Urls(Mapping[str, str]):
    """Airflow's connections as URLs, each looked up when a delivery names it."""

    def __getitem__(self, connection_id: str) -> str:
        from yishu.orchestration.connections import airflow_url  # noqa: PLC0415

        try:
            return airflow_url(AirflowConnection.get(connection_id))
        except (AirflowNotFoundException, ValueError):
            # Its text may quote what is in the connection.
            raise KeyError(connection_id) from None

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _house() -> "House":
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    from yishu.embedded import ledger_url  # noqa: PLC0415
    from yishu.sharing.installed import house_of  # noqa: PLC0415

    settings, current = release.settings_and_release()
    url = make_url(ledger_url(settings)).set(drivername="postgresql+psycopg")
    engine = create_engine(url, pool_pre_ping=True)
    return house_of(settings, engine, lambda: datetime.now(UTC), current)


def _dag(
    dag_id: str,
    description: str,
    doc_md: str,
    schedule: object,
    call: Callable[[], Record],
) -> DAG:
    with DAG(
        dag_id=dag_id,
        description=description,
        doc_md=doc_md,
        schedule=schedule,
        tags={naming.Stage.SHARING.value},
        default_args={"owner": naming.LIBRARY_OWNER, **RETRIES},
        **COMMON,
    ) as dag:
        PythonOperator(
            task_id=dag_id.partition("_")[0], python_callable=call, pool=naming.LIBRARY_POOL
        )
    return dag
