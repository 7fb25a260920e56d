"""Files over the REST API: whole catalogs, letters of requests, evidence, requests as workbooks."""

import io
from base64 import b64decode

import openpyxl
import pytest
import yaml
from sqlalchemy import func, select

from yishu.interchange.columns import COLUMNS, HEADINGS
from yishu.interchange.workbook import SHEET
from yishu.ledger.models import CatalogVersion, JournalRecord

OBJECT = "market_regulation.enterprise_registration"
OFFICER, OTHER = "officer.taxation", "officer.health"
PDF = b"%PDF-1.7 letter"


def drafts(world):
    with world.engine.connect() as connection:
        open_ones = CatalogVersion.state == "draft"
        return connection.execute(select(func.count()).where(open_ones)).scalar()


def saved(book):
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def cell(sheet, heading):
    return sheet.cell(2, COLUMNS.index(HEADINGS[heading]) + 1)


@pytest.fixture(scope="module")
def bring(ask):
    """Brings a file in as an account."""

    def bring(account, name, data, do="save"):
        said = {"do": do, "cause": "element_change"}
        files = {"upload": (name, data)}
        return ask(account, "POST", "/files/catalog", data=said, files=files)

    return bring


def test_a_catalog_leaves_as_a_workbook_and_comes_back_as_drafts(ask, bring, portal_world):
    asked = {"params": {"org": "taxation"}}
    data = ask(OFFICER, "GET", "/files/catalog.xlsx", **asked).content

    checked = bring(OFFICER, "目录.xlsx", data, "check").json()
    assert (checked["entries"], checked["is_saved"]) == (["taxation.taxpayer"], False)
    assert drafts(portal_world) == 0
    assert bring(OFFICER, "目录.xlsx", data).json()["is_saved"]

    assert drafts(portal_world) == 1
    kept = ask(OFFICER, "GET", "/drafts/taxation.taxpayer").json()
    assert (kept["cause"], kept["cause_note"]) == ("element_change", "批量导入")


def test_a_faulty_file_saves_nothing_and_every_fault_is_told_with_its_cell(
    ask, bring, portal_world
):
    before = drafts(portal_world)
    data = ask(OTHER, "GET", "/files/catalog.xlsx", params={"org": "health"}).content
    book = openpyxl.load_workbook(io.BytesIO(data))
    cell(book[SHEET], "共享类型").value = "随便"
    assert ask(OTHER, "GET", "/files/errors.xlsx").status_code == 404

    answer = bring(OTHER, "目录.xlsx", saved(book))

    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "EXC_FILE_FAULTY")
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["title"] != told["title_en"]
    places = {(one["row"], one["heading"]) for one in told["faults"]}
    assert (2, "共享类型") in places
    assert all({"expected_zh", "remedy_zh"} <= one.keys() for one in told["faults"])
    assert drafts(portal_world) == before
    back = openpyxl.load_workbook(io.BytesIO(ask(OTHER, "GET", "/files/errors.xlsx").content))
    assert "随便" in cell(back[SHEET], "共享类型").comment.text


@pytest.mark.requirement("CAT-04")
def test_a_file_is_refused_of_another_department_another_role_and_another_kind(
    ask, bring, portal_world
):
    before = drafts(portal_world)
    data = ask("auditor", "GET", "/files/catalog.yaml").content

    assert bring(OFFICER, "a.yaml", data).status_code == 403
    assert bring("auditor", "a.yaml", data).status_code == 403
    assert ask("auditor", "GET", "/files/errors.xlsx").status_code == 403
    assert bring(OFFICER, "a.exe", b"MZ").json()["code"] == "EXC_FILE_REFUSED"
    large = bring(OFFICER, "a.csv", b"," * (21 * 1024 * 1024))
    assert (large.status_code, large.json()["code"]) == (413, "PORTAL_TOO_LARGE")
    assert drafts(portal_world) == before


