"""A waiver is written below the decisions that are there, with who decided, why, and until when."""

from datetime import date

import pytest

from catalog.roles import Role
from expectations.rulebook import rulebook

ENTRY, CHECK = "administrative_approval.online_rating", "case_no.exists.case"


@pytest.fixture(scope="module")
def portal_world(portal_world, own_suites):
    """The demo's world with decisions of its own."""
    return own_suites(portal_world)


def form(asker, **changed):
    return {
        "csrf": asker.csrf, "check": CHECK, "until": "2026-12-31", "reason": "办件延迟一月到达",
    } | changed  # fmt: skip


def test_a_waiver_is_added_and_what_was_there_stays(client, portal_world):
    admin, path = client(Role.ADMINISTRATOR), f"/rules/waivers/{ENTRY}"
    before = (portal_world.suites / f"{ENTRY}.yaml").read_text("utf-8")
    assert CHECK in admin.get(path).text

    for values in ("1，2", ""):
        given = form(admin, by="case_no" if values else "", values=values)
        assert admin.post(path, data=given).status_code == 303

    after = (portal_world.suites / f"{ENTRY}.yaml").read_text("utf-8")
    assert after.startswith(before.rstrip("\n"))
    first, second = rulebook(ENTRY, portal_world.suites).waivers
    assert (first.scope.by, first.scope.values) == ("case_no", ("1", "2"))
    assert second.scope is None
    assert (first.since, first.until) == (date(2026, 11, 20), date(2026, 12, 31))
    assert first.id != second.id
    assert "陈管" in first.author
    assert "办件延迟一月到达" in admin.get("/rules").text


@pytest.mark.parametrize(
    "wrong", [{"until": "2026-11-19"}, {"reason": ""}, {"check": "no.such.check"}, {"until": "x"}]
)
def test_what_is_no_waiver_changes_nothing(client, portal_world, wrong):
    admin, file = client(Role.ADMINISTRATOR), portal_world.suites / f"{ENTRY}.yaml"
    before = file.read_bytes()

    answer = admin.post(f"/rules/waivers/{ENTRY}", data=form(admin, **wrong))

    assert answer.status_code in (404, 422)
    assert file.read_bytes() == before


def test_a_department_does_not_waive(client):
    officer = client(Role.DEPARTMENT_OFFICER)

    assert officer.post(f"/rules/waivers/{ENTRY}", data=form(officer)).status_code == 403
