"""Commands ask a portal that really listens, and show what they show of the own database."""

import json
import os
import re
import socket
import threading
import time
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import uvicorn
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.cli import app
from yishu.governance import accounts
from yishu.governance.cards import orders
from yishu.governance.clock_rules import by_rule
from yishu.governance.notices import Notice, enqueue
from yishu.governance.promises import NewClock, open_clock
from yishu.governance.sweep import sweep
from yishu.governance.working_calendar import rules_in_force
from yishu.portal import api_tokens, demo
from yishu.portal.app import create_app
from yishu.portal.world import World
from yishu.settings import Settings, project_root

ENTRY = "market_regulation.enterprise_registration"
FORM = {
    "object_id": ENTRY,
    "scenario": "核对纳税人登记",
    "service_items": ["320107009000"],
    "purpose_code": "case_handling",
    "purpose": "核对企业登记信息，申请人不再提交营业执照",
    "legal_basis": "《税收征收管理法》第十五条",
    "elements": [{"field": "uscc", "use": "定位企业"}, {"field": "name", "use": "核对名称"}],
    "mode": "api",
    "format": "json",
    "cycle": "daily",
    "valid_from": "2026-11-20",
    "valid_until": "2027-11-19",
    "contact": "信息中心 数据专员",
}


@pytest.fixture(scope="module")
def city(copied, ledger_template, tmp_path_factory):
    """A portal with the example's catalog and people: its environment at home, its world."""
    url = copied(ledger_template)
    var, catalog_dir = tmp_path_factory.mktemp("remote"), project_root() / "catalog"
    settings = Settings(var_dir=var, catalog_dir=catalog_dir)
    loaded, _ = load_catalog(catalog_dir)
    write_release(settings.releases_dir, compile_release(loaded, date(2026, 11, 1)))
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        demo.add_people(connection, loaded, date(2026, 1, 1))
    home = {
        "YISHU_VAR_DIR": str(var),
        "YISHU_CATALOG_DIR": str(catalog_dir),
        "YISHU_DATABASE_URL": url,
    }
    yield home, World(settings, engine, lambda: datetime.now(UTC))
    engine.dispose()


@pytest.fixture(scope="module")
def address(city):
    """Where that portal listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = uvicorn.Config(create_app(city[1]), "127.0.0.1", port, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def far(city, address, tmp_path_factory):
    """Runs a command on a machine that has nothing but the portal's address and a token."""
    nothing = str(tmp_path_factory.mktemp("elsewhere"))

    def run(account, *arguments, **changed):
        world = city[1]
        with world.engine.begin() as connection:
            actor = accounts.find(connection, account, world.today())
            token = api_tokens.make(connection, actor, "test", 1, world.clock())
        away = {"YISHU_VAR_DIR": nothing, "YISHU_PORTAL": address, "YISHU_TOKEN": token}
        return command({**away, **changed}, arguments)

    return run


@pytest.fixture(scope="module")
def home(city):
    """Runs a command where the database is."""
    return lambda *arguments: command(city[0], arguments)


def command(environment, arguments):
    """One command in an environment that names nothing else of Yishu."""
    others = {name: None for name in os.environ if name.startswith("YISHU_")}
    direct = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return CliRunner().invoke(app, arguments, env={**others, **direct, **environment})


def test_a_request_goes_from_the_form_to_an_open_channel_and_both_show_the_same(
    far, home, tmp_path
):
    form = tmp_path / "form.json"
    form.write_text(json.dumps(FORM, ensure_ascii=False), "utf-8")
    filed = far("officer.taxation", "share", "file", str(form), "--json")
    number = json.loads(filed.stdout)["id"]

    for account, step in (("head", "consent"), ("officer", "submit")):
        assert far(f"{account}.taxation", "share", step, number).exit_code == 0
    granted = far("reviewer", "share", "grant", number, "--strike", "name", "--json")
    grant_id = json.loads(granted.stdout)[number]
    opened = json.loads(far("operator", "share", "open", grant_id, "--json").stdout)
    assert re.fullmatch(r"\S{30,}", opened["token"])

    used = ("share", "register", grant_id, "--note", "核对12户", "--on", "2026-11-20")
    assert far("officer.taxation", *used).exit_code == 0
    assert "use_registered" in home("share", "timeline", number, "--json").stdout
    assert far("operator", *used).exit_code == 1
    for verb in ("renew", "change-scope"):
        again = far("officer.taxation", "share", verb, grant_id, str(form), "--json")
        draft = json.loads(again.stdout)["id"]
        form.write_text(json.dumps({**FORM, "scenario": f"核对{verb}"}), "utf-8")
        assert far("officer.taxation", "share", "edit", draft, str(form)).exit_code == 0
        assert "edited" in home("share", "timeline", draft, "--json").stdout
        assert far("officer.taxation", "share", "withdraw", draft).exit_code == 0
    recall = ("share", "recall", ENTRY, "--until", "1", "--reason", "名称有误", "--json")
    assert json.loads(far("operator", *recall).stdout) == []
    assert far("officer.taxation", *recall).exit_code == 1

    for arguments in (("share", "list"), ("share", "timeline", number), ("clocks", "list")):
        there, here = far("reviewer", *arguments), home(*arguments)
        assert (there.stdout, there.exit_code) == (here.stdout, here.exit_code), arguments
        there, here = far("reviewer", *arguments, "--json"), home(*arguments, "--json")
        assert there.stdout == here.stdout, arguments


