"""Names and texts of DAGs: each DAG id says what the DAG does, and no two can collide."""

from datetime import timedelta
from pathlib import Path

import pytest

from catalog.load import load_catalog
from catalog.model import Catalog
from yishu.orchestration import describe, naming
from yishu.orchestration.pools import pools_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(ROOT / "catalog")[0]


def test_a_dag_is_named_after_its_entry_and_leads_back_to_it() -> None:
    assert naming.entry_dag_id("health.medical_licence") == "health.medical_licence"
    assert naming.entry_of("health.medical_licence") == "health.medical_licence"
    assert naming.subject_of("subject-e_licence") == "e_licence"


def test_no_dag_is_taken_for_another_kind() -> None:
    assert naming.entry_of("subject-e_licence") is None
    assert naming.entry_of("maintenance") is None
    assert naming.subject_of("health.medical_licence") is None
    assert naming.subject_of("maintenance") is None


def test_contributors_are_the_published_sources_of_a_subjects_elements(catalog: Catalog) -> None:
    found = naming.contributors(catalog)

    assert found["natural_person"] == ("public_security.resident",)
    assert found["service_rating"] == (
        "administrative_approval.online_rating",
        "service_hall.hall_rating",
    )


def test_every_department_system_has_a_pool(catalog: Catalog) -> None:
    assert set(pools_of(catalog)) == {
        "unified_database",
        "administrative_approval_db",
        "civil_affairs_db",
        "health_api",
        "housing_construction_drop",
        "human_resources_db",
        "market_regulation_db",
        "public_security_db",
        "service_hall_api",
        "taxation_drop",
        "transport_drop",
    }


def test_a_system_says_how_many_pulls_it_bears(catalog: Catalog) -> None:
    hall = catalog.systems["health_api"].model_copy(update={"slots": 1})
    changed = catalog.model_copy(update={"systems": {**catalog.systems, "health_api": hall}})

    slots = pools_of(changed)

    assert (slots["health_api"], slots["service_hall_api"]) == (1, 2)


@pytest.mark.parametrize(
    ("limit", "zh", "en"),
    [
        (timedelta(minutes=30), "30 分钟", "30 minutes"),
        (timedelta(days=1), "1 天", "1 day"),
        (timedelta(days=366), "366 天", "366 days"),
        (None, "无", "none"),
    ],
)
def test_a_freshness_limit_reads_well_in_both_languages(
    limit: timedelta | None, zh: str, en: str
) -> None:
    assert (describe.limit_zh(limit), describe.limit_en(limit)) == (zh, en)


def test_an_entrys_text_names_its_promises_in_both_languages(catalog: Catalog) -> None:
    entry = catalog.entries["health.medical_licence"]

    text = describe.entry_doc(entry, catalog)

    assert "更新周期：每周；时效上限：7 天" in text
    assert "Update cycle `weekly`: schedule `30 1 * * 1` Asia/Shanghai" in text
    assert all(f"`{item.field}`" in text for item in entry.items)
