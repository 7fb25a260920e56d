"""The catalog's process as typed: from the first account to a published version and its proof."""

import json
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook
from typer.testing import CliRunner

from catalog.release import current_release
from yishu.cli import app

TAXPAYER = "taxation.taxpayer"
FOLDER = Path(__file__).resolve().parents[3] / "catalog/entries"
ENTRIES = list(FOLDER.glob("*/*.yaml"))
ENTRY = FOLDER / "taxation/taxpayer.yaml"
PEOPLE = {
    "li.an": ("department_officer", "taxation"),
    "sun.ya": ("department_head", "taxation"),
    "zheng.yi": ("authority_reviewer", "big_data_bureau"),
}


@pytest.fixture
def yishu(fresh_database, tmp_path, monkeypatch):
    """The command on an empty installation; what it printed, its exit code asserted."""
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("YISHU_DATABASE_URL", fresh_database)

    def run(*arguments, expect=0):
        result = CliRunner().invoke(app, [*arguments, "--json"])
        assert result.exit_code == expect, result.output
        return json.loads(result.stdout)

    return run


def _user(yishu, account, role, org, *more):
    made = ("--person", f"p-{account}", "--name", account, "--role", role, "--org", org)
    return yishu("user", "add", account, *made, *more)


@pytest.mark.requirement("CAT-05", "CAT-15", "OWN-07", "OWN-09", "EXC-09")
def test_an_entry_goes_from_draft_to_release_and_back_out(yishu, tmp_path):
    _user(yishu, "root", "administrator", "big_data_bureau")
    for account, (role, org) in PEOPLE.items():
        _user(yishu, account, role, org, "--as", "root")
    assert yishu("catalog", "adopt", "--as", "root")["entries"] == len(ENTRIES)
    content = yaml.safe_load(ENTRY.read_text("utf-8"))
    file = tmp_path / "taxpayer.yaml"
    file.write_text(
        yaml.safe_dump({**content, "update_cycle": "weekly"}, allow_unicode=True), "utf-8"
    )
    why = ("--cause", "element_change", "--note", "新规", "--changed-on", "2026-11-01")
    assert yishu("catalog", "save", str(file), "--as", "li.an", *why)["version"] == 2
    refused = yishu("catalog", "submit", TAXPAYER, "--as", "li.an", expect=1)
    assert refused["error"]["code"] == "CAT_FAULTS"
    for kind, verdict, account in (
        ("confidentiality", "may_be_shared", "zheng.yi"),
        ("head_consent", "consented", "sun.ya"),
    ):
        said = ("--kind", kind, "--verdict", verdict, "--basis", "不涉密")
        yishu("catalog", "assess", TAXPAYER, "--as", account, *said)
    yishu("catalog", "submit", TAXPAYER, "--as", "li.an")
    assert [one["entry_id"] for one in yishu("catalog", "inbox")] == [TAXPAYER]
    yishu("catalog", "review", TAXPAYER, "--as", "zheng.yi", "--approve", "--opinion", "符合要求")
    yishu("catalog", "publish", TAXPAYER, "--as", "zheng.yi")
    released = current_release(tmp_path / "var" / "releases")
    assert released.entry(TAXPAYER).update_cycle == "weekly"
    assert yishu("catalog", "release")["id"] == released.id
    site = tmp_path / "site.json"
    site.write_text(json.dumps(yishu("catalog", "feed")), "utf-8")
    drift = yishu("catalog", "compare-site", str(site))
    assert drift == {"missing": [], "foreign": [], "different": []}
    shown = [one for one in yishu("catalog", "feed") if one["entry_id"] != TAXPAYER]
    site.write_text(json.dumps(shown), "utf-8")
    drift = yishu("catalog", "compare-site", str(site), expect=1)
    assert drift["missing"] == [TAXPAYER]
    (change,) = yishu("catalog", "diff", TAXPAYER, "1", "2")
    assert change["text_zh"] == "更新周期由“每月”改为“每周”"
    assert {one["version"] for one in yishu("catalog", "history", TAXPAYER)} == {1, 2}
    assert TAXPAYER in {one["entry_id"] for one in yishu("catalog", "as-of", "2026-06-30")}
    (before,) = yishu("catalog", "as-of", "2026-06-30", "--entry", TAXPAYER)
    assert before["content"]["update_cycle"] == "monthly"
    _files(yishu, tmp_path)
    _bodies_and_sources(yishu)
    _contacts_duties_and_figures(yishu)
    _proven(yishu, tmp_path)


