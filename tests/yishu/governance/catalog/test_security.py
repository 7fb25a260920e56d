"""Protection levels and incidents on record, and where every data set lies."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.roles import Role
from catalog.vocabulary import IncidentPhase
from yishu.governance import inventory, notices, security
from yishu.governance.errors import Forbidden, NotFound, ReasonMissing, StateRefused
from yishu.governance.security import System

PORTAL = System("portal", "政务服务平台", "command_centre", 3, "32020099001", date(2025, 12, 1))


@pytest.fixture
def keep(connection, people, at):
    def put(system):
        security.keep(connection, system, people["operator"], at(2))

    return put


@pytest.mark.requirement("SEC-04")
def test_a_system_has_its_level_filing_and_assessment_on_record(connection, keep, people, at):
    keep(PORTAL)
    assert security.systems(connection) == [PORTAL]
    with pytest.raises(ReasonMissing, match="filing number"):
        keep(replace(PORTAL, mlps_filing_no=""))
    with pytest.raises(StateRefused):
        keep(replace(PORTAL, mlps_level=6))
    with pytest.raises(Forbidden):
        security.keep(connection, PORTAL, people["officer"], at(2))


@pytest.mark.requirement("SEC-04")
@pytest.mark.parametrize(
    ("on", "found"),
    [
        (date(2026, 10, 30), []),
        (date(2026, 11, 15), ["等级测评将于 2026-12-01 到期"]),
        (date(2026, 12, 1), ["等级测评将于 2026-12-01 到期"]),
        (date(2026, 12, 2), ["等级测评已过期（应于 2026-12-01 前完成）"]),
    ],
)
def test_an_assessment_that_is_due_or_over_alerts(connection, keep, on, found):
    keep(PORTAL)
    keep(System("notice_board", "公告", "command_centre", 1))
    assert [alert.text_zh for alert in security.alerts(connection, on)] == found


@pytest.mark.requirement("SEC-04")
def test_operators_are_told_of_each_alert_once(connection, keep, at):
    keep(replace(PORTAL, mlps_assessed_on=date(2025, 11, 18)))

    told = [security.tell_alerts(connection, "command_centre", at(day)) for day in (17, 18, 19, 20)]

    assert told == [1, 0, 1, 0]
    newest, first = notices.inbox(connection, org="command_centre", role=Role.CENTRE_OPERATOR)
    assert "已过期" in newest.text
    assert "到期" in first.text


def test_a_system_that_was_never_assessed_alerts_at_once(connection, keep):
    keep(replace(PORTAL, mlps_assessed_on=None))
    (alert,) = security.alerts(connection, date(2026, 1, 1))
    assert (alert.due_on, alert.responsible_org) == (None, "command_centre")


@pytest.mark.requirement("SEC-04")
def test_an_incident_has_its_five_phases_in_their_order(connection, keep, people, at):
    keep(PORTAL)
    by = people["operator"]
    opened = security.open_incident(connection, "portal", "异常登录", by, at(3))
    with pytest.raises(StateRefused, match="prevention"):
        security.record_phase(
            connection, opened.incident, IncidentPhase.RESPONSE, "断开", by=by, at=at(3)
        )
    for phase in IncidentPhase:
        done = security.record_phase(
            connection, opened.incident, phase, phase.label_zh, by=by, at=at(4)
        )
    assert list(done.steps) == list(IncidentPhase)
    assert done.next_phase is None
    with pytest.raises(IntegrityError):
        connection.execute(text("update ledger.incident_step set text = 'x'"))


def test_an_incident_belongs_to_a_registered_system(connection, people, at):
    with pytest.raises(NotFound):
        security.open_incident(connection, "nowhere", "x", people["operator"], at(3))


@pytest.mark.requirement("OWN-10")
def test_one_query_gives_every_data_set_with_place_owner_and_custodian(connection, files):
    run = "('r1', 'taxation.taxpayer', 'entry', 'running', 'x', now())"
    connection.execute(
        text(
            "insert into ledger.run (run_id, object_id, kind, state, release_id, started_at) "
            f"values {run}"
        )
    )
    counts = "read, inserted, updated, unchanged, deleted, quarantined, superseded, rows"
    connection.execute(
        text(
            "insert into ledger.library_commit (run_id, object_id, layer, table_name, version, "
            f"{counts}, committed_at) values ('r1', 'taxation.taxpayer', 'unified', "
            "'unified/taxation.taxpayer', 4, 9, 9, 0, 0, 0, 0, 0, 9, now())"
        )
    )
    found = {one.entry_id: one for one in inventory.data_sets(connection)}
    assert set(found) == set(files.entries)
    assert {one.custodian for one in found.values()} == {"command_centre"}
    taxpayer = found["taxation.taxpayer"]
    assert (taxpayer.owner, taxpayer.location, taxpayer.table_version, taxpayer.rows) == (
        "taxation",
        "unified/taxation.taxpayer",
        4,
        9,
    )
    assert found["health.medical_licence"].location is None
