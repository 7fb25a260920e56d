"""Names that Airflow shows: DAG ids, asset URIs, pools, tags. Each is defined here, once.

An entry's DAG is named after the entry, ``<department>.<entry>``. The ids of all other DAGs hold
a ``-`` or no ``.``, which an entry id never does, so no two can collide.
"""

from collections.abc import Mapping
from enum import StrEnum

from catalog.model import CatalogEntry, CatalogView, Subject

TIME_ZONE = "Asia/Shanghai"
"""Update cycles are times of the city's clock."""

MAINTENANCE_DAG_ID = "maintenance"

RELEASE_DAG_ID = "library-release"
"""Lets readers see what all subjects have become at the same moment."""

ALARMS_DAG_ID = "alarms"
SUPERVISION_DAG_IDS = ("supervision-daily", "supervision-hourly")
"""The sweeps over all clocks: every morning with reminders, every hour without."""

LIBRARY_POOL = "unified_database"
"""Pool of every task that works on the library and not on a department system."""

DAG_BUNDLE = "dags-folder"
"""Airflow's own name of its DAG folder."""

RELEASE_FILES = ("entries.py", "library_release.py", "subjects.py")
"""DAG files whose DAGs follow from the release."""

LIBRARY_OWNER = "data_authority"
"""Owner of every DAG that no single department provides: the body that keeps the library."""

_SUBJECT_PREFIX = "subject-"


class Stage(StrEnum):
    """What a DAG is for; each DAG carries exactly one of these as a tag."""

    PULL = "pull"
    SUBJECT = "subject"
    MAINTENANCE = "maintenance"
    SUPERVISION = "supervision"
    SHARING = "sharing"


def entry_dag_id(entry_id: str) -> str:
    """Id of the DAG that pulls and publishes an entry."""
    return entry_id


def subject_dag_id(subject_id: str) -> str:
    """Id of the DAG that builds a subject table."""
    return f"{_SUBJECT_PREFIX}{subject_id}"


def entry_of(dag_id: str) -> str | None:
    """The entry that a DAG pulls; None when the DAG is not an entry's."""
    return dag_id if "." in dag_id and "-" not in dag_id else None


def subject_of(dag_id: str) -> str | None:
    """The subject that a DAG builds; None when the DAG is not a subject's."""
    if not dag_id.startswith(_SUBJECT_PREFIX):
        return None
    return dag_id.removeprefix(_SUBJECT_PREFIX)


def unified_uri(entry_id: str) -> str:
    """URI of the asset that a published entry is."""
    return f"yishu://unified/{entry_id}"


def subject_uri(subject_id: str) -> str:
    """URI of the asset that a published subject table is."""
    return f"yishu://subject/{subject_id}"


def system_pool(entry: CatalogEntry) -> str:
    """Pool of the department system that an entry is pulled from."""
    return entry.source.connection


def entry_tags(entry: CatalogEntry, catalog: CatalogView) -> set[str]:
    """Tags of an entry's DAG: stage, department, kind of data."""
    department = catalog.departments[entry.provider_org]
    return {Stage.PULL.value, department.name, entry.data_kind.label_zh}


def subject_tags(subject: Subject) -> set[str]:
    """Tags of a subject's DAG: stage and family."""
    return {Stage.SUBJECT.value, subject.family.label_zh}


def contributors(catalog: CatalogView) -> Mapping[str, tuple[str, ...]]:
    """By subject id: the published entries that are a source of one of its columns, sorted."""
    published = set(catalog.entries)
    found: dict[str, tuple[str, ...]] = {}
    for subject in catalog.subjects.values():
        elements = (catalog.elements[column.element] for column in subject.columns)
        sources = {source.entry for element in elements for source in element.sources}
        found[subject.id] = tuple(sorted(sources & published))
    return found
