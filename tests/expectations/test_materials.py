"""Materials: catalogued, not beyond the guide, forms that open, two sources that agree."""

import hashlib
import json
import zipfile

import pytest

from expectations.materials import (
    Disagreement,
    Material,
    disagreements,
    forms,
    guide_materials,
    package_faults,
)

GUIDE = json.dumps(
    [
        {"name": "申请表", "code": "M001", "is_form": True}
        | {"blank_form": "a.pdf", "sample_form": "b.docx"},
        {"name": "营业执照", "code": "M999"},
    ],
    ensure_ascii=False,
)
MATERIALS = list(guide_materials([("I1", GUIDE), ("I2", None)]))


@pytest.fixture
def folder(tmp_path):
    """A blank form and a sample that open."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 blank")
    with zipfile.ZipFile(tmp_path / "b.docx", "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return tmp_path


@pytest.mark.requirement("QUA-09")
def test_forms_that_open_have_their_digest(folder):
    found = forms(MATERIALS, folder)
    assert [(one.which, one.state) for one in found] == [
        ("blank_form", "ok"),
        ("sample_form", "ok"),
    ]
    assert found[0].sha256 == hashlib.sha256(b"%PDF-1.7 blank").hexdigest()


@pytest.mark.requirement("QUA-09")
@pytest.mark.parametrize(
    ("spoil", "states"),
    [
        (lambda folder: (folder / "a.pdf").unlink(), ["missing", "ok"]),
        (lambda folder: (folder / "a.pdf").write_bytes(b"<html>404"), ["broken", "ok"]),
        (lambda folder: (folder / "a.pdf").write_bytes(b""), ["broken", "ok"]),
        (lambda folder: (folder / "b.docx").write_bytes(b"PK\3\4 cut"), ["ok", "broken"]),
    ],
    ids=["dead link", "an error page", "empty", "a cut archive"],
)
def test_forms_that_are_not_there_or_do_not_open_are_findings(folder, spoil, states):
    spoil(folder)
    assert [one.state for one in forms(MATERIALS, folder)] == states


def test_a_form_outside_the_folder_counts_as_missing(folder):
    (folder / "in").mkdir()
    sly = Material("I1", "申请表", blank_form="../a.pdf", is_form=True)
    assert [one.state for one in forms([sly], folder / "in")] == ["missing", "missing"]


@pytest.mark.requirement("QUA-12")
def test_two_sources_of_a_guide_are_compared_element_by_element():
    online = [{"code": "I1", "days": 5, "fee": "0"}, {"code": "I2", "days": 3, "fee": "0"}]
    window = [{"code": "I1", "days": "7", "fee": " 0 ", "x": 1}, {"code": "I3", "days": "1"}]
    assert disagreements(online, window, "code") == [
        Disagreement("I1", "days", "5", "7"),
        Disagreement("I2", "code", "I2", None),
        Disagreement("I3", "code", None, "I3"),
    ]
    assert disagreements(online, online, "code") == []


def test_spelling_of_json_and_empty_texts_are_no_disagreement():
    online = [{"code": "I1", "materials": '[{"name": "a", "copies": 1}]', "fee": None}]
    window = [{"code": "I1", "materials": '[{"copies":1,"name":"a"}]', "fee": " "}]
    assert disagreements(online, window, "code") == []


@pytest.mark.requirement("SUB-12")
@pytest.mark.parametrize(
    ("member", "fault"),
    [
        (("P1", 4, "c", "c"), ("P1", "position", "1、2、4", "1 至 3，不缺不重")),
        (("P1", 2, "c", "c"), ("P1", "position", "1、2、2", "1 至 3，不缺不重")),
        (("P1", 3, "a", "c"), ("P1", "implementation_code", "a 2 次", "1 次")),
        (("P1", 3, "c", "A"), ("P1", "material_name", "A 2 次", "1 次")),
    ],
    ids=["a gap", "a number twice", "an item twice", "a material twice"],
)
def test_a_package_has_its_members_in_order_and_one_set_of_materials(member, fault):
    right = [("P1", 2, "b", None), ("P1", 1, "a", "A")]
    assert package_faults(right) == []
    assert package_faults([*right, member]) == [fault]