def test_one_entry_or_all_leave_in_every_form(ask, bring, portal_world):
    whole = yaml.safe_load_all(ask("auditor", "GET", "/files/catalog.yaml").text)
    assert {one["id"] for one in whole} == set(portal_world.release().entries)
    for form, media in (
        ("ttl", "text/turtle"), ("jsonld", "application/ld+json"), ("odcs.yaml", "application/yaml")
    ):  # fmt: skip
        one = ask(OFFICER, "GET", f"/files/entries/taxation.taxpayer.{form}")
        assert one.headers["content-type"].startswith(media)
        assert bring(OFFICER, f"a.{form}", one.content, "check").json()["entries"]
    assert ask(OFFICER, "GET", "/files/entries/a.b.ttl").status_code == 404
    empty = openpyxl.load_workbook(io.BytesIO(ask(OFFICER, "GET", "/files/template.xlsx").content))
    assert SHEET in empty.sheetnames


def test_letters_are_kept_for_the_parties_of_a_request_alone(ask):
    form = {"object_id": OBJECT, "scenario": "核对"}
    number = ask(OFFICER, "POST", "/requests", json=form).json()["request_id"]
    path = f"/requests/{number}/attachments"

    def send(account, content):
        return ask(account, "POST", path, files={"upload": ("公函.pdf", content)})

    assert send(OFFICER, b"<html>").json()["code"] == "SHR_ATTACHMENT"
    assert send(OFFICER, PDF + b" " * (10 << 20)).json()["code"] == "SHR_ATTACHMENT"
    assert send(OTHER, PDF).status_code == 403
    assert send("reviewer", PDF).status_code == 403
    assert ask(OFFICER, "GET", path).json() == []
    kept = send(OFFICER, PDF).json()

    assert ask(OFFICER, "GET", path).json() == [kept]
    assert (kept["name"], kept["content_type"]) == ("公函.pdf", "application/pdf")
    got = ask(OFFICER, "GET", f"{path}/{kept['digest']}")
    assert (got.content, got.headers["content-type"]) == (PDF, "application/pdf")
    for account in (OTHER, "reviewer"):
        assert ask(account, "GET", path).status_code == 404
        assert ask(account, "GET", f"{path}/{kept['digest']}").status_code == 404


@pytest.mark.requirement("SEC-03")
def test_evidence_is_kept_and_seen_by_those_an_objection_concerns(ask, portal_world):
    said = {"entry": "taxation.taxpayer", "column": "tax_credit_grade", "summary": "级别不符"}
    number = ask("monitor", "POST", "/objections", json=said).json()["objection_id"]
    path = f"/objections/{number}/evidence"

    def send(account, name):
        return ask(account, "POST", path, files={"upload": (name, PDF)})

    assert send("monitor", "a.html").json()["code"] == "GOV_EVIDENCE_REFUSED"
    assert send(OTHER, "a.pdf").status_code == 403
    digest = send("monitor", "a.pdf").json()["sha256"]

    course = ask("monitor", "GET", f"/objections/{number}/course").json()
    assert [one["sha256"] for one in course["evidence"]] == [digest]
    assert ask(OFFICER, "GET", f"{path}/{digest}").content == PDF
    assert ask(OTHER, "GET", f"{path}/{digest}").status_code == 403
    assert ask(OFFICER, "GET", f"{path}/{'0' * 64}").status_code == 404
    with portal_world.engine.connect() as connection:
        asked = select(JournalRecord.account).where(JournalRecord.object_kind == "evidence")
        assert connection.scalars(asked).all() == [OFFICER]


@pytest.mark.requirement("SHR-07")
def test_a_filled_in_workbook_is_read_and_comes_back_marked(ask):
    book = openpyxl.load_workbook(io.BytesIO(ask(OFFICER, "GET", f"/sheets/{OBJECT}").content))
    for row in book["申请"].iter_rows():
        row[1].value = {"用途类别": "随便", "应用场景": "核对"}.get(row[0].value, row[1].value)

    def send(account, content):
        return ask(account, "POST", f"/sheets/{OBJECT}", files={"upload": ("申请.xlsx", content)})

    told = send(OFFICER, saved(book)).json()
    assert told["form"]["scenario"] == "核对"
    assert "REQ_NO_TERM" in {one["code"] for one in told["parts"]}
    assert any("“申请”表 B4" in one["remedy_zh"] for one in told["parts"])
    back = openpyxl.load_workbook(io.BytesIO(b64decode(told["marked"])))
    assert "选项" in back["申请"]["B4"].comment.text
    assert send(OFFICER, b"PK nothing").json()["code"] == "SHR_FORM"
    assert send("reviewer", saved(book)).status_code == 403
    assert ask("reviewer", "GET", f"/sheets/{OBJECT}").status_code == 403
