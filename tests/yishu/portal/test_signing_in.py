"""Passwords, lock-out, first passwords, the OpenID provider: who comes in, what is on record."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import func, select

from yishu.governance import accounts
from yishu.governance.errors import Forbidden
from yishu.ledger.models import Credential, JournalRecord
from yishu.portal import credentials, openid
from yishu.portal.app import create_app

GOOD = "五言绝句二十个汉字很好记 yes"
OFFICER = "officer.taxation"


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def locked(portal_world):
    """The portal of production: no demo sign-in, a clock that the test sets; a client."""
    clock = Clock(portal_world.clock())
    world = replace(portal_world, demo=False, clock=clock)
    asker = TestClient(create_app(world), follow_redirects=False)
    return asker, world, clock


def give(world, account=OFFICER, password=GOOD, must_change=False):
    with world.engine.begin() as connection:
        credentials.set_password(
            connection, account, password, world.clock(), must_change=must_change
        )


def sign_in(asker, password=GOOD, account=OFFICER):
    return asker.post("/sign-in", data={"account": account, "password": password})


def on_record(world, outcome):
    told = JournalRecord.after["outcome"].astext == outcome
    asked = select(func.count()).where(JournalRecord.action == "sign_in", told)
    with world.engine.connect() as connection:
        return connection.execute(asked).scalar()


def test_without_the_demo_nobody_comes_in_without_a_password(locked):
    asker, _, _ = locked

    assert asker.post("/sign-in/demo", data={"account": "admin"}).status_code == 404
    assert "演示账号" not in asker.get("/sign-in").text


@pytest.mark.requirement("SEC-03")
def test_the_right_password_opens_a_session_that_is_on_record(locked):
    asker, world, _ = locked
    give(world)
    before = on_record(world, "opened")

    answer = sign_in(asker)

    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert asker.get("/").status_code == 200
    assert on_record(world, "opened") == before + 1


def test_five_wrong_passwords_lock_also_the_right_one_for_a_quarter_of_an_hour(locked):
    asker, world, clock = locked
    give(world)
    for _ in range(5):
        assert sign_in(asker, "wrong").status_code == 401

    assert sign_in(asker).status_code == 401
    clock.now += timedelta(minutes=16)
    assert sign_in(asker).status_code == 303
    assert on_record(world, "refused") >= 5


def test_an_unknown_account_and_a_wrong_password_are_told_alike(locked):
    asker, world, _ = locked
    give(world)

    wrong, unknown = sign_in(asker, "wrong"), sign_in(asker, account="nobody")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("wrong", "") == unknown.text.replace("wrong", "")


def test_a_first_password_opens_nothing_but_its_change(locked):
    asker, world, _ = locked
    give(world, must_change=True)
    sign_in(asker)

    assert asker.get("/").headers["location"] == "/password"
    csrf = asker.get("/password").text.split('name="csrf" value="')[1].split('"')[0]
    new = "另一句不会被猜到的话 12345"
    for bad in ({"new": "short", "again": "short"}, {"new": new, "again": new + "x"}):
        assert asker.post("/password", data={"csrf": csrf, "old": GOOD, **bad}).status_code == 422
    told = {"csrf": csrf, "old": GOOD, "new": new, "again": new}
    assert asker.post("/password", data=told).status_code == 303
    assert asker.get("/").status_code == 200
    assert sign_in(asker, GOOD).status_code == 401


def test_no_password_and_no_token_is_kept_in_clear(locked):
    asker, world, _ = locked
    give(world)
    sign_in(asker)
    with world.engine.connect() as connection:
        hashes = connection.execute(select(Credential.password_hash)).scalars().all()

    assert all(one.startswith("$argon2id$") for one in hashes)


def test_a_session_ends_when_nobody_uses_it_and_after_a_day_of_work(locked):
    asker, world, clock = locked
    give(world)
    sign_in(asker)
    began = clock.now
    while asker.get("/").status_code == 200:
        clock.now += timedelta(minutes=25)
    assert timedelta(hours=11) < clock.now - began <= timedelta(hours=12, minutes=25)
    sign_in(asker)
    clock.now += timedelta(minutes=31)
    assert asker.get("/").status_code == 303


def test_only_an_administrator_gives_first_passwords(locked):
    _, world, _ = locked
    give(world)
    with world.engine.begin() as connection:
        for name in ("admin", OFFICER, None):
            actor = accounts.find(connection, name, world.today()) if name else None
            if name == "admin":
                assert len(credentials.reset(connection, "reviewer", actor, world.clock())) > 12
                continue
            with pytest.raises(Forbidden):
                credentials.reset(connection, "reviewer", actor, world.clock())


@pytest.fixture(scope="module")
def provider():
    """A real OpenID provider on this machine."""
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def by_openid(portal_world, provider):
    """The portal with that provider."""
    settings = portal_world.settings.model_copy(
        update={"openid_issuer": provider, "openid_client_secret": SecretStr("of-the-tests")}
    )
    world = replace(portal_world, settings=settings, demo=False)
    asker = TestClient(create_app(world), follow_redirects=False, base_url="http://testserver")
    return asker, world


def go_and_come_back(asker, subject):
    """Sign in at the provider as that person; where it sends the browser back."""
    address = asker.get("/sign-in/openid").headers["location"]
    back = httpx.post(address, data={"sub": subject}).headers["location"]
    parts = urlsplit(back)
    return f"{parts.path}?{parts.query}"


def test_a_person_of_the_provider_comes_in_through_the_linked_account(by_openid):
    asker, world = by_openid
    assert "/sign-in/openid" in asker.get("/sign-in").text
    with world.engine.begin() as connection:
        admin = accounts.find(connection, "admin", world.today())
        person = openid.OutsidePerson(world.settings.openid_issuer, "4711")
        openid.link_by(connection, person, OFFICER, admin, world.clock())

    answer = asker.get(go_and_come_back(asker, "4711"))

    assert answer.status_code == 303, answer.text
    assert "李专" in asker.get("/").text


def test_a_person_without_an_account_and_a_forged_return_are_refused(by_openid):
    asker, _ = by_openid

    assert asker.get(go_and_come_back(asker, "nobody")).status_code == 401
    back = go_and_come_back(asker, "4711")
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert asker.get(back.replace(state, "forged")).status_code == 401
    asker.cookies.clear()
    assert asker.get(back).status_code == 401


def test_a_code_is_of_no_use_a_second_time(by_openid):
    asker, world = by_openid
    with world.engine.begin() as connection:
        admin = accounts.find(connection, "admin", world.today())
        person = openid.OutsidePerson(world.settings.openid_issuer, "4711")
        openid.link_by(connection, person, OFFICER, admin, world.clock())
    back = go_and_come_back(asker, "4711")
    cookie = asker.cookies[openid.COOKIE]
    assert asker.get(back).status_code == 303
    asker.cookies.clear()
    asker.cookies.set(openid.COOKIE, cookie)

    assert asker.get(back).status_code == 401
