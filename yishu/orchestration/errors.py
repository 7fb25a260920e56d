"""What can go wrong around Airflow itself, beyond what the pipeline's stages say.

OrchestrationError
├── ComponentFailed    a process of Airflow ended, or a command of it failed
├── NotReady           Airflow did not become ready in time (retryable)
├── PortTaken          no free port for a service of this machine
├── BackfillRefused    Airflow does not fill in these dates of a DAG
├── DiskFull           too little free disk
└── RunsFailed         runs ended badly; their logs say why
"""

from catalog.errors import YishuError


class OrchestrationError(YishuError):
    """Airflow could not do its work."""

    code = "ORC_ERROR"


class ComponentFailed(OrchestrationError):
    """A process of Airflow ended, or a command of it failed."""

    code = "ORC_COMPONENT_FAILED"


class NotReady(OrchestrationError):
    """Airflow did not become ready in time."""

    code = "ORC_NOT_READY"
    retryable = True


class PortTaken(OrchestrationError):
    """There is no free port for Airflow's UI, or for another service of this machine."""

    code = "ORC_PORT_TAKEN"


class DiskFull(OrchestrationError):
    """There is too little free disk to start."""

    code = "ORC_DISK_FULL"


class NotADemo(OrchestrationError):
    """The folder holds an installation that no demo made; it is not touched."""

    code = "ORC_NOT_A_DEMO"


class BackfillRefused(OrchestrationError):
    """Airflow does not fill in past dates of a DAG."""

    code = "ORC_BACKFILL_REFUSED"