def _bodies_and_sources(yishu):
    """Bodies, sources, a refused claim, a dispute and its decision."""
    since = ("--since", "2026-01-01", "--as", "root")
    city = yishu("org", "adopt", "wuxi", "--name", "无锡市", "--region", "320200", *since)
    assert city["bodies"] == len(yishu("org", "list"))
    wanted = ("legal_entity.name", TAXPAYER, "--scope", "registrar=9", "--since", "2026-12-01")
    refused = yishu("register", "claim", *wanted, "--decision", "x", "--as", "li.an", expect=1)
    assert refused["error"]["code"] == "OWN_DUPLICATE_SOURCE"
    opened = ("--due", "2026-12-10", "--grounds", "更新更早", "--as", "li.an")
    number = str(yishu("register", "dispute", *wanted, *opened)["dispute"])
    yishu("register", "escalate", number, "--due", "2026-12-20", "--as", "li.an")
    assert [one["stage"] for one in yishu("register", "disputes")] == ["authority"]
    ruling = ("--winner", TAXPAYER, "--since", "2020-01-01", "--reason", "依据")
    late = yishu("register", "decide", number, *ruling, "--as", "zheng.yi", expect=1)
    assert late["error"]["code"] == "GOV_STATE_REFUSED"
    ruling = ("--winner", TAXPAYER, "--since", "2026-12-01", "--reason", "依据")
    assert yishu("register", "decide", number, *ruling, "--as", "zheng.yi")["winner"] == TAXPAYER
    assert yishu("register", "responsibilities", "taxation")
    assert yishu("register", "gaps")
    assert yishu("catalog", "recheck", "--as", "zheng.yi") == []


def _files(yishu, tmp_path):
    """The catalog leaves in every form and comes back; a faulty file changes nothing."""
    for ending in ("xlsx", "csv", "yaml", "ttl", "jsonld"):
        file = tmp_path / f"catalog.{ending}"
        is_foreign = ending in ("ttl", "jsonld")
        site = ("--base", "https://data.example.gov.cn") if is_foreign else ()
        done = yishu("catalog", "export", str(file), *site)
        assert done["entries"] == len(ENTRIES)
        assert ("source" in done["left_out"]) == is_foreign
        assert file.stat().st_size > 10_000
    own, errors = tmp_path / "own.csv", tmp_path / "errors.xlsx"
    yishu("catalog", "export", str(own), "--entry", TAXPAYER)
    why = ("--as", "li.an", "--cause", "element_change", "--note", "三定方案")
    dry = yishu("catalog", "import", str(own), *why, "--dry-run")
    assert (dry["entries"], dry["saved"]) == ([TAXPAYER], False)
    sound = own.read_text("utf-8-sig")
    own.write_text(sound.replace("有条件共享", "随便"), "utf-8")
    refused = yishu("catalog", "import", str(own), *why, "--errors", str(errors), expect=1)
    assert refused["error"]["code"] == "EXC_FILE_FAULTY"
    assert "随便" in str(list(load_workbook(errors).active.iter_rows(values_only=True)))
    assert yishu("catalog", "history", TAXPAYER)[0]["version"] == 2
    own.write_text(sound, "utf-8")
    assert yishu("catalog", "import", str(own), *why)["saved"]
    assert yishu("catalog", "history", TAXPAYER)[0]["version"] == 3
    yishu("catalog", "template", str(tmp_path / "template.xlsx"))


def _contacts_duties_and_figures(yishu):
    """Contacts and duties as typed; a figure of the city is that of all bodies below it."""
    who = ("--since", "2026-01-01", "--as", "root")
    yishu("org", "contact", "health", "power_list", "何新", "--telephone", "0510-81820000", *who)
    (contact,) = yishu("org", "contacts", "health")
    assert (contact["duty"], contact["name"]) == ("power_list", "何新")
    said = ("--lead", "big_data_bureau", "--basis", "锡政办〔2026〕1号", "--as", "root")
    yishu("org", "duty", "portal", "一体化平台", *said, "--cooperating", "health")
    assert [one["lead_org"] for one in yishu("org", "duties", "health")] == ["big_data_bureau"]
    rows = {one["org"]: one for one in yishu("org", "roll-up", "entries")}
    assert rows["wuxi"]["own"] == 0
    assert rows["wuxi"]["total"] == sum(one["own"] for one in rows.values()) == len(ENTRIES)
    assert rows["taxation"]["total"] == rows["taxation"]["own"] == 1


def _proven(yishu, tmp_path):
    """The journal of it all is sealed, exported and proven without the database."""
    sealed = yishu("journal", "seal")
    export = tmp_path / "journal.jsonl"
    yishu("journal", "export", str(export))
    proof = yishu("journal", "verify", str(export))
    assert (proof["records"], proof["broken"]) == (sealed["records"], None)
    export.write_text(export.read_text("utf-8").replace("符合要求", "不符合"), "utf-8")
    broken = yishu("journal", "verify", str(export), expect=1)
    assert "review_entry of taxation.taxpayer" in broken["broken"]
