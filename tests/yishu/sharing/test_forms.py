"""The form as a spreadsheet, and attachments by what they are."""

import pytest
from openpyxl import load_workbook

from yishu.sharing import attachments, filing, sheet
from yishu.sharing.errors import AttachmentRefused, FormUnreadable, RequestIncomplete
from yishu.sharing.objects import shared_object

ENTRY = "market_regulation.enterprise_registration"
FILLED = {
    "应用场景": "参保登记", "关联政务服务事项编码（多个用逗号分开）": "320106001000，320506001001",
    "用途类别": "办件办理", "利用目的": "核对", "使用依据": "《社会保险法》第五十七条",
    "行政区划代码（多个用逗号分开，可空）": 320205, "共享方式": "服务接口",
    "数据格式": "查询接口（JSON）", "更新周期": "每日", "使用起始日": "2026-11-20",
    "使用截止日": "2027-11-19", "联系人": "信息中心",
}  # fmt: skip


@pytest.fixture
def filled(release, tmp_path):
    def make(answers=FILLED, uses=None):
        path = tmp_path / "申请.xlsx"
        path.write_bytes(sheet.template(shared_object(release, ENTRY)))
        book = load_workbook(path)
        for row in book["申请"].iter_rows():
            if row[0].value in answers:
                row[1].value = answers[row[0].value]
        for row in book["数据项"].iter_rows(min_row=2):
            if row[0].value in (uses or {"uscc": ("定位企业记录", None)}):
                use, how = (uses or {"uscc": ("定位企业记录", None)})[row[0].value]
                row[2].value, row[3].value = use, how
        book.save(path)
        return path

    return make


@pytest.mark.requirement("SHR-07")
def test_a_filled_in_template_is_the_form(filled, office, people):
    uses = {"uscc": ("定位企业记录", None), "legal_representative": ("核对法定代表人", "脱敏")}
    form = sheet.read(filled(uses=uses))
    assert form.object_id == ENTRY
    assert form.service_items == ("320106001000", "320506001001")
    assert (form.purpose_code, form.mode, form.format) == ("case_handling", "api", "json")
    assert form.rows.regions == ("320205",)
    assert [(one.field, one.treatment) for one in form.elements] == [
        ("uscc", None), ("legal_representative", "masked"),
    ]  # fmt: skip
    with office.desk() as desk:
        request_id = filing.draft(desk, form, people.officer)
        filing.consent(desk, request_id, people.head)
        filing.submit(desk, request_id, people.officer)


def test_wrong_cells_are_all_named(filled):
    wrong = FILLED | {"用途类别": "随便", "使用起始日": "明天", "共享方式": "口头告知"}
    with pytest.raises(RequestIncomplete) as error:
        sheet.read(filled(wrong))
    parts = {one.part for one in error.value.parts}
    assert parts == {"purpose_code", "valid_from", "mode"}


def test_another_file_is_no_form(tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(FormUnreadable):
        sheet.read(path)


def test_attachments_are_what_their_content_says(office, people, tmp_path):
    request_id = office.submitted()
    good = {b"%PDF-1.7 x": "application/pdf", b"\x89PNG\r\n\x1a\nx": "image/png"}
    bad = [b"", b"MZ\x90", b"<html>", b"PK\x03\x04x", b"%PDF-" + b"x" * (10 << 20)]
    with office.desk(attachments=tmp_path / "a") as desk:
        for content, kind in good.items():
            kept = attachments.attach(
                desk, request_id, people.officer, name="../../公函.exe", content=content
            )
            assert (kept.content_type, kept.name) == (kind, "公函.exe")
            assert (tmp_path / "a" / kept.digest).read_bytes() == content
            assert "attachment" in attachments.headers(kept)["Content-Disposition"]
        for content in bad:
            with pytest.raises(AttachmentRefused):
                attachments.attach(desk, request_id, people.officer, name="x.pdf", content=content)
        assert len(attachments.listed(desk, request_id)) == 2
