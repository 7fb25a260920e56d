"""Pages of service items and of the security register: put in, found wrong, taken out."""

from io import BytesIO

import pytest
import yaml
from openpyxl import load_workbook
from playwright.sync_api import expect

from catalog.roles import Role
from catalog.vocabulary import ListKind, PublicationSlot
from yishu.governance import item_checks
from yishu.governance.item_checks import Check

BASIC, OTHER_BASIC = "320101001000", "320120002001"
HEALTH = f"11320200YQ0001101Q3{BASIC}"
TRANSPORT = f"11320200YQ0000993E3{BASIC}"
ITEMS = [
    {"implementation_code": HEALTH, "org": "health", "name": "医疗机构设置审批",
     "legal_days": "20", "materials": [{"code": "M1"}, {"code": "M9"}]},
    {"implementation_code": TRANSPORT, "org": "transport", "name": "医疗机构设置许可",
     "is_online": "否"},
]  # fmt: skip
LISTS = {
    ListKind.POWER: f"code,org,name\n{BASIC},health,设置审批\n{OTHER_BASIC},health,执业登记\n",
    ListKind.MATERIAL: "code,name\nM1,申请表\n",
    ListKind.PROVINCIAL_ITEM: f"implementation_code,name\n{HEALTH},医疗机构设置审批（省）\n",
}


def sheet(answer):
    """The rows of a workbook that was sent."""
    assert answer.status_code == 200, answer.text
    return [
        [cell or "" for cell in row]
        for row in load_workbook(BytesIO(answer.content), read_only=True).active.iter_rows(
            values_only=True
        )
    ]


@pytest.fixture(scope="module")
def service(client):
    return client(Role.SERVICE_AUTHORITY)


def publish(asker, kind, text, body="wuxi"):
    form = {"csrf": asker.csrf, "body": body, "basis": "锡编办〔2026〕1号"}
    file = {"upload": (f"{kind.value}.csv", text.encode("gb18030"))}
    return asker.post(f"/item-lists/{kind.value}", data=form, files=file)


@pytest.fixture(scope="module", autouse=True)
def published(service):
    """Items, power list, materials and the province's items, through their forms."""
    form = {"csrf": service.csrf, "basis": "《医疗机构管理条例》第九条"}
    file = {"upload": ("items.yaml", yaml.safe_dump(ITEMS, allow_unicode=True).encode())}
    assert service.post("/items", data=form, files=file).status_code == 303
    for kind, text in LISTS.items():
        assert publish(service, kind, text).status_code == 303


@pytest.mark.requirement("CAT-10", "CAT-11", "COL-13", "CAT-14", "CAT-16", "OWN-08", "EXC-04")
@pytest.mark.parametrize(
    ("check", "codes", "text"),
    [
        (Check.CONFLICTS, [TRANSPORT, HEALTH], f"基本编码 {BASIC} 下的 2 个事项名称不一致"),
        (Check.MATERIALS, [HEALTH], "M9"),
        (Check.GAPS, [OTHER_BASIC], "尚未上网"),
        (Check.UNCLAIMED, [BASIC, OTHER_BASIC], "没有部门认领"),
        (Check.GUIDE_ORPHANS, [TRANSPORT, HEALTH], "没有关联权责清单"),
        (Check.POWER_ORPHANS, [BASIC, OTHER_BASIC], "没有关联办事指南"),
        (Check.EMPTY_SLOTS, [TRANSPORT, HEALTH], "机构名录"),
        (Check.PROVINCE, [TRANSPORT, HEALTH], "省事项库中没有"),
    ],
)
def test_what_a_check_finds_stands_on_its_page_and_in_its_workbook(client, check, codes, text):
    asker = client(Role.AUDITOR)

    page = asker.get(f"/items/checks/{check.value}").text
    headings, *rows = sheet(asker.get(f"/items/checks/{check.value}/export.xlsx"))

    assert headings == ["编码", "部门", "名称", "发现的问题"]
    assert [row[0] for row in rows] == codes
    assert text in rows[0][3]
    for code in codes:
        assert code in page
    assert f"{len(codes)} 处问题" in page


def test_the_page_of_checks_counts_what_each_finds(client, portal_world):
    with portal_world.engine.connect() as connection:
        counts = item_checks.counts(connection, "wuxi", portal_world.today())
        listed = {
            check: len(item_checks.findings(connection, check, "wuxi", portal_world.today()))
            for check in Check
        }

    assert counts == listed
    page = client(Role.AUDITOR).get("/items/checks").text
    assert all(check.label_zh in page for check in Check)


def test_items_are_found_by_words_and_department(client):
    asker = client(Role.AUDITOR)

    def found(**asked):
        page = asker.get("/items", params=asked).text
        return [code for code in (HEALTH, TRANSPORT) if f"/items/{code}" in page]

    assert found() == [HEALTH, TRANSPORT]
    assert found(q="医疗 审批") == [HEALTH]
    assert found(q="%") == []
    assert found(org="transport") == [TRANSPORT]
    assert found(page=2) == []


