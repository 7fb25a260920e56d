"""The frame of every page: who may come in, what is sent along, how errors look, both languages."""

import re

import pytest

from catalog.roles import Role
from yishu.portal.messages import english
from yishu.portal.security import MAX_BODY_BYTES

CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_nobody_sees_a_page_without_signing_in(client):
    answer = client().get("/")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/"


def test_everybody_has_a_first_page(client):
    for role in set(Role) - {Role.RULE}:
        answer = client(role).get("/")

        assert answer.status_code == 200
        assert role.label_zh in answer.text


def test_a_page_in_english_shows_no_chinese_of_the_frame(client):
    asker = client(Role.DEPARTMENT_OFFICER)
    asker.get("/language/en?next=/")

    page = asker.get("/").text

    left = [text for text in english() if CHINESE.search(text) and f">{text}<" in page]
    assert left == []
    assert "Home" in page


def test_the_switch_of_language_leads_to_no_other_site(client):
    for path in ("https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example"):
        answer = client().get("/language/en", params={"next": path})
        assert answer.headers["location"] == "/"


@pytest.mark.requirement("SEC-08")
def test_every_answer_has_the_secure_headers_and_no_inline_script(client):
    for path in ("/", "/sign-in", "/nowhere", "/static/yishu.css"):
        answer = client(Role.AUDITOR).get(path)

        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", answer.text)


def test_a_form_without_the_sessions_token_changes_nothing(client):
    asker = client(Role.AUDITOR)

    forged = asker.post("/sign-out", data={"csrf": "guess"})

    assert forged.status_code == 403
    assert "PORTAL_FORM_FORGED" in forged.text
    assert asker.get("/").status_code == 200


def test_a_sign_in_from_another_site_is_refused(client):
    answer = client().post(
        "/sign-in/demo", data={"account": "admin"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403


def test_signing_out_ends_the_session_also_for_a_kept_cookie(client):
    asker = client(Role.AUDITOR)
    kept = asker.cookies["yishu_session"]
    asker.post("/sign-out", data={"csrf": asker.csrf})
    other = client()
    other.cookies.set("yishu_session", kept)

    assert other.get("/").status_code == 303


def test_an_error_is_a_problem_in_both_languages_for_programs(client):
    answer = client(Role.AUDITOR).get("/api/v1/nowhere", headers={"accept": "application/json"})

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "没有找到"
    assert answer.json()["title_en"] == "Not found"


def test_an_upload_that_is_too_large_is_refused(client):
    asker = client(Role.AUDITOR)
    answer = asker.post("/password", files={"new": b"x" * (MAX_BODY_BYTES + 1)})

    assert answer.status_code == 413
    assert "PORTAL_TOO_LARGE" in answer.text


def test_the_frame_works_in_a_real_browser(browser_page, picture):
    page = browser_page(Role.DEPARTMENT_OFFICER)
    page.goto("/")

    assert page.get_by_role("link", name="首页").is_visible()
    picture(page, "home-empty")
    page.goto("/sign-in")
    picture(page, "sign-in")
