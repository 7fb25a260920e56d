"""One entry or one subject through its stages: source, validate, standardise, publish.

DAGs, the command line and tests all come through here, so that there is one way to do it.
"""

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
