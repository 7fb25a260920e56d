"""``yishu share``: the whole story, from an empty form to a closed channel."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from transforms.types import arrow_type
from yishu.cli import app
from yishu.governance import accounts
from yishu.ledger import migrate
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot, unified_table

ENTRY = "market_regulation.enterprise_registration"
PEOPLE = {
    "zhao@hr": ("zhao", Role.DEPARTMENT_OFFICER, "human_resources"),
    "qian@hr": ("qian", Role.DEPARTMENT_HEAD, "human_resources"),
    "li@bd": ("li", Role.AUTHORITY_REVIEWER, "big_data_bureau"),
    "zhou@cc": ("zhou", Role.CENTRE_OPERATOR, "command_centre"),
}


@pytest.fixture
def city(tmp_path, monkeypatch, fresh_database):
    import pyarrow as pa  # noqa: PLC0415

    from yishu.cli import world  # noqa: PLC0415

    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_database)
    loaded, _ = load_catalog(world.settings().catalog_dir)
    release = write_release(
        world.settings().releases_dir, compile_release(loaded, date(2026, 11, 1))
    )
    migrate.upgrade(fresh_database)
    engine = create_engine(fresh_database.replace("postgresql://", "postgresql+psycopg://"))
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


@pytest.mark.requirement("SHR-08", "SHR-13")
def test_the_whole_story_on_the_command_line(city):
    today = date.today()  # noqa: DTZ011 - the commands read the real clock
    form = {
        "object_id": ENTRY, "scenario": "参保登记", "service_items": ["320107009000"],
        "purpose_code": "statistics", "purpose": "核对", "legal_basis": "《社会保险法》",
        "elements": [{"field": "uscc", "use": "定位企业记录"}, {"field": "name", "use": "备用"}],
        "mode": "file_download", "format": "xlsx", "cycle": "daily", "contact": "信息中心",
        "valid_from": (today - timedelta(days=1)).isoformat(),
        "valid_until": (today + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    path = city / "form.json"
    path.write_text(json.dumps(form), "utf-8")
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
