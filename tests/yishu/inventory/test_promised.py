"""Data sets that were promised to the city database: due, delivered, missing."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from catalog.model import Department, System
from catalog.source import DeliveryContract
from yishu.inventory.promised import Delivery, first_deliveries, promised

HEALTH = Department.model_construct(id="health", name="无锡市卫生健康委员会", contact="医政科")
DUE = date(2026, 11, 20)
LAST_MOMENT = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)
TOO_LATE = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
"""Midnight in Beijing."""


@dataclass
class City:
    entries: dict
    systems: dict
    departments: dict = field(default_factory=lambda: {"health": HEALTH})


def city(*cataloged):
    contract = DeliveryContract(
        number="锡数对接〔2026〕3号",
        first_delivery=DUE,
        data_sets=("health.licence", "health.doctor", "health.bed"),
    )
    systems = [
        System(id="health_api", name="执业许可查询", department="health", contract=contract),
        System(id="other", name="x", department="health"),
    ]
    return City(dict.fromkeys(cataloged), {one.id: one for one in systems})


def states(found):
    return {one.data_set.partition(".")[2]: one.state for one in found}


@pytest.mark.requirement("EXC-10")
def test_what_is_due_and_did_not_come_is_missing_with_whom_to_ask():
    known = city("health.licence", "health.doctor")
    first = {"health.licence": LAST_MOMENT}

    found = promised(known, first, TOO_LATE)

    assert states(found) == {
        "licence": Delivery.ON_TIME,
        "doctor": Delivery.MISSING,
        "bed": Delivery.NOT_CATALOGED,
    }
    assert [one.data_set for one in found if one.is_missing] == ["health.doctor", "health.bed"]
    assert {(one.contract, one.contact, one.due_on) for one in found} == {
        ("锡数对接〔2026〕3号", "医政科", DUE)
    }


@pytest.mark.requirement("EXC-10")
@pytest.mark.parametrize(
    ("now", "state"), [(LAST_MOMENT, Delivery.NOT_DUE), (TOO_LATE, Delivery.MISSING)]
)
def test_a_delivery_may_come_until_the_end_of_its_day_in_beijing(now, state):
    assert states(promised(city("health.licence"), {}, now))["licence"] is state


@pytest.mark.requirement("EXC-10")
def test_a_delivery_that_came_late_is_told_apart_and_not_missing():
    one = promised(city("health.licence"), {"health.licence": TOO_LATE}, TOO_LATE)[0]

    assert (one.state, one.is_missing) == (Delivery.LATE, False)


@pytest.mark.requirement("EXC-10")
def test_the_first_delivery_is_when_a_published_table_was_first_read(published_city):
    ctx, done = published_city
    with ctx.ledger.reading() as connection:
        first = first_deliveries(connection)

    assert set(first) == set(done)
    assert set(first.values()) == {ctx.clock()}
