"""Materials: catalogued, not beyond the guide, forms that open, two sources that agree."""

import hashlib
import json
import zipfile

import pyarrow as pa
import pytest

from expectations.materials import (
    Beyond,
    Disagreement,
    Material,
    beyond_the_guide,
    disagreements,
    forms,
    guide_materials,
    sequence_faults,
    uncatalogued,
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


@pytest.mark.requirement("CAT-11")
def test_materials_outside_the_catalogue_are_listed_by_item():
    assert uncatalogued(MATERIALS, {"M001"}) == {"I1": ["营业执照"]}
    assert uncatalogued(MATERIALS, {"M001", "M999"}) == {}


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


@pytest.mark.requirement("QUA-12", "QUA-13")
def test_what_is_asked_beyond_the_guide_is_named_with_its_case():
    asked = [("C1", "I1", "申请表"), ("C1", "I1", "无犯罪记录证明"), ("C2", "I2", "申请表")]
    assert beyond_the_guide(asked, MATERIALS) == [
        Beyond("C1", "I1", "无犯罪记录证明"),
        Beyond("C2", "I2", "申请表"),
    ]
    assert beyond_the_guide(asked[:1], MATERIALS) == []


@pytest.mark.requirement("QUA-12")
def test_two_sources_of_a_guide_are_compared_element_by_element():
    online = pa.table({"code": ["I1", "I2"], "days": [5, 3], "fee": ["0", "0"]})
    window = pa.table({"code": ["I1", "I3"], "days": [7, 1], "fee": ["0", "0"], "x": [1, 1]})
    assert disagreements(online, window, "code") == [
        Disagreement("I1", "days", "5", "7"),
        Disagreement("I2", "days", "3", None),
        Disagreement("I2", "fee", "0", None),
        Disagreement("I3", "days", None, "1"),
        Disagreement("I3", "fee", None, "0"),
    ]
    assert disagreements(online, online, "code") == []


@pytest.mark.requirement("SUB-12")
def test_members_of_a_package_are_numbered_without_gap_and_once():
    right = [("P1", 2, "b"), ("P1", 1, "a")]
    assert sequence_faults(right) == {}
    assert sequence_faults([*right, ("P1", 4, "c")]) == {"P1": "numbers 1, 2, 4, expected 1 to 3"}
    assert sequence_faults([*right, ("P1", 3, "a")]) == {"P1": "an item is there twice"}
