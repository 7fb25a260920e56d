"""Two people at once through the pages: one is done, the other is told, nothing is lost."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import httpx
import pytest
from sqlalchemy import event

from catalog.roles import Role
from catalog.vocabulary import EntryState
from yishu.governance import accounts, versions
from yishu.ledger.journal import Actor
from yishu.portal.app import create_app
from yishu.portal.depends import AT_ONCE

ENTRY = "taxation.taxpayer"
CLERK = Actor("p-clerk", "clerk.taxation", Role.DEPARTMENT_OFFICER, "taxation")
SECOND = Actor("p-second", "second", Role.AUTHORITY_REVIEWER, "big_data_bureau")


@pytest.fixture(scope="module", autouse=True)
def colleagues(portal_world):
    with portal_world.engine.begin() as connection:
        for actor in (CLERK, SECOND):
            accounts.add(connection, actor, actor.account, valid_from=date(2026, 1, 1))


def at_once(*asked):
    """The answers to requests that are sent at one moment; each is a client, a path, a form."""
    start = Barrier(len(asked))

    def send(one):
        asker, path, form = one
        start.wait()
        return asker.post(path, data=form | {"csrf": asker.csrf})

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(send, asked))


def open_one(world):
    with world.engine.connect() as connection:
        return versions.open_version(connection, ENTRY)


@pytest.fixture(scope="module")
def officers(client):
    return client("officer.taxation"), client(CLERK.account)


def test_of_two_officers_who_save_one_draft_one_is_told_and_nothing_is_overwritten(
    officers, portal_world, compile_form
):
    for edit in (1, 2):
        forms = [
            compile_form(one, ENTRY, cause_note=f"说明{number}")
            for number, one in enumerate(officers)
        ]
        path = f"/compile/{ENTRY}"
        answers = at_once(*((one, path, form) for one, form in zip(officers, forms, strict=True)))

        statuses = [one.status_code for one in answers]
        assert sorted(statuses) == [303, 409], [one.text[-2000:] for one in answers]
        kept = open_one(portal_world)
        assert (kept.edit, kept.cause_note) == (edit, f"说明{statuses.index(303)}")
        assert "请重新打开" in answers[statuses.index(409)].text


def test_of_two_reviewers_one_decides_and_the_other_is_told(client, portal_world, compile_form):
    officer = client("officer.taxation")
    for asker, kind, verdict in (
        (client("head.taxation"), "head_consent", "consented"),
        (client("reviewer"), "confidentiality", "may_be_shared"),
    ):
        said = {"csrf": asker.csrf, "kind": kind, "verdict": verdict, "basis": "已核对"}
        assert asker.post(f"/review/{ENTRY}/assess", data=said).status_code == 303
    form = compile_form(officer, ENTRY, do="submit")
    assert officer.post(f"/compile/{ENTRY}", data=form).status_code == 303

    path, seen = f"/review/{ENTRY}", {"seen": "submitted"}
    answers = at_once(
        (client("reviewer"), path, {"decision": "approve", "opinion": "符合要求"} | seen),
        (client(SECOND.account), path, {"decision": "return", "opinion": "缺依据"} | seen),
    )

    statuses = [one.status_code for one in answers]
    assert sorted(statuses) == [303, 409]
    winner = statuses.index(303)
    version = open_one(portal_world)
    assert version.state is (EntryState.APPROVED, EntryState.RETURNED)[winner]
    assert version.reviewed_account == ("reviewer", SECOND.account)[winner]


def test_a_crowd_waits_its_turn_instead_of_for_each_other(client, portal_world):
    """However many ask at once, no more than a few hold a transaction, and all are answered."""
    cookies, held, most = dict(client("reviewer").cookies), set(), []
    app = create_app(portal_world)

    async def crowd():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", cookies=cookies
        ) as asker:
            return await asyncio.gather(*(asker.get("/") for _ in range(5 * AT_ONCE)))

    def taken(_, record, __):
        held.add(record)
        most.append(len(held))

    def given_back(_, record):
        held.discard(record)

    event.listen(portal_world.engine, "checkout", taken)
    event.listen(portal_world.engine, "checkin", given_back)
    try:
        answers = asyncio.run(crowd())
    finally:
        event.remove(portal_world.engine, "checkout", taken)
        event.remove(portal_world.engine, "checkin", given_back)

    assert {one.status_code for one in answers} == {200}
    assert max(most) == AT_ONCE