@pytest.mark.parametrize(
    "arguments", [("catalog", "show"), ("catalog", "show", ENTRY), ("objection", "list")]
)
def test_what_is_read_there_is_what_is_read_here(far, home, arguments):
    there, here = far("monitor", *arguments), home(*arguments)

    assert there.exit_code == here.exit_code == 0, there.stderr
    assert there.stdout == here.stdout


def test_clocks_cards_and_orders_are_dealt_with_there_as_here(far, home, city):
    world = city[1]
    with world.engine.begin() as connection:
        rules = rules_in_force(connection, world.release(), world.settings)
        late, paused = (
            open_clock(
                connection,
                NewClock(promise, "wuxi_2022", "share_request", object_id, "taxation", "filed",
                         world.clock() - timedelta(days=days)),
                by_rule("test"),
            )
            for promise, object_id, days in (
                ("catalog_update", "far.late", 60),
                ("request_reply_conditional", "far.paused", 2),
            )
        )  # fmt: skip
        sweep(connection, rules, world.clock())
        (order,) = orders(connection, clock_id=late)

    said = ("--cause", "returned_for_completion", "--reason", "一次性告知", "--json")
    held = json.loads(far("reviewer", "clocks", "pause", paused, *said).stdout)
    assert (held["clock"], held["state"]) == (paused, "paused")
    assert json.loads(home("clocks", "show", paused, "--json").stdout)["clock"] == held
    on = json.loads(far("reviewer", "clocks", "resume", paused, "--json").stdout)
    assert on["state"] in ("green", "yellow")
    refused = far("officer.taxation", "clocks", "pause", paused, *said)
    assert json.loads(refused.stdout)["error"]["code"].endswith("FORBIDDEN")

    answered = far("officer.taxation", "cards", "answer", order.order_no, "--feedback", "已更新")
    assert answered.exit_code == 0, answered.stderr
    for arguments in (("cards", "list"), ("cards", "orders"), ("cards", "list", "--org", "health")):
        there, here = far("auditor", *arguments, "--json"), home(*arguments, "--json")
        assert there.stdout == here.stdout, arguments
    assert "已更新" in home("cards", "orders", "--json").stdout


def test_programs_are_told_what_waits_and_what_they_were_told(city, address):
    world = city[1]
    with world.engine.begin() as connection:
        actor = accounts.find(connection, "officer.taxation", world.today())
        token = api_tokens.make(connection, actor, "test", 1, world.clock())
        told = Notice("k-1", "taxation", actor.role, "提醒", "有事项将到期", world.clock(),
                      "clock", "c-1")  # fmt: skip
        enqueue(connection, told)

    with httpx.Client(
        base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as asker:
        work = asker.get("/work").json()
        assert work["total"] == len(work["tasks"]) >= 1
        assert {"far.late", "far.paused"} >= {one["object_id"] for one in work["tasks"]} - {""}
        first = next(one for one in asker.get("/notices?unread=true").json() if one["key"] == "k-1")
        assert (first["subject"], first["read_at"]) == ("提醒", None)
        assert asker.post("/notices/read?key=k-1").json() == {"read": True}
        assert asker.post("/notices/read?key=k-1").json() == {"read": False}
        assert "k-1" not in {one["key"] for one in asker.get("/notices?unread=true").json()}


def test_refusals_say_the_same_there(far, address):
    told = far("officer.taxation", "share", "consent", "SQ99999999", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["error"]["object"] == "SQ99999999"

    forbidden = far("monitor", "share", "open", "GT99999999", "--json")
    assert json.loads(forbidden.stdout)["error"]["code"].endswith("FORBIDDEN")
    ended = far("monitor", "share", "list", YISHU_TOKEN="yishu_nobody")
    assert "token" in ended.stderr
    assert httpx.get(f"{address}/api/v1/requests/all", trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"YISHU_PORTAL": "http://portal.example.invalid"}, "PORTAL_UNSAFE"),
        ({"YISHU_PORTAL": "http://127.0.0.1:9"}, "PORTAL_AWAY"),
    ],
)
def test_a_token_is_not_sent_in_clear_or_to_nobody(far, changed, code):
    told = far("monitor", "share", "list", "--json", **changed)

    assert json.loads(told.stdout)["error"]["code"] == code