def test_a_file_with_a_malformed_code_publishes_nothing(service):
    records = [{**ITEMS[0], "name": "另一个名称"}, {**ITEMS[1], "implementation_code": "123"}]
    form = {"csrf": service.csrf, "basis": "决定"}
    file = {"upload": ("items.yaml", yaml.safe_dump(records, allow_unicode=True).encode())}

    answer = service.post("/items", data=form, files=file)

    assert answer.status_code == 422
    assert "3 characters" in answer.text
    assert "另一个名称" not in service.get("/items").text


@pytest.mark.requirement("CAT-13")
def test_a_second_version_of_a_list_shows_what_differs_row_by_row(service):
    text = f"code,name\n{BASIC},按次收费\n"
    assert publish(service, ListKind.ADMINISTRATIVE_FEE, text).status_code == 303

    there = publish(
        service, ListKind.ADMINISTRATIVE_FEE, f"code,name\n{OTHER_BASIC},按年收费\n"
    ).headers["location"]

    page = service.get(there).text
    assert "差异 1 → 2 (2)" in page
    assert page.index("按次收费") < page.index("按年收费")
    headings, *rows = sheet(
        service.get("/item-lists/administrative_fee/export.xlsx", params={"body": "wuxi"})
    )
    assert (headings, rows) == (["code", "name"], [[OTHER_BASIC, "按年收费"]])


def test_slots_links_and_a_cancellation_are_made_on_the_page_of_an_item(service):
    for path, form in (
        ("slots", {"slot": "faq", "text": "见指南", "offline": "见窗口"}),
        ("links", {"power_row": BASIC}),
    ):
        answer = service.post(f"/items/{HEALTH}/{path}", data={"csrf": service.csrf, **form})
        assert answer.status_code == 303

    page = service.get(f"/items/{HEALTH}").text
    assert "公开内容 (1/10)" in page
    assert BASIC in page.split("关联的权责清单事项")[1][:200]
    assert HEALTH in service.get("/items/checks/inconsistent").text
    assert HEALTH not in service.get("/items/checks/guide_orphans").text

    no_basis = {"csrf": service.csrf, "basis": " "}
    assert service.post(f"/items/{TRANSPORT}/cancel", data=no_basis).status_code == 422
    form = {"csrf": service.csrf, "basis": "国务院决定取消"}
    assert service.post(f"/items/{TRANSPORT}/cancel", data=form).status_code == 303
    assert "国务院决定取消" in service.get(f"/items/{TRANSPORT}").text
    assert TRANSPORT not in str(sheet(service.get("/items/export.xlsx")))


@pytest.mark.requirement("OWN-08")
def test_a_department_claims_an_item_once(client):
    officer = client("officer.health")
    form = {"csrf": officer.csrf, "code": OTHER_BASIC}

    assert officer.post("/items/claims", data=form).status_code == 303
    assert officer.post("/items/claims", data=form).status_code == 409
    assert OTHER_BASIC not in str(sheet(officer.get("/items/checks/unclaimed/export.xlsx")))


@pytest.mark.requirement("SEC-04")
def test_a_system_with_an_assessment_that_is_over_is_alerted_on_the_register(client):
    operator = client(Role.CENTRE_OPERATOR)
    form = {"csrf": operator.csrf, "system_id": "yishu", "name": "一数平台", "level": "3",
            "org": "big_data_bureau", "filing": "32020099001"}  # fmt: skip

    refused = operator.post("/protection/systems", data={**form, "filing": ""})
    assert "等级 3，没有备案号" in refused.text
    old = {**form, "assessed_on": "2025-11-01"}
    assert operator.post("/protection/systems", data=old).status_code == 303

    assert "等级测评已过期（应于 2026-11-01 前完成）" in operator.get("/protection").text
    operator.post("/protection/systems", data={**form, "assessed_on": "2026-11-01"})
    assert "已过期" not in operator.get("/protection").text
    (_, row) = sheet(operator.get("/protection/systems.xlsx"))
    assert row[3:6] == [3, "32020099001", "2026-11-01"]


@pytest.mark.requirement("SEC-04")
def test_an_incident_goes_through_its_phases_in_their_order(client):
    operator = client(Role.CENTRE_OPERATOR)
    system = {"csrf": operator.csrf, "system_id": "hall", "name": "大厅系统", "level": "1",
              "org": "big_data_bureau"}  # fmt: skip
    operator.post("/protection/systems", data=system)
    made = {"csrf": operator.csrf, "system_id": "hall", "title": "夜间批量下载"}
    assert operator.post("/protection/incidents", data=made).status_code == 303

    def record(phase):
        form = {"csrf": operator.csrf, "phase": phase, "text": f"已{phase}"}
        return operator.post("/protection/incidents/1", data=form).status_code

    assert record("monitoring") == 409
    assert [record(one) for one in ("prevention", "monitoring")] == [303, 303]
    (_, row) = sheet(operator.get("/protection/incidents.xlsx"))
    assert row[2] == "夜间批量下载"
    assert row[4:] == ["已prevention", "已monitoring", "", "", ""]


