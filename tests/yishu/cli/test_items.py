"""Items, published lists and the security register as typed."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from yishu.cli import app

BASIC, OTHER_BASIC = "320101001000", "320120002001"
HEALTH = f"11320200YQ0001101Q3{BASIC}"
TRANSPORT = f"11320200YQ0000993E3{BASIC}"
PEOPLE = {
    "sun.fu": ("service_authority", "administrative_approval"),
    "zhou.wei": ("department_officer", "health"),
    "he.an": ("centre_operator", "command_centre"),
}
ITEMS = [
    {"implementation_code": HEALTH, "org": "health", "name": "医疗机构设置审批",
     "legal_days": 20, "materials": [{"code": "M1"}, {"code": "M9"}]},
    {"implementation_code": TRANSPORT, "org": "transport", "name": "医疗机构设置许可",
     "legal_days": 30, "is_online": "否"},
]  # fmt: skip


@pytest.fixture(scope="module")
def yishu(postgres_server, tmp_path_factory):
    """The command on an installation with its people; what it printed, exit code asserted."""
    url = postgres_server.ensure_database("items_on_the_command_line")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("YISHU_VAR_DIR", str(tmp_path_factory.mktemp("items")))
        patched.setenv("YISHU_DATABASE_URL", url)

        def run(*arguments, expect=0):
            result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
            assert result.exit_code == expect, result.output
            return json.loads(result.stdout)

        _user(run, "root", "administrator", "big_data_bureau")
        for account, (role, org) in PEOPLE.items():
            _user(run, account, role, org, "--as", "root")
        yield run


def _user(run, account, role, org, *more):
    made = ("--person", f"p-{account}", "--name", account, "--role", role, "--org", org)
    run("user", "add", account, *made, *more)


@pytest.fixture(scope="module")
def published(yishu, tmp_path_factory):
    """The command once items, power list and materials are published."""
    folder = tmp_path_factory.mktemp("files")
    items, power, material = (folder / name for name in ("i.yaml", "p.csv", "m.csv"))
    items.write_text(yaml.safe_dump(ITEMS, allow_unicode=True), "utf-8")
    power.write_text(
        f"code,org,name\n{BASIC},health,设置审批\n{OTHER_BASIC},health,执业登记\n", "gb18030"
    )
    material.write_text("code,name\nM1,申请表\n", "utf-8")
    by = ("--basis", "锡编办〔2026〕1号", "--as", "sun.fu")
    assert len(yishu("items", "change", items, *by)) == 2
    for kind, file in (("power", power), ("material", material)):
        made = yishu("items", "publish-list", kind, file, "--city", "wuxi", *by)
        assert made["version"] == 1
    return yishu


@pytest.mark.requirement("CAT-09", "CAT-10", "CAT-11")
def test_items_are_kept_current_and_what_is_wrong_with_them_is_listed(published):
    found = published("items", "conflicts", "--element", "legal_days")
    assert [(one["element"], one["value"]) for one in found] == [
        ("name", "医疗机构设置许可"), ("name", "医疗机构设置审批"),
        ("legal_days", "30"), ("legal_days", "20"),
    ]  # fmt: skip
    assert published("items", "materials", "--city", "wuxi") == {HEALTH: ["M9"]}
    (gap,) = published("items", "gaps", "--city", "wuxi")
    assert (gap["org"], gap["basic_code"], gap["name"]) == ("health", OTHER_BASIC, "执业登记")
    published("items", "cancel", TRANSPORT, "--basis", "国务院决定取消", "--as", "sun.fu")
    assert [one["org"] for one in published("items", "list")] == ["health"]
    assert [one["version"] for one in published("items", "history", TRANSPORT)] == [2, 1]


def test_a_faulty_code_keeps_the_whole_file_out(published, tmp_path):
    file = tmp_path / "items.yaml"
    wrong = {"implementation_code": HEALTH[:-1], "org": "health", "name": "短"}
    rows = [{**ITEMS[0], "name": "改名"}, wrong]
    file.write_text(yaml.safe_dump(rows, allow_unicode=True), "utf-8")
    refused = published("items", "change", file, "--basis", "x", "--as", "sun.fu", expect=1)
    assert refused["error"]["code"] == "ITEM_CODE_REFUSED"
    assert [one["name"] for one in published("items", "list", "health")] == ["医疗机构设置审批"]


@pytest.mark.requirement("OWN-08")
def test_items_are_claimed_through_a_person(published):
    assert len(published("items", "unclaimed", "--city", "wuxi")) == 2
    published("items", "claim", BASIC, "--as", "zhou.wei")
    refused = published("items", "claim", BASIC, "--as", "zhou.wei", expect=1)
    assert refused["error"]["code"] == "GOV_STATE_REFUSED"
    (left,) = published("items", "unclaimed", "--city", "wuxi")
    assert left["basic_code"] == OTHER_BASIC


@pytest.mark.requirement("CAT-13", "EXC-04")
def test_lists_are_versions_with_row_diffs_and_the_province_is_compared(published, tmp_path):
    file = tmp_path / "province.csv"
    by = ("--city", "wuxi", "--basis", "省事项库", "--as", "sun.fu")
    rows = f"implementation_code,name\n{HEALTH},医疗机构执业登记\n"
    file.write_text(rows, "utf-8")
    first = published("items", "province", file, *by)
    assert not first["is_equal"]
    assert {one["row_key"] for one in first["to_report"]} >= {HEALTH}
    file.write_text(rows.replace("执业登记", "设置审批"), "utf-8")
    second = published("items", "province", file, *by)
    assert [one["row_key"] for one in second["inbound"]] == [HEALTH]
    assert HEALTH not in {one["row_key"] for one in second["to_report"]}
    (changed,) = published("items", "list-diff", "provincial_item", 1, 2, "--city", "wuxi")
    assert (changed["kind"], changed["after"]) == ("changed", {"name": "医疗机构设置审批"})
    (row,) = published("items", "list-rows", "provincial_item", "--city", "wuxi")
    assert row == {"key": HEALTH, "name": "医疗机构设置审批"}


@pytest.mark.requirement("CAT-14", "CAT-16")
def test_slots_and_links_of_guides(published):
    told = ("--text", "见指南", "--offline", "见窗口", "--as", "sun.fu")
    published("items", "fill", HEALTH, "faq", *told)
    assert "faq" not in published("items", "empty-slots")[HEALTH]
    assert published("items", "inconsistent") == [{"implementation_code": HEALTH, "slot": "faq"}]
    published("items", "link", HEALTH, BASIC, "--as", "sun.fu")
    found = published("items", "orphans", "--city", "wuxi")
    assert HEALTH not in found["guides"]
    assert found["power_rows"] == [OTHER_BASIC]


@pytest.mark.requirement("SEC-04")
def test_the_security_register_alerts_and_follows_incidents(yishu):
    facts = ("--name", "一数平台", "--org", "command_centre", "--level", 3, "--as", "he.an")
    refused = yishu("security", "keep", "yishu", *facts, expect=1)
    assert refused["error"]["code"] == "GOV_REASON_MISSING"
    yishu("security", "keep", "yishu", *facts, "--filing", "32020099001")
    assert [one["system_id"] for one in yishu("security", "list")] == ["yishu"]
    (alert,) = yishu("security", "alerts")
    assert "从未" in alert["text_zh"]
    number = yishu("security", "incident", "yishu", "夜间批量下载", "--as", "he.an")["incident"]
    early = ("security", "phase", number, "response", "已处置", "--as", "he.an")
    assert yishu(*early, expect=1)["error"]["code"] == "GOV_STATE_REFUSED"
    yishu("security", "phase", number, "prevention", "已限制夜间下载", "--as", "he.an")
    (one,) = yishu("security", "incidents")
    assert (one["steps"], one["next_phase"]) == ({"prevention": "已限制夜间下载"}, "monitoring")
    assert yishu("security", "data-sets") == []
