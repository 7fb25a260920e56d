"""What a grant gives stays readable through real vacuums, until the grant ends."""

from datetime import timedelta

import pytest

from yishu.ledger.pins import pinned_versions
from yishu.library import maintain, unified_table
from yishu.library.errors import VersionMissing
from yishu.library.read import read
from yishu.sharing import delivering, housekeeping, opening
from yishu.sharing.house import ready

TABLE = unified_table("market_regulation.enterprise_registration")
ANEW = ("91320205MA1ABCDE09", "庚物流", "周杰", "320205", "1")


@pytest.fixture
def newer(publish):
    """Publish the next version: the table has one row, and another one each time."""

    def make(number):
        row = (f"{ANEW[0][:-2]}{number:02d}", *ANEW[1:])
        return publish(f"later-{number}", [row])

    return make


def held(house):
    with house.engine.begin() as connection:
        return dict(pinned_versions(connection))


def survives(house, version):
    """Whether a version can be read after maintenance that keeps no history of its own."""
    maintain(house.library, TABLE, history_days=0, protected=held(house).get(TABLE, []))
    try:
        read(house.library, TABLE, version=version)
    except VersionMissing:
        return False
    return True


def test_the_version_at_opening_stays_until_the_channel_is_closed(office, house, people, newer):
    grant_id = office.granted()
    with house.engine.begin() as connection:
        opening.open_channel(house.desk(connection), grant_id, people.operator)
    newer(1)
    assert survives(house, 0)

    with house.engine.begin() as connection:
        opening.close(house.desk(connection), grant_id, people.operator, "用途已结束")
    assert not survives(house, 0)
    assert held(house) == {}


def test_what_was_delivered_last_stays_and_a_newer_delivery_takes_its_place(office, house, newer):
    grant_id, _ = office.opened(mode="file_download", format="csv_utf8")
    assert delivering.deliver(house, grant_id, {}).version == 0
    newer(1)
    assert survives(house, 0)

    later = delivering.deliver(house, grant_id, {}).version
    newer(2)
    assert not survives(house, 0)
    assert survives(house, later)


def test_a_version_that_two_grants_give_stays_until_the_last_of_them_expires(
    office, house, clock, newer
):
    first, _ = office.opened()
    second, _ = office.opened(valid_until="2027-05-31")
    with house.engine.begin() as connection:
        for grant_id in (first, second):
            ready(house, connection, grant_id)
    newer(1)

    clock.at += timedelta(days=200)
    with house.engine.begin() as connection:
        assert opening.expire(house.desk(connection)) == [second]
    assert survives(house, 0)

    clock.at += timedelta(days=200)
    with house.engine.begin() as connection:
        assert opening.expire(house.desk(connection)) == [first]
    assert not survives(house, 0)


def test_a_call_that_overlaps_the_end_of_its_grant_holds_nothing_for_long(office, house, people):
    grant_id, _ = office.opened()
    with house.engine.begin() as reading:
        ready(house, reading, grant_id)
        with house.engine.begin() as connection:
            opening.close(house.desk(connection), grant_id, people.operator, "用途已结束")
    assert held(house) == {TABLE: [0]}

    housekeeping.clear(house)

    assert held(house) == {}
