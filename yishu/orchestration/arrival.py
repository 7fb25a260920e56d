"""The wait for a delivery: a task that gives its worker back until the delivery is there.

The task hands a trigger to Airflow's triggerer and ends for the time being; one event loop there
looks at the drop folders of all waiting entries. When the delivery has arrived, the task comes
back for a moment to leave its description for the pull.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from catalog.errors import YishuError
from catalog.model import SourceSpec
from yishu.orchestration import release
from yishu.orchestration.tasks import permanent_errors_fail_at_once

MOST_POLL_SECONDS = 30.0
"""Between two looks at a drop folder; less for an entry whose files settle faster."""

Record = dict[str, Any]


class DeliveryTrigger(BaseTrigger):
    """Looks at a drop folder until a new delivery is there in full, or time is up.

    It carries no credential: it asks Airflow for the connection where it runs.

    Args:
        entry_id: The entry, for messages.
        source: The entry's ``source`` as plain JSON.
        taken: The delivery that the last pull took, as plain JSON.
        until: When waiting ends, UTC, ISO 8601.
    """

    def __init__(self, entry_id: str, source: Record, taken: Record | None, until: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entry_id = entry_id
        self.source = source
        self.taken = taken
        self.until = until

    def serialize(self) -> tuple[str, Record]:
        """Where the class is, and the arguments to make the same trigger again."""
        arguments = {key: getattr(self, key) for key in ("entry_id", "source", "taken", "until")}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event: what arrived, that nothing did in time, or why waiting is of no use."""
        from yishu.orchestration.connections import connection_for  # noqa: PLC0415
        from yishu.sources.arrival import Seen  # noqa: PLC0415
        from yishu.sources.waiting import next_delivery  # noqa: PLC0415

        spec = SourceSpec.model_validate(self.source)
        left = (datetime.fromisoformat(self.until) - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                connection = await connection_for(spec)
                seen = await next_delivery(
                    spec,
                    connection,
                    Seen.of(self.taken),
                    poll_seconds=min(MOST_POLL_SECONDS, spec.settle_seconds),
                )
            event: Record = {"seen": seen.record()}
        except TimeoutError:
            event = {"fault": _overdue(self.entry_id, spec, self.until)}
        except YishuError as error:
            event = {"fault": str(error)}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]


class ArriveOperator(BaseOperator):
    """Waits for an entry's next delivery without holding a worker."""

    def __init__(self, *, entry_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entry_id = entry_id

    def execute(self, context: Mapping[str, Any]) -> None:
        """Hand over to the triggerer, unless this run's pull has been done already."""
        from yishu.pipeline.delivery import RECEIPT, taken_before  # noqa: PLC0415
        from yishu.pipeline.store import run_folder  # noqa: PLC0415

        settings, current = release.settings_and_release()
        run_id = context["run_id"]
        with permanent_errors_fail_at_once():
            source = current.entry(self.entry_id).source
            if run_folder(settings.var_dir, self.entry_id, run_id).has(RECEIPT):
                return
            taken = taken_before(settings.var_dir, self.entry_id, run_id)
        # By the run's own start, so that a retry does not wait all over again.
        began = getattr(context.get("dag_run"), "start_date", None) or datetime.now(UTC)
        until = began + timedelta(hours=source.wait_hours)
        self.defer(
            trigger=DeliveryTrigger(
                self.entry_id,
                source.model_dump(mode="json", exclude_none=True),
                taken.record() if taken else None,
                until.isoformat(),
            ),
            method_name="arrived",
        )

    def arrived(self, context: Mapping[str, Any], event: Record) -> Record:
        """Leave for the pull what the trigger saw.

        Raises:
            AirflowFailException: nothing arrived in time, or waiting is of no use.
        """
        from yishu.pipeline.delivery import leave_arrived  # noqa: PLC0415
        from yishu.pipeline.store import run_folder  # noqa: PLC0415
        from yishu.sources.arrival import Seen  # noqa: PLC0415

        seen = Seen.of(event.get("seen"))
        if seen is None:
            raise AirflowFailException(event["fault"])
        settings, _ = release.settings_and_release()
        leave_arrived(run_folder(settings.var_dir, self.entry_id, context["run_id"]), seen)
        return seen.record()


def _overdue(entry_id: str, spec: SourceSpec, until: str) -> str:
    return (
        f"[RUN_DELIVERY_OVERDUE] {entry_id}: found no new delivery by {until}; expected one of "
        f"{spec.path} behind {spec.connection}, by the rule {spec.arrival}. Remedy: ask the "
        "department to deliver, then clear this task; the library is unchanged"
    )
