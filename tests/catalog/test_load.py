"""Reading catalog files: every fault of every file, with its line, in one go."""

import pytest

from catalog.check import check_folder
from catalog.faults import render
from catalog.load import load_catalog, read_catalog
from catalog.origins import ORIGINS

ENTERPRISE = "entries/market_regulation/enterprise.yaml"

SIX = {
    "name": "名称",
    "summary": "内容",
    "data_source": "数据来源",
    "share": "共享属性",
    "open": "开放属性",
    "update_cycle": "更新周期",
}


def line_with(root, file, text):
    lines = (root / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.requirement("CAT-02")
def test_all_six_elements_present_is_accepted(write, data):
    catalog, faults = load_catalog(write(data))

    assert faults == []
    assert set(catalog.entries) == {"market_regulation.enterprise", "civil_affairs.organisation"}


@pytest.mark.requirement("CAT-02")
@pytest.mark.parametrize(("key", "element"), SIX.items(), ids=SIX)
def test_a_dropped_element_is_named_with_its_origin(write, data, enterprise, key, element):
    del enterprise[key]

    catalog, [fault] = load_catalog(write(data))

    assert fault.code == "CAT_ELEMENT_MISSING"
    assert fault.file == ENTERPRISE
    assert fault.obj == f"market_regulation.enterprise {key}"
    assert f"`{key}`" in fault.expected
    assert f"S004 Art.14 {element}" in fault.expected
    assert "market_regulation.enterprise" not in catalog.entries


@pytest.mark.requirement("CAT-02")
@pytest.mark.parametrize("key", sorted(key for key in ORIGINS if "." not in key and key != "id"))
@pytest.mark.parametrize("left", ["nothing", "null"])
def test_every_mandatory_element_is_missed(write, data, enterprise, key, left):
    """A key without a value is as missing as no key."""
    if left == "nothing":
        del enterprise[key]
    else:
        enterprise[key] = None

    assert [(f.code, f.obj) for f in check_folder(write(data))] == [
        ("CAT_ELEMENT_MISSING", f"market_regulation.enterprise {key}")
    ]


@pytest.mark.requirement("CAT-02")
@pytest.mark.parametrize("key", ["name", "summary", "data_source"])
def test_an_empty_text_is_no_element(write, data, enterprise, key):
    enterprise[key] = ""
    [fault] = check_folder(write(data))
    assert (fault.code, fault.found) == ("CAT_ELEMENT_MISSING", "no value")


@pytest.mark.requirement("CAT-02")
def test_extra_elements_are_kept_as_extensions(write, data, enterprise):
    enterprise["extensions"] = {"责任处室": "登记处", "场景": ["开办企业"]}

    catalog, faults = load_catalog(write(data))

    assert faults == []
    assert catalog.entries["market_regulation.enterprise"].extensions == {
        "责任处室": "登记处",
        "场景": ["开办企业"],
    }


def test_an_unknown_key_is_refused_and_the_likely_one_is_named(write, data, enterprise):
    enterprise["update_cylce"] = "daily"
    root = write(data)

    [fault] = check_folder(root)

    assert fault.code == "CAT_KEY_UNKNOWN"
    assert fault.line == line_with(root, ENTERPRISE, "update_cylce")
    assert "`update_cycle`" in fault.remedy
    assert "extensions" in fault.remedy


def test_an_unknown_key_deep_inside_knows_its_siblings(write, data, enterprise):
    enterprise["items"][1]["nulable"] = True
    [fault] = check_folder(write(data))
    assert fault.obj == "market_regulation.enterprise items[1].nulable"
    assert "`nullable`" in fault.remedy


def test_a_duplicate_key_is_found_although_yaml_would_take_the_last(write, data):
    data["profiles/wuxi_2022.yaml"] = (
        "id: wuxi_2022\nname: 无锡\nreply_by: data_authority\n"
        "onward_transfer: forbidden\npromises: {}\nreply_by: provider_org\n"
    )
    [fault] = check_folder(write(data))
    assert (fault.code, fault.line) == ("CAT_KEY_DUPLICATE", 6)
    assert "line 3" in fault.found


def test_a_duplicate_key_deep_inside_is_found_too(write, data):
    data["code_lists/region.yaml"] = (
        'id: region\nname: x\nstandard: x\ncodes:\n  "320200": 无锡市\n  "320200": 宜兴市\n'
    )
    [fault] = check_folder(write(data))
    assert (fault.code, fault.line) == ("CAT_KEY_DUPLICATE", 6)


def test_broken_yaml_is_a_fault_with_its_line(write, data):
    data[ENTERPRISE] = "id: market_regulation.enterprise\nname: [a\nversion: 1\n"
    faults = check_folder(write(data))
    assert [(f.code, f.file) for f in faults] == [("CAT_YAML_BROKEN", ENTERPRISE)]
    assert faults[0].line in (2, 3)


def test_a_file_that_is_not_utf_8_is_a_fault(write, data):
    root = write(data)
    (root / ENTERPRISE).write_bytes("name: 企业".encode("gb18030"))
    [fault] = check_folder(root)
    assert fault.code == "CAT_FILE_UNREADABLE"
    assert "UTF-8" in fault.found


def test_an_empty_file_is_a_fault(write, data):
    data["subjects/legal_entity.yaml"] = ""
    assert [f.code for f in check_folder(write(data))] == ["CAT_FILE_EMPTY"]


def test_a_code_without_quotes_is_told_to_be_quoted(write, data):
    data["departments.yaml"]["departments"][0]["region_code"] = 320200
    [fault] = check_folder(write(data))
    assert fault.remedy == 'put it in quotes: "320200"'


def test_a_day_that_does_not_exist_is_one_fault(write, data):
    root = write(data)
    path = root / ENTERPRISE
    path.write_text(path.read_text("utf-8").replace("2026-01-05", "2026-02-30"), encoding="utf-8")
    [fault] = check_folder(root)
    assert (fault.code, fault.found) == ("CAT_VALUE_INVALID", "`2026-02-30`")


def test_aliases_are_refused(write, data):
    data["code_lists/region.yaml"] = (
        'id: region\nname: &n 行政区划\nstandard: x\ncodes: &c {"320200": 无锡市}\n'
    )
    data["code_lists/loop.yaml"] = "id: loop\nname: x\nstandard: x\ncodes: &c {a: *c}\n"
    [fault] = check_folder(write(data))
    assert (fault.code, fault.file) == ("CAT_YAML_ALIAS", "code_lists/loop.yaml")


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("entries/market_regulation/other.yaml", "CAT_ID_MISPLACED"),
        ("entries/enterprise.yaml", "CAT_FILE_MISPLACED"),
        ("entries/market_regulation/enterprise.yml", "CAT_FILE_MISPLACED"),
    ],
)
def test_an_entry_in_the_wrong_place_is_never_ignored(write, data, file, code):
    data[file] = data.pop(ENTERPRISE)
    assert code in {fault.code for fault in check_folder(write(data))}


