"""An entry's way through review moves its clock from department to authority, and ends it."""

import pytest

from yishu.governance import lifecycle
from yishu.governance.catalog_clock import DriftSeen, on_drift
from yishu.governance.promises import clock_of

TAXPAYER = "taxation.taxpayer"


@pytest.mark.requirement("COL-05")
def test_review_and_publication_are_events_of_the_clock(connection, desk, people, at):
    seen = DriftSeen(TAXPAYER, "taxation", "来源新增字段：tel（text）", at(1))
    clock_id = on_drift(connection, seen, "wuxi_2022")
    desk.draft(connection, TAXPAYER)
    desk.assess(connection, TAXPAYER)
    desk.submit(connection, TAXPAYER)
    lifecycle.send_back(connection, TAXPAYER, "缺共享条件", people["reviewer"], at(5))
    desk.submit(connection, TAXPAYER, 6)
    desk.approve(connection, TAXPAYER, 7)
    desk.assess(connection, TAXPAYER, 7)
    lifecycle.publish(connection, TAXPAYER, people["reviewer"], at(8))
    row = clock_of(connection, clock_id)

    assert [(event.kind.value, event.at.day) for event in row.events] == [
        ("opened", 1),
        ("submitted", 4),
        ("returned", 5),
        ("submitted", 6),
        ("fulfilled", 8),
    ]
    assert row.closed_at == at(8)
