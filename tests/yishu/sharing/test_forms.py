"""The form as a spreadsheet, and attachments by what they are."""

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from yishu.sharing import attachments, deciding, filing, sheet
from yishu.sharing.errors import (
    AttachmentRefused,
    FormUnreadable,
    NotThisState,
    RequestIncomplete,
)
from yishu.sharing.objects import shared_object

ENTRY = "market_regulation.enterprise_registration"
FILLED = {
    "应用场景": "参保登记", "关联政务服务事项编码（多个用逗号分开）": "320106001000，320506001001",
    "用途类别": "办件办理", "利用目的": "核对", "使用依据": "《社会保险法》第五十七条",
    "行政区划代码（多个用逗号分开，可空）": 320205, "共享方式": "服务接口",
    "数据格式": "查询接口（JSON）", "更新周期": "每日", "使用起始日": "2026-11-20",
    "使用截止日": "2027-11-19", "联系人": "信息中心",
}  # fmt: skip


def bomb():
    """A small file that unpacks to far more than a form."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(64 << 20))
    return target.getvalue()


def far_cell():
    """A small file whose reader would make room for every cell of the largest sheet there is."""
    book, target = Workbook(), io.BytesIO()
    book.active.title = "申请"
    book["申请"]["A1"], book["申请"]["XFD1048576"] = "使用依据", "x"
    book.create_sheet("数据项")
    book.save(target)
    return target.getvalue()


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
    uses = {"uscc": ("定位企业记录", None), "name": ("核对名称", "随便看")}
    with pytest.raises(RequestIncomplete) as error:
        sheet.read(filled(wrong, uses))
    told = {one.part: one.remedy_zh for one in error.value.parts}
    assert told.keys() == {"purpose_code", "valid_from", "mode", "elements.1.treatment"}
    assert told["purpose_code"] == "请从所列选项中选择。（“申请”表 B4）"
    assert told["elements.1.treatment"].endswith("（“数据项”表 D3）")


def test_a_faulty_form_comes_back_as_it_was_with_its_faults_beside_the_cells(filled, release):
    regions = "行政区划代码（多个用逗号分开，可空）"
    wrong = FILLED | {"用途类别": "随便", "应用场景": "", regions: "32"}
    path = filled(wrong, {"uscc": ("-1 号用途", None), "name": ("", "明文")})
    object_ = shared_object(release, ENTRY)
    read = sheet.fill(path.name, path.read_bytes())
    form, parts = sheet.checked(read, object_)
    assert form.legal_basis == FILLED["使用依据"], "what can be read is kept"
    data = sheet.marked(object_, read, parts)

    book = load_workbook(io.BytesIO(data))
    said = {row[0].value: row[1] for row in book["申请"].iter_rows()}
    assert (said["用途类别"].value, "选项" in said["用途类别"].comment.text) == ("随便", True)
    assert "应用场景" in said["应用场景"].comment.text
    assert "六位数字" in said[regions].comment.text
    lines = {row[0].value: row for row in book["数据项"].iter_rows(min_row=2)}
    assert "具体用途" in lines["name"][2].comment.text
    assert sheet.fill("again.xlsx", data) == read, "nothing that was typed is lost"


def test_what_is_no_line_of_the_form_is_refused(filled, tmp_path):
    book = load_workbook(filled())
    book["申请"]["A3"] = "关联事项"
    book.save(tmp_path / "changed.xlsx")
    with pytest.raises(FormUnreadable, match="关联事项"):
        sheet.read(tmp_path / "changed.xlsx")


def test_another_file_is_no_form(tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(FormUnreadable):
        sheet.read(path)


@pytest.mark.parametrize("content", [b"", b"x" * (sheet.MOST_BYTES + 1), bomb(), far_cell()])
def test_a_file_that_is_damaged_or_too_large_is_no_form(content):
    with pytest.raises(FormUnreadable):
        sheet.fill("x.xlsx", content)


def test_nothing_is_attached_to_what_is_decided(office, people, tmp_path):
    request_id = office.submitted()
    with office.desk(attachments=tmp_path / "a") as desk:
        deciding.refuse(desk, request_id, people.authority, "不属于职责范围")
        with pytest.raises(NotThisState):
            attachments.attach(desk, request_id, people.officer, name="x.pdf", content=b"%PDF-1")
        assert attachments.listed(desk, request_id) == []


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