@pytest.mark.requirement("SEC-04")
def test_the_security_register_is_not_everybodys_business(client):
    assert client(Role.AUDITOR).get("/protection").status_code == 200
    officer = client(Role.DEPARTMENT_OFFICER)
    for path in ("", "/systems.xlsx", "/incidents.xlsx"):
        assert officer.get(f"/protection{path}").status_code == 403


def test_pages_of_items_and_protection_in_a_real_browser(browser_page, picture):
    page = browser_page(Role.SERVICE_AUTHORITY)
    for path, name in (
        ("/items", "items"),
        (f"/items/{HEALTH}", "item"),
        ("/items/checks/gaps", "item-gaps"),
        ("/item-lists/power?body=wuxi", "item-list"),
    ):
        assert page.goto(path).status == 200
        picture(page, name)
    page.goto("/items/checks")
    page.get_by_role("link", name="编码冲突").click()
    expect(page.get_by_role("heading", name="编码冲突").first).to_be_visible()
    operator = browser_page(Role.CENTRE_OPERATOR)
    operator.goto("/protection")
    picture(operator, "protection")


@pytest.mark.requirement("CAT-10", "CAT-14")
def test_programs_keep_items_and_lists_as_people_do(ask):
    code = f"11320200YQ0001101Q4{BASIC}"
    record = {"implementation_code": code, "org": "health", "name": "医疗机构变更登记"}
    said = {"records": [record], "basis": "《医疗机构管理条例》第二十条"}
    assert ask("officer.health", "POST", "/items", json=said).status_code == 403
    assert ask("service", "POST", "/items", json={**said, "basis": ""}).status_code == 422
    lacking = {**said, "records": [record, {"implementation_code": code}]}
    refused = ask("service", "POST", "/items", json=lacking)
    assert (refused.status_code, refused.json()["found"]) == (422, "record 2 without org, name")
    assert ask("service", "POST", "/items", json=said).json() == {"records": 1}
    assert code in [one["implementation_code"] for one in ask("auditor", "GET", "/items").json()]
    assert ask("auditor", "GET", "/items", params={"q": "变更", "page": 2}).json() == []
    slot = {"text": "可在线查询", "offline": "可在线查询"}
    assert ask("service", "POST", f"/items/{code}/slots/x", json=slot).status_code == 422
    path = f"/items/{code}/slots/{next(iter(PublicationSlot)).value}"
    assert ask("service", "POST", path, json=slot).status_code == 200
    cancelled = ask("service", "POST", f"/items/{code}/cancel", json={"basis": "机构改革"})
    assert cancelled.status_code == 200
    told = ask("auditor", "GET", f"/items/{code}").json()
    assert [one["is_cancelled"] for one in told["versions"]] == [True, False]
    assert "可在线查询" in told["slots"].values()
    assert ask("auditor", "GET", "/items/none").status_code == 404

    checked = ask("auditor", "GET", f"/items/checks/{Check.GAPS.value}", params={"body": "wuxi"})
    assert [one["code"] for one in checked.json()] == [OTHER_BASIC]
    counts = ask("auditor", "GET", "/items/checks", params={"body": "wuxi"}).json()
    assert (counts["bodies"], counts["counts"][Check.GAPS.value]) == (["wuxi"], 1)
    row = {"power_row": "320120009001"}
    assert ask("officer.health", "POST", f"/items/{HEALTH}/links", json=row).status_code == 403
    assert ask("service", "POST", f"/items/{HEALTH}/links", json=row).status_code == 200
    assert row["power_row"] in ask("auditor", "GET", f"/items/{HEALTH}").json()["power_rows"]
    nobodys = {"body": "wuxi", "rows": {BASIC: {"name": "设置审批"}}, "basis": "编办"}
    assert ask("service", "POST", "/lists/power", json=nobodys).status_code == 422
    before = ask("auditor", "GET", "/lists/material", params={"body": "wuxi"}).json()
    rows = {**before["rows"], "M2": {"name": "身份证明"}}
    said = {"body": "wuxi", "rows": rows, "basis": "锡编办〔2026〕2号"}
    made = ask("service", "POST", "/lists/material", json=said).json()["version"]
    asked = {"body": "wuxi", "before": made - 1, "after": made}
    (change,) = ask("auditor", "GET", "/lists/material/diff", params=asked).json()
    assert (change["row_key"], change["before"]) == ("M2", None)
