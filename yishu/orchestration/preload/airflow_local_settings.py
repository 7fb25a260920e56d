"""Airflow imports this module, by its fixed name, in each of its processes.

In the scheduler it imports what tasks need before any worker exists: LocalExecutor's workers and
their tasks are forks of the scheduler and find it loaded, instead of paying seconds in each task.
The other processes run no task and load nothing here.
"""

import sys
from pathlib import Path

_TASK_MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.standard.operators.python",
    "expectations.fields",
    "yishu.orchestration.tasks",
    "yishu.pipeline.maintenance",
    "yishu.pipeline.releases",
    "yishu.pipeline.run",
    "yishu.sharing.delivering",
    "adbc_driver_postgresql.dbapi",
    "adbc_driver_sqlite.dbapi",
    "openpyxl",
)


_COMMANDS = frozenset({"airflow", "-m"})
"""``airflow scheduler`` and ``python -m airflow scheduler``, as seen while Airflow is imported."""


def is_scheduler(argv: list[str]) -> bool:
    """Whether a command line is that of Airflow's scheduler."""
    return Path(argv[0]).name in _COMMANDS and argv[1:2] == ["scheduler"]


def _load_task_modules() -> None:
    from importlib import import_module  # noqa: PLC0415  only where it is needed

    for name in _TASK_MODULES:
        import_module(name)


__all__: list[str] = []
"""Nothing here overrides a setting of Airflow."""

if is_scheduler(sys.argv):
    _load_task_modules()
