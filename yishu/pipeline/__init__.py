"""One entry or one subject through its stages: source, validate, standardise, publish.

DAGs, the command line and tests all come through here, so that there is one way to do it. A stage
is loaded when it is asked for: a pull needs neither the library nor the checks, and starts sooner
without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yishu.pipeline.context import PipelineContext
    from yishu.pipeline.maintenance import run_maintenance
    from yishu.pipeline.run import run_publish, run_pull, run_subject, run_validate

__all__ = [
    "PipelineContext",
    "run_maintenance",
    "run_publish",
    "run_pull",
    "run_subject",
    "run_validate",
]

_MODULES = {"PipelineContext": "context", "run_maintenance": "maintenance"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'run')}"), name)
