"""``yishu share``: the whole story, from an empty form to a closed channel."""

import json
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import create_engine
from typer.testing import CliRunner

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from transforms.types import arrow_type
from yishu.cli import app
from yishu.governance import accounts
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot, unified_table

ENTRY = "market_regulation.enterprise_registration"
PEOPLE = {
    "zhao@hr": ("zhao", Role.DEPARTMENT_OFFICER, "human_resources"),
    "qian@hr": ("qian", Role.DEPARTMENT_HEAD, "human_resources"),
    "li@bd": ("li", Role.AUTHORITY_REVIEWER, "big_data_bureau"),
    "zhou@cc": ("zhou", Role.CENTRE_OPERATOR, "command_centre"),
    "han@bd": ("han", Role.AUTHORITY_REVIEWER, "big_data_bureau"),
    "sun@mr": ("sun", Role.DEPARTMENT_OFFICER, "market_regulation"),
    "root": ("root", Role.ADMINISTRATOR, "big_data_bureau"),
}


@pytest.fixture
def city(tmp_path, monkeypatch, fresh_ledger):
    import pyarrow as pa  # noqa: PLC0415

    from yishu.cli import world  # noqa: PLC0415

    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_ledger)
    loaded, _ = load_catalog(world.settings().catalog_dir)
    release = write_release(
        world.settings().releases_dir, compile_release(loaded, date(2026, 11, 1))
    )
    engine = create_engine(fresh_ledger.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for account, (person, role, org) in PEOPLE.items():
            actor = Actor(person, account, role, org)
            accounts.add(connection, actor, "测试人员", valid_from=date(2026, 1, 1))
    engine.dispose()
    items = release.entries[ENTRY].items
    names = ("_provider_org", "_entry_id", "_run_id")
    fields = [(item.field, arrow_type(item)) for item in items]
    schema = pa.schema([*fields, *((n, pa.string()) for n in names), ("_landed_row", pa.int64())])
    row = {"uscc": "91320205MA1ABCDE00", "name": "甲公司", "status": "1", "_landed_row": 0}
    row |= {"_provider_org": "market_regulation", "_entry_id": ENTRY, "_run_id": "r1"}
    publish_snapshot(
        world.settings().library_dir, unified_table(ENTRY), schema,
        [pa.RecordBatch.from_pylist([row], schema=schema)], key=["uscc"], run_id="r1",
        committed_at=world.clock(), read=1,
    )  # fmt: skip
    return tmp_path


def run(*words, code=0):
    answer = CliRunner().invoke(app, ["share", *words, "--json"])
    assert answer.exit_code == code, answer.output
    return json.loads(answer.stdout)


def filled(**changed):
    today = date.today()  # noqa: DTZ011 - the commands read the real clock
    return {
        "object_id": ENTRY, "scenario": "参保登记", "service_items": ["320107009000"],
        "purpose_code": "statistics", "purpose": "核对", "legal_basis": "《社会保险法》",
        "elements": [{"field": "uscc", "use": "定位企业记录"}, {"field": "name", "use": "备用"}],
        "mode": "file_download", "format": "xlsx", "cycle": "daily", "contact": "信息中心",
        "valid_from": (today - timedelta(days=1)).isoformat(),
        "valid_until": (today + timedelta(days=90)).isoformat(),
    } | changed  # fmt: skip


def written(city, form):
    path = city / "form.json"
    path.write_text(json.dumps(form), "utf-8")
    return path


@pytest.mark.requirement("SHR-07")
def test_a_workbook_is_checked_without_being_kept_and_comes_back_marked(city):
    empty, back = city / "申请.xlsx", city / "问题.xlsx"
    assert CliRunner().invoke(app, ["share", "template", ENTRY, str(empty)]).exit_code == 0
    found = run("check", str(empty), "--as", "zhao@hr", "--marked", str(back))
    told = {one["part"]: one["remedy_zh"] for one in found["missing"]}
    assert told["scenario"] == "请写明具体应用场景。（“申请”表 B2）"
    assert "具体应用场景" in load_workbook(back)["申请"]["B2"].comment.text
    assert run("list") == []


@pytest.mark.requirement("SHR-08", "SHR-13")
def test_the_whole_story_on_the_command_line(city):
    form = filled()
    path = written(city, form)
    checked = run("check", str(path), "--as", "zhao@hr")
    verdicts = {one["field"]: one["verdict"] for one in checked["elements"]}
    assert verdicts == {"uscc": "needed", "name": "struck"}
    request_id = run("file", str(path), "--as", "zhao@hr")["id"]
    refused = run("submit", request_id, "--as", "zhao@hr", code=1)
    assert "REQ_NO_CONSENT" in refused["error"]["found"]
    run("consent", request_id, "--as", "qian@hr")
    run("submit", request_id, "--as", "zhao@hr")
    grant_id = run("grant", request_id, "--as", "li@bd")[request_id]
    run("open", grant_id, "--as", "li@bd", code=1)
    assert run("open", grant_id, "--as", "zhou@cc")["token"].startswith("ys1.")
    (delivered,) = run("deliver")["delivered"]
    assert delivered["rows"] == 1
    seen = run("timeline", request_id)
    assert seen["next"] == "通道已开通，使用中"
    assert {due["state"] for due in seen["dues"]} == {"met"}
    (given,) = run("uses", "--given-by", "market_regulation")
    assert (given["consumer_org"], given["calls"]) == ("human_resources", 1)
    (used,) = run("trace", ENTRY, "91320205MA1ABCDE00")
    assert (used["grant_id"], used["is_whole"]) == (grant_id, True)
    assert run("verify-log")["records"] == 1
    run("close", grant_id, "--as", "zhou@cc", "--reason", "用途已实现")
    assert list((city / "sharing" / "projections").iterdir()) == []
    run("deliver", grant_id, code=1)
    (listed,) = run("list")
    assert (listed["state"], listed["grant_state"]) == ("approved", "closed")
    run("register", grant_id, "--as", "zhao@hr", "--note", "已删除", "--on", "2026-11-25",
        "--disposal")  # fmt: skip


@pytest.mark.requirement("SHR-02", "SHR-03", "SHR-04")
def test_lists_are_entered_and_matched_on_the_command_line(city):
    given = ("--scenario", "参保登记", "--item", "320106001000", "--as", "zhao@hr")
    listed = run("demand", "add", "核对参保单位", "--want", "企业名称", *given)["id"]
    told = run("demand", "add", "", "--want", "企业名称", *given, code=1)
    assert "title" in told["error"]["found"]
    run("duty", "add", ENTRY, "--basis", "《市场主体登记管理条例》", "--as", "sun@mr")
    run("duty", "add", "no.such", "--basis", "无", "--as", "sun@mr", code=1)
    (demand,) = run("demand", "list", "--org", "human_resources")
    assert (demand["demand_id"], demand["wanted"]) == (listed, ["企业名称"])
    (duty,) = run("duty", "list")
    assert (duty["entry_id"], duty["org"]) == (ENTRY, "market_regulation")
    assert ENTRY not in run("matches")["unlisted_supply"]


def test_a_draft_is_corrected_has_its_letter_and_is_decided_by_a_deputy(city):
    request_id = run("file", str(written(city, filled())), "--as", "zhao@hr")["id"]
    letter = city / "公函.pdf"
    letter.write_bytes(b"%PDF-1.7 letter")
    run("attach", request_id, str(letter), "--as", "zhao@hr")
    run("attach", request_id, str(written(city, filled())), "--as", "zhao@hr", code=1)
    run("edit", request_id, str(written(city, filled(purpose="核对单位"))), "--as", "zhao@hr")
    run("consent", request_id, "--as", "qian@hr")
    run("submit", request_id, "--as", "zhao@hr")
    (kept,) = run("attachments", request_id, "--save", str(city), "--as", "li@bd")
    assert (city / f"{kept['digest'][:8]}-公函.pdf").read_bytes() == b"%PDF-1.7 letter"
    run("grant", request_id, "--as", "han@bd:li@bd", code=1)
    today = date.today()  # noqa: DTZ011
    until = (today + timedelta(days=9)).isoformat()
    CliRunner().invoke(app, ["user", "deputy", "li@bd", "han@bd", "--as", "root", "--from",
                             today.isoformat(), "--until", until, "--reason", "休假"])  # fmt: skip
    grant_id = run("grant", request_id, "--as", "han@bd:li@bd")[request_id]
    run("open", grant_id, "--as", "zhou@cc")
    assert run("new-token", grant_id, "--as", "zhou@cc")["token"].startswith("ys1.")
    got = city / "got"
    run("download", grant_id, str(got), "--as", "zhao@hr")
    run("download", grant_id, str(got), "--as", "sun@mr", code=1)
    assert {one.suffix for one in got.iterdir()} == {".xlsx", ".json"}
    again = str(written(city, filled(purpose="续期")))
    renewal = run("renew", grant_id, again, "--as", "zhao@hr")["id"]
    changed = run("change-scope", grant_id, again, "--as", "zhao@hr")["id"]
    kinds = {one["request_id"]: one["kind"] for one in run("list")}
    assert (kinds[renewal], kinds[changed]) == ("renewal", "change")
    reason = ("--reason", "名称有误", "--as", "zhou@cc")
    assert run("recall", ENTRY, "--until", "0", *reason) == [f"{grant_id}-000001"]
