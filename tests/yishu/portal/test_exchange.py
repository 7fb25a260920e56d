"""Bulk import through the page: all of a file or nothing; exports open again."""

import io

import openpyxl
import pytest
import yaml
from sqlalchemy import func, select

from catalog.roles import Role
from yishu.governance.promises import clock_rows
from yishu.interchange.columns import COLUMNS, HEADINGS
from yishu.interchange.workbook import SHEET
from yishu.ledger.models import CatalogVersion

OFFICER = Role.DEPARTMENT_OFFICER


def own_workbook(asker, change=None):
    data = asker.get("/exchange/catalog.xlsx", params={"org": "taxation"}).content
    book = openpyxl.load_workbook(io.BytesIO(data))
    if change:
        change(book[SHEET])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def bring(asker, name, data, do="save"):
    said = {"csrf": asker.csrf, "do": do, "cause": "element_change"}
    return asker.post("/exchange/import", data=said, files={"upload": (name, data)})


def drafts(world):
    with world.engine.connect() as connection:
        open_ones = CatalogVersion.state == "draft"
        return connection.execute(select(func.count()).where(open_ones)).scalar()


def cell(sheet, row, heading):
    return sheet.cell(row, COLUMNS.index(HEADINGS[heading]) + 1)


def test_a_faulty_file_saves_nothing_and_gives_its_errors_back(client, portal_world):
    asker = client(OFFICER)

    def spoil(sheet):
        cell(sheet, 2, "共享类型").value = "随便"

    answer = bring(asker, "目录.xlsx", own_workbook(asker, spoil))

    assert answer.status_code == 422
    assert "随便" in answer.text
    assert drafts(portal_world) == 0
    errors = openpyxl.load_workbook(io.BytesIO(asker.get("/exchange/errors.xlsx").content))
    assert "随便" in cell(errors[SHEET], 2, "共享类型").comment.text


def test_a_broken_rule_of_the_catalog_is_told_in_chinese_on_the_page_and_in_the_workbook(client):
    asker = client(OFFICER)

    def spoil(sheet):
        cell(sheet, 2, "共享类型").value = "有条件共享"
        cell(sheet, 2, "共享条件").value = None

    answer = bring(asker, "目录.xlsx", own_workbook(asker, spoil))

    assert answer.status_code == 422
    assert "有条件共享，但没有写明条件" in answer.text
    errors = openpyxl.load_workbook(io.BytesIO(asker.get("/exchange/errors.xlsx").content))
    told = cell(errors[SHEET], 2, "共享条件").comment.text
    assert "发现 有条件共享，但没有写明条件；应为 以使用范围和用途为条件" in told


def test_a_dry_run_saves_nothing(client, portal_world):
    asker = client(OFFICER)

    answer = bring(asker, "目录.xlsx", own_workbook(asker), "check")

    assert answer.status_code == 200
    assert "尚未保存" in answer.text
    assert drafts(portal_world) == 0


@pytest.mark.requirement("CAT-04")
def test_one_entry_of_another_department_keeps_the_whole_file_out(client, portal_world):
    asker = client(OFFICER)
    data = asker.get("/exchange/catalog.xlsx").content

    answer = bring(asker, "目录.xlsx", data)

    assert answer.status_code == 403
    assert drafts(portal_world) == 0


def test_a_sound_file_becomes_drafts(client, portal_world):
    asker = client(OFFICER)

    answer = bring(asker, "目录.xlsx", own_workbook(asker))

    assert answer.status_code == 200, answer.text
    assert drafts(portal_world) == 1
    with portal_world.engine.connect() as connection:
        (clock,) = clock_rows(connection, promise="catalog_update")
    assert (clock.object_id, clock.cause) == ("taxation.taxpayer", "element_change")


def test_dcat_and_contracts_come_in_as_drafts_and_name_what_is_lost(client):
    asker = client(OFFICER)
    for form in ("ttl", "jsonld", "odcs.yaml"):
        data = asker.get(f"/exchange/entries/taxation.taxpayer.{form}").content

        answer = bring(asker, f"a.{form}", data)

        assert answer.status_code == 200, answer.text
        assert ("没有带入" in answer.text) == (form != "odcs.yaml")


def test_a_csv_export_comes_back_as_the_same_drafts(client, portal_world):
    asker = client("officer.health")
    data = asker.get("/exchange/catalog.csv", params={"org": "health"}).content

    answer = bring(asker, "目录.csv", data, do="check")

    assert answer.status_code == 200, answer.text
    assert "health.medical_licence" in answer.text
    assert data.startswith(b"\xef\xbb\xbf")


def test_the_page_names_what_dcat_has_no_place_for(client):
    page = client(OFFICER).get("/exchange").text

    told = page.split("DCAT-AP 没有位置存放")[1]
    assert "<code>source</code>" in told
    assert "<code>confidentiality_review</code>" in told


def test_an_export_of_the_whole_catalog_has_every_entry(client, portal_world):
    asker = client(Role.AUDITOR)

    found = list(yaml.safe_load_all(asker.get("/exchange/catalog.yaml").text))

    assert {one["id"] for one in found} == set(portal_world.release().entries)


def test_a_role_that_does_not_compile_imports_nothing(client):
    assert bring(client(Role.AUDITOR), "a.yaml", b"id: x.y").status_code == 403


def test_the_page_of_a_faulty_import_in_a_real_browser(browser_page, picture, client):
    def spoil(sheet):
        cell(sheet, 2, "共享类型").value = "随便"

    page = browser_page(OFFICER)
    page.goto("/exchange")
    picture(page, "exchange")
    data = own_workbook(client(OFFICER), spoil)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.set_input_files("#f-upload", {"name": "目录.xlsx", "mimeType": kind, "buffer": data})
    page.get_by_role("button", name="只检查，不保存").click()
    page.wait_for_selector("text=下载错误工作簿")
    picture(page, "exchange-faults")
    assert "随便" in page.locator("table").inner_text()
    page.complaints.clear()
