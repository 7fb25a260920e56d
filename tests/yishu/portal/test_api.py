"""The REST API does what pages do, by the same permissions, and never breaks on odd input."""

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error

from yishu.governance import accounts
from yishu.governance.promises import clock_rows
from yishu.portal import api_tokens
from yishu.portal.app import create_app

ENTRY = "taxation.taxpayer"


@pytest.fixture(scope="module")
def portal_world(portal_world, own_suites):
    """The demo's world with decisions of its own: what is drawn may be a waiver."""
    return own_suites(portal_world)


@pytest.fixture(scope="module")
def token(portal_world):
    """Makes headers with a token of an account."""

    def make(account):
        with portal_world.engine.begin() as connection:
            actor = accounts.find(connection, account, portal_world.today())
            made = api_tokens.make(connection, actor, "test", 1, portal_world.clock())
        return {"Authorization": f"Bearer {made}"}

    return make


def test_from_draft_to_release_by_the_api(client, token, portal_world):
    asker = client()
    officer, head, reviewer = token("officer.taxation"), token("head.taxation"), token("reviewer")
    content = asker.get(f"/api/v1/entries/{ENTRY}", headers=officer).json()
    content = {name: value for name, value in content.items() if value is not None}
    content["use_condition"] = "仅限履行法定职责"
    draft = {
        "content": content,
        "cause": "law_change",
        "cause_note": "新规",
        "changed_on": "2026-11-10",
    }
    base = f"/api/v1/drafts/{ENTRY}"

    assert asker.put(base, headers=officer, json=draft).json()["state"] == "draft"
    with portal_world.engine.connect() as connection:
        (clock,) = clock_rows(connection, object_id=ENTRY)
    assert (clock.promise, clock.profile) == ("catalog_update", "wuxi_2022")
    refused = asker.post(f"{base}/submission", headers=officer)
    assert refused.status_code == 422
    assert refused.json()["code"] == "CAT_FAULTS"
    for who, kind, verdict in (
        (head, "head_consent", "consented"),
        (reviewer, "confidentiality", "may_be_shared"),
    ):
        said = {"kind": kind, "verdict": verdict, "basis": "已核对"}
        assert asker.post(f"{base}/assessments", headers=who, json=said).status_code == 200
    assert asker.post(f"{base}/submission", headers=officer).json()["state"] == "submitted"
    assert [one["entry_id"] for one in asker.get("/api/v1/reviews", headers=reviewer).json()] == [
        ENTRY
    ]
    said = {"decision": "approve", "opinion": "同意"}
    assert asker.post(f"/api/v1/reviews/{ENTRY}", headers=reviewer, json=said).status_code == 200
    done = asker.post(f"/api/v1/reviews/{ENTRY}/publication", headers=reviewer)
    assert done.json()["release"] == portal_world.release().id
    changes = asker.get(
        f"/api/v1/entries/{ENTRY}/diff", headers=officer, params={"before": 1, "after": 2}
    ).json()
    assert any("使用条件由" in one["text_zh"] for one in changes)


def test_an_error_has_its_four_parts_in_both_languages(client, token):
    answer = client().get("/api/v1/entries/a.b", headers=token("auditor"))

    assert answer.status_code == 404
    problem = answer.json()
    parts = {"title", "title_en", "code", "object", "found", "expected", "remedy", "remedy_zh"}
    assert parts <= set(problem)
    assert problem["remedy_zh"] == "请先将数据编目并发布，或在数据目录中搜索后选择"


def test_the_api_is_described_and_counts_its_hits(client, token):
    asker = client()
    described = asker.get("/api/v1/openapi.json").json()
    found = asker.get(
        "/api/v1/entries", headers=token("auditor"), params={"org": "taxation"}
    ).json()

    assert described["openapi"].startswith("3.")
    assert found["total"] == found["facets"]["org"]["taxation"] == len(found["entries"])


@pytest.fixture(scope="module")
def described(portal_world):
    """The API by its own description."""
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(portal_world))


@hypothesis.settings(
    max_examples=5, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    # An example is a call of every operation: it shrinks for minutes and says no more.
    phases=[hypothesis.Phase.generate],
)  # fmt: skip
@hypothesis.given(data=hypothesis.strategies.data())
def test_no_input_breaks_it(described, token, data):
    headers = [token(who) for who in ("officer.taxation", "reviewer")]
    for result in described.get_all_operations():
        case = data.draw(result.ok().as_strategy())
        for one in headers:
            case.call_and_validate(headers=one, checks=[not_a_server_error])