@pytest.mark.parametrize("id_", [None, 7, {"a": 1}, b"x", "Not An Id"])
def test_an_object_without_a_proper_id_is_a_fault_and_no_crash(write, data, id_):
    data["departments.yaml"]["departments"][2]["id"] = id_
    faults = check_folder(write(data))
    assert faults
    assert {fault.file for fault in faults} <= {
        "departments.yaml",
        "entries/civil_affairs/organisation.yaml",
    }


def test_an_id_used_twice_names_the_first_place(write, data):
    departments = data["departments.yaml"]["departments"]
    departments.append(dict(departments[0]))
    [fault] = check_folder(write(data))
    assert fault.code == "CAT_ID_DUPLICATE"
    assert "departments.yaml:2" in fault.found


def test_a_folder_without_a_catalog_says_so(tmp_path):
    faults = check_folder(tmp_path / "nowhere")
    assert {fault.code for fault in faults} == {"CAT_FILE_MISSING"}
    assert len(faults) == 6


def test_a_list_file_of_another_shape_is_a_fault(write, data):
    data["elements.yaml"] = ["legal_entity.uscc"]
    assert "CAT_VALUE_INVALID" in {f.code for f in check_folder(write(data))}


def test_faults_of_all_files_and_kinds_come_in_one_go(write, data, enterprise, elements):
    """A missing element hides neither the unknown code list beside it nor other files' faults."""
    del enterprise["share"]
    enterprise["items"][1]["code_list"] = "colours"
    enterprise["items"][2]["mask"] = "none"
    elements[0]["nmae"] = elements[0].pop("name")
    data["code_lists/registrar.yaml"]["codes"] = {5: "民政", "9": "市场监管"}
    data["entries/civil_affairs/organisation.yaml"]["provider_org"] = "nobody"

    faults = check_folder(write(data))

    assert sorted((f.file.rpartition("/")[2], f.code) for f in faults) == [
        ("elements.yaml", "CAT_KEY_UNKNOWN"),
        ("elements.yaml", "CAT_VALUE_MISSING"),
        ("enterprise.yaml", "CAT_CODE_LIST_UNKNOWN"),
        ("enterprise.yaml", "CAT_ELEMENT_MISMATCH"),
        ("enterprise.yaml", "CAT_ELEMENT_MISSING"),
        ("enterprise.yaml", "CAT_MASK_MISSING"),
        ("organisation.yaml", "CAT_DEPARTMENT_UNKNOWN"),
        ("organisation.yaml", "CAT_PROVIDER_FOREIGN"),
        ("registrar.yaml", "CAT_VALUE_INVALID"),
    ]


def test_an_unreadable_file_causes_no_faults_in_those_that_refer_to_it(write, data):
    data[ENTERPRISE] = "id: [broken\n"
    data["departments.yaml"]["departments"][0]["uscc"] = None
    assert {(f.file, f.code) for f in check_folder(write(data))} == {
        (ENTERPRISE, "CAT_YAML_BROKEN"),
        ("departments.yaml", "CAT_VALUE_MISSING"),
    }


def test_a_faulty_object_is_in_the_draft_but_never_in_the_catalog(write, data, enterprise):
    del enterprise["share"]
    reading = read_catalog(write(data))
    assert "market_regulation.enterprise" in reading.draft.entries
    assert "market_regulation.enterprise" not in reading.catalog.entries


def test_faults_read_as_file_line_code_and_remedy(write, data, enterprise):
    del enterprise["share"]
    root = write(data)
    text = render(check_folder(root))
    assert text.startswith(
        f"{ENTERPRISE}:1: CAT_ELEMENT_MISSING market_regulation.enterprise share: found nothing; "
        "expected the element `share` (共享属性, S004 Art.14 共享属性; Decree 809 Art.13 共享属性;"
    )
    assert text.endswith("Remedy: add `share: …` and fill it in\n1 fault")
