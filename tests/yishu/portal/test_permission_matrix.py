"""Every route x every role x own or another department: generated, so none can be forgotten."""

import re

import pytest
from fastapi.routing import APIRoute

from catalog.roles import Action, Role, may
from yishu.governance import accounts
from yishu.portal import api_tokens, tokens
from yishu.portal.app import create_app
from yishu.portal.depends import Permitted, caller, newcomer, signed_in

PUBLIC = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-in/demo"),
    ("GET", "/sign-in/openid"), ("GET", "/sign-in/openid/back"), ("GET", "/language/{language}"),
}  # fmt: skip
"""What anybody may ask for; a route comes in here on purpose or not at all."""

PEOPLE = sorted(set(Role) - {Role.RULE})
OWN, OTHER = "taxation.taxpayer", "public_security.resident"


def routes_of(router):
    """Every route, also those of routers that are included as they are."""
    for one in router.routes:
        if isinstance(one, APIRoute):
            yield one
        elif hasattr(one, "original_router"):
            yield from routes_of(one.original_router)


def guards(dependant):
    found = [dependant.call] if dependant.call else []
    for inner in dependant.dependencies:
        found += guards(inner)
    return found


@pytest.fixture(scope="module")
def routes(portal_world):
    app = create_app(portal_world)
    found = [
        (method, route.path, guards(route.dependant))
        for route in routes_of(app)
        for method in route.methods - {"HEAD", "OPTIONS"}
    ]
    assert len(found) > 30
    return found


def permissions(found):
    return [guard for guard in found if isinstance(guard, Permitted)]


def test_every_route_says_who_may_ask_for_it(routes):
    for method, path, found in routes:
        guarded = any(one in (signed_in, newcomer, caller) for one in found)
        assert ((method, path) in PUBLIC) != guarded, f"{method} {path}"


def test_nobody_gets_anything_but_the_sign_in_without_an_account(routes, client):
    asker = client()
    for method, path, _ in routes:
        if (method, path) not in PUBLIC:
            address = re.sub(r"\{[^}]*\}", "1", path)
            answer = asker.request(method, address, headers={"accept": "application/json"})
            assert answer.status_code in (401, 422), f"{method} {path}: {answer.status_code}"


@pytest.mark.requirement("CAT-04", "OWN-04", "SEC-08")
@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_reaches_what_the_table_permits_and_nothing_else(role, routes, client, portal_world):
    asker = client(role)
    with portal_world.engine.begin() as connection:
        actor = accounts.find(connection, asker.account, portal_world.today())
        token = api_tokens.make(connection, actor, "test", 1, portal_world.clock())
    for method, path, found in routes:
        for guard in permissions(found):
            for entry_id in (OWN, OTHER):
                answer = _ask(asker, token, method, path, entry_id)
                org = entry_id.partition(".")[0] if guard.of else actor.org
                allowed = may(role, guard.action, org=actor.org, object_org=org)
                told = f"{role} {method} {path} {entry_id}: {answer.status_code}"
                if allowed:
                    assert answer.status_code not in (401, 403), told
                else:
                    assert answer.status_code == 403, told


def _ask(asker, token, method, path, entry_id):
    address = re.sub(r"\{[^}]*\}", "1", path.replace("{entry_id}", entry_id))
    headers = {"accept": "application/json", "X-CSRF-Token": asker.csrf}
    if path.startswith("/api/"):
        headers["Authorization"] = f"Bearer {token}"
    # An empty body: whoever may ask is told what is missing, and nothing is changed.
    return asker.request(method, address, headers=headers)


def test_every_action_of_the_table_that_has_a_page_is_guarded_by_it(routes):
    used = {guard.action for _, _, found in routes for guard in permissions(found)}

    assert {Action.COMPILE_ENTRY, Action.REVIEW_ENTRY, Action.PUBLISH_ENTRY} <= used


def test_a_token_is_over_when_it_is_ended_or_old(client, portal_world):
    asker = client(Role.AUDITOR)
    made = asker.post("/account/tokens", data={"csrf": asker.csrf, "label": "a", "days": 1}).text
    token = re.search(r"yishu_[\w-]{20,}", made).group()
    headers = {"Authorization": f"Bearer {token}"}
    assert asker.get("/api/v1/me", headers=headers).json()["account"] == "auditor"
    reference = tokens.digest(token)[:12]

    other = client(Role.ADMINISTRATOR)
    told = other.post(f"/account/tokens/{reference}/revoke", data={"csrf": other.csrf})
    assert told.status_code == 404
    asker.post(f"/account/tokens/{reference}/revoke", data={"csrf": asker.csrf})
    assert asker.get("/api/v1/me", headers=headers).status_code == 401
