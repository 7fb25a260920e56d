"""Numbers for the bureau's monitoring, through Airflow's own StatsD or OpenTelemetry.

They go where ``[metrics]`` of Airflow's configuration says, and nowhere as long as it says nothing.
Airflow puts its prefix before each name.

yishu.pull.rows, yishu.validate.quarantined, yishu.publish.rows   of the last run (gauges)
yishu.entry.lag_seconds                                           age of what readers see (gauge)
yishu.entry.delay_seconds                 from a department's change to the visible row (gauge)
yishu.entries.overdue                                             how many (gauge)
yishu.failures                            runs that failed for good, by stage (counter)
"""

from collections.abc import Mapping
from typing import Any

from airflow.sdk.observability.stats import gauge, incr

_OF_STAGE = {"pull": "rows", "validate": "quarantined", "publish": "rows"}
"""The count of a stage's record that is worth a curve."""


def tell_stage(stage: str, entry_id: str, record: Mapping[str, Any]) -> None:
    """Tell what a stage of an entry's run did."""
    name = _OF_STAGE[stage]
    gauge(f"yishu.{stage}.{name}", record[name], tags={"entry": entry_id})


def tell_failure(stage: str, entry_id: str) -> None:
    """Tell that a run has failed for good."""
    incr("yishu.failures", tags={"entry": entry_id, "stage": stage})


def tell_ages(lags: Mapping[str, float], delays: Mapping[str, float], overdue: int) -> None:
    """Tell ages of data and delays of changes, in seconds by entry, and how many are overdue."""
    for name, seconds in (("lag", lags), ("delay", delays)):
        for entry_id, value in seconds.items():
            gauge(f"yishu.entry.{name}_seconds", value, tags={"entry": entry_id})
    gauge("yishu.entries.overdue", overdue)
