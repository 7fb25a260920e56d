"""Airflow imports this module, by its fixed name, in each of its processes.

In the scheduler it imports what tasks need before any worker exists: LocalExecutor's workers and
their tasks are forks of the scheduler and find it loaded, instead of paying seconds in each task.
The other processes run no task and load nothing here.
"""

import sys
from pathlib import Path

_TASK_MODULES = (
    "airflow.dag_processing.bundles.local",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.timeout",
    "expectations.fields",
    "yishu.embedded",
    "yishu.orchestration.connections",
    "yishu.orchestration.factory",
    "yishu.orchestration.sharing",
    "yishu.pipeline.backfill",
    "yishu.pipeline.maintenance",
    "yishu.pipeline.releases",
    "yishu.pipeline.run",
    "yishu.sharing.delivering",
    "yishu.sharing.installed",
    "yishu.sources.csv",
    "yishu.sources.mysql",
    "yishu.sources.parquet",
    "yishu.sources.postgresql",
    "yishu.sources.rest",
    "yishu.sources.sqlite",
    "yishu.sources.xlsx",
)


_COMMANDS = frozenset({"airflow", "-m"})
"""``airflow scheduler`` and ``python -m airflow scheduler``, as seen while Airflow is imported."""


def is_scheduler(argv: list[str]) -> bool:
    """Whether a command line is that of Airflow's scheduler."""
    return Path(argv[0]).name in _COMMANDS and argv[1:2] == ["scheduler"]


def _load_task_modules() -> None:
    from contextlib import suppress  # noqa: PLC0415  only where it is needed
    from importlib import import_module  # noqa: PLC0415

    for name in _TASK_MODULES:
        import_module(name)
    # SQLAlchemy joins the ledger's tables at the first query, a tenth of a second in each task.
    import_module("yishu.ledger.models").Base.registry.configure()
    # Until the next one is published, no task reads the release again; without any, each says so.
    with suppress(import_module("catalog.errors").CatalogError):
        import_module("yishu.orchestration.release").current()


__all__: list[str] = []
"""Nothing here overrides a setting of Airflow."""

if is_scheduler(sys.argv):
    _load_task_modules()
