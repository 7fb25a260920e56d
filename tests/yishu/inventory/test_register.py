"""The register of docked systems: direction, contact, last success, missing deliveries."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from catalog.model import CatalogEntry, Department, SourceSpec, System
from catalog.vocabulary import Direction, UpdateCycle
from yishu.inventory.register import missing_deliveries, register
from yishu.ledger import DeliveryRow, LastContact

NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
HEALTH = Department.model_construct(id="health", name="无锡市卫生健康委员会", contact="医政科")


@dataclass
class City:
    entries: dict
    systems: dict = field(default_factory=dict)
    departments: dict = field(default_factory=lambda: {"health": HEALTH})


def entry(id_, cycle="daily", connection="health_api", kind="rest"):
    return CatalogEntry.model_construct(
        id=id_,
        provider_org="health",
        update_cycle=UpdateCycle(cycle),
        published_on=date(2026, 11, 1),
        source=SourceSpec(connection=connection, kind=kind),
    )


def city(*entries, systems=()):
    by_id = {one.id: one for one in entries}
    return City(by_id, {one.id: one for one in systems})


def delivered(id_, ago):
    return {id_: DeliveryRow(id_, "r", NOW - ago, NOW - ago, 5)}


@pytest.mark.parametrize(
    ("cycle", "ago", "missing"),
    [
        ("daily", timedelta(hours=23), 0),
        ("daily", timedelta(days=1), 1),
        ("daily", timedelta(days=3, hours=5), 3),
        ("weekly", timedelta(days=6), 0),
        ("realtime", timedelta(hours=2), 4),
        ("on_demand", timedelta(days=900), 0),
    ],
)
def test_deliveries_are_missed_by_the_update_cycle(cycle, ago, missing):
    assert missing_deliveries(entry("health.a", cycle), NOW - ago, NOW) == missing


def test_what_never_came_is_owed_since_the_entry_was_published():
    assert missing_deliveries(entry("health.a"), None, NOW) == 19


@pytest.mark.requirement("SHR-15", "EXC-07")
def test_a_docked_system_stands_with_direction_contact_and_last_success():
    system = System(
        id="health_api", name="执业许可查询", department="health", direction="both", contact="王工"
    )
    known = city(entry("health.a"), entry("health.b", "weekly"), systems=[system])
    last = delivered("health.a", timedelta(hours=30)) | delivered("health.b", timedelta(days=20))
    contacts = {"health_api": LastContact("health_api", NOW - timedelta(hours=1), NOW)}

    (found,) = register(known, last, contacts, NOW)

    assert (found.connection_id, found.kind, found.entries) == ("health_api", "rest", 2)
    assert found.direction is Direction.BOTH
    assert (found.department, found.contact) == ("无锡市卫生健康委员会", "王工")
    assert found.last_success == NOW - timedelta(hours=30)
    assert found.last_answer == NOW - timedelta(hours=1)
    assert found.missing == {"daily": 1, "weekly": 2}
    assert found.late_entries == ("health.a", "health.b")


@pytest.mark.requirement("EXC-07")
def test_a_system_that_nothing_is_pulled_from_yet_is_listed_too():
    system = System(id="old_system", name="x", department="health", direction="outbound")

    (found,) = register(city(systems=[system]), {}, {}, NOW)

    assert (found.entries, found.last_success, found.kind) == (0, None, "")
    assert found.contact == "医政科"


def test_a_connection_that_nobody_registered_is_told_apart():
    (found,) = register(city(entry("health.a")), {}, {}, NOW)

    assert not found.is_registered
    assert found.direction is Direction.INBOUND
