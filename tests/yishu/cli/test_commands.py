"""What an engineer types, and what comes back."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from yishu.cli import app
from yishu.library import unified_table
from yishu.library.read import read
from yishu.pipeline import run_subject
from yishu.pipeline.peek import peek
from yishu.secrets import write_connections

RESIDENT = "public_security.resident"
TAXPAYER = "taxation.taxpayer"


QUALITY = (
    "reject", "quarantine", "release", "sample", "scores", "rates", "report", "answer", "freeze",
)  # fmt: skip

NOBODY = "postgresql://clerk:s3cr3t-word@127.0.0.1:1/ledger"
"""The URL of a server that does not run."""


@pytest.fixture
def yishu(city, published_city, monkeypatch):
    """The command on the published city; what it printed, its exit code asserted."""
    ctx, _ = published_city
    var_dir = ctx.settings.var_dir
    if not (var_dir / "releases").exists():
        shutil.copytree(city.folder / "releases", var_dir / "releases")
        write_connections(ctx.settings.connections_path, city.urls)
        run_subject("legal_entity", "first", ctx)
    monkeypatch.setenv("YISHU_VAR_DIR", str(var_dir))
    monkeypatch.setenv("YISHU_DATABASE_URL", ctx.ledger_url)

    def run(*arguments, expect=0, stdin=None):
        result = CliRunner().invoke(app, list(arguments), input=stdin)
        assert result.exit_code == expect, result.output
        return result

    return run


def as_json(result):
    return json.loads(result.stdout)


def test_help_names_every_command_with_an_example(yishu):
    """Each command explains itself and shows how it is typed."""
    commands = [
        ("catalog", "check"),
        ("catalog", "show"),
        ("catalog", "release"),
        ("library", "list"),
        ("library", "query"),
        ("pull",),
        ("quality", "show"),
        ("quality", "compare"),
        *(("quality", verb) for verb in QUALITY),
        *(("objection", verb) for verb in ("raise", "list", "show", "step", "attach")),
        ("trace",),
        ("runs",),
        ("refusals",),
        ("doctor",),
        ("demo",),
    ]
    for command in commands:
        text = yishu(*command, "--help").output
        assert f"Example: yishu {' '.join(command)}" in text
        assert "--json" in text


def test_catalog_check_finds_no_fault_in_the_example(yishu):
    """The example's own rule files are sound."""
    assert as_json(yishu("catalog", "check", "--json")) == []


def test_catalog_check_reports_every_fault_of_every_file_at_once(yishu, tmp_path):
    """Two broken files, one go: file, line, found, expected, remedy; exit code 1."""
    root = tmp_path / "catalog"
    shutil.copytree("catalog", root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    first = root / "entries/taxation/taxpayer.yaml"
    first.write_text(first.read_text("utf-8").replace("secrecy: none", "secrecy: state_secret"))
    (root / "entries/health/medical_licence.yaml").write_text("id: [broken", "utf-8")

    faults = as_json(yishu("catalog", "check", "--root", str(root), "--json", expect=1))

    by_file = {fault["file"]: fault for fault in faults}
    secret = by_file["entries/taxation/taxpayer.yaml"]
    assert secret["code"] == "CAT_SECRET"
    assert secret["line"] > 1
    assert by_file["entries/health/medical_licence.yaml"]["remedy"]
    refused = yishu("catalog", "release", "--root", str(root), "--json", expect=1)
    assert as_json(refused)["error"]["code"] == "CAT_FAULTS"


def test_catalog_release_says_when_there_is_no_airflow_to_tell(tmp_path, monkeypatch):
    """The release is written all the same; Airflow reads it when it starts."""
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))

    told = as_json(CliRunner().invoke(app, ["catalog", "release", "--json"]))
    shown = CliRunner().invoke(app, ["catalog", "release"])

    assert told["announced"] is False
    assert (tmp_path / "var" / "releases" / "current").exists()
    assert [line for line in shown.stdout.splitlines() if "Airflow does not run" in line]


@pytest.mark.requirement("CAT-07", "CAT-08")
def test_catalog_show_filters_sharing_and_opening_apart_and_counts_kinds(yishu):
    """Two independent filters; the number of entries of each data kind is shown."""
    every = as_json(yishu("catalog", "show", "--json"))
    conditional = as_json(yishu("catalog", "show", "--share", "conditional", "--json"))
    closed = as_json(yishu("catalog", "show", "--open", "not_open", "--json"))
    both = as_json(
        yishu("catalog", "show", "--share", "conditional", "--open", "not_open", "--json")
    )

    def ids(answer):
        return {entry["id"] for entry in answer["entries"]}

    assert len(every["entries"]) == sum(every["by_kind"].values()) == 27
    assert ids(both) == ids(conditional) & ids(closed)
    assert ids(closed) - ids(conditional)


def test_catalog_show_of_an_unknown_entry_says_what_to_do(yishu):
    """Four parts on the error output, exit code 1, no traceback."""
    result = yishu("catalog", "show", "nobody.nothing", expect=1)

    assert "CAT_NOT_CATALOGED" in result.stderr
    assert "remedy" in result.stderr
    assert "Traceback" not in result.output


def test_catalog_show_of_an_unknown_share_type_names_the_known_ones(yishu):
    """A usage error like any other: exit code 2, the choices, no traceback."""
    for option in ("--share", "--open"):
        result = yishu("catalog", "show", option, "nonsense", expect=2)
        assert "nonsense" in result.stderr
        assert "conditional" in result.stderr
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "command",
    [
        ("pull", TAXPAYER),
        ("quality", TAXPAYER),
        ("trace", "legal_entity"),
        ("runs",),
        ("refusals",),
    ],
)
def test_a_database_that_does_not_answer_is_an_error_of_ours(yishu, monkeypatch, command):
    """Four parts and a remedy, in each form; never a traceback, never the password."""
    monkeypatch.setenv("YISHU_DATABASE_URL", NOBODY)

    shown = yishu(*command, expect=1, stdin="x\n")
    error = as_json(yishu(*command, "--json", expect=1, stdin="x\n"))["error"]

    assert "DATABASE_UNREACHABLE" in shown.stderr
    assert error["object"] == "127.0.0.1:1/ledger"
    assert "refused" in error["found"]
    assert "YISHU_DATABASE_URL" in error["remedy"]
    assert "Traceback" not in shown.output
    assert "s3cr3t" not in shown.output + str(error)


def test_a_database_url_that_is_none_is_not_repeated(yishu, monkeypatch):
    """What was meant for a URL may be a password."""
    monkeypatch.setenv("YISHU_DATABASE_URL", "s3cr3t-word")

    told = yishu("quality", TAXPAYER, expect=1).output + yishu("doctor", expect=1).output

    assert "YISHU_DATABASE_URL" in told
    assert "s3cr3t" not in told


def test_pull_takes_one_entry_through_all_stages(yishu, city):
    """Counts of the run are shown; the same run again changes nothing."""
    truth = city.manifest.entries[TAXPAYER]

    done = as_json(yishu("pull", TAXPAYER, "--run-id", "by-hand", "--json"))
    again = as_json(yishu("pull", TAXPAYER, "--run-id", "by-hand", "--json"))

    assert done["publish"]["unchanged"] == truth.published
    assert done["publish"]["quarantined"] == truth.quarantined
    assert again["publish"]["version"] == done["publish"]["version"]
    shown = yishu("pull", TAXPAYER, "--run-id", "by-hand").output
    assert f"{truth.quarantined}" in shown
    assert "办税员" in shown


def test_quality_shows_the_last_verdict_worst_check_first(yishu, city):
    """Every check with its counts and its sentence in Chinese."""
    verdict = as_json(yishu("quality", TAXPAYER, "--json"))
    shown = yishu("quality", TAXPAYER).output

    assert verdict["quarantined"] == city.manifest.entries[TAXPAYER].quarantined
    assert {check["check_id"] for check in verdict["checks"]} >= {"uscc.unique", "uscc.format"}
    assert "不得" in shown


def test_runs_lists_the_last_runs_of_all_or_of_one(yishu):
    """Newest first; the state of each, and the error that ended it."""
    every = as_json(yishu("runs", "--limit", "500", "--json"))
    yishu("pull", "nobody.nothing", "--run-id", "astray", "--json", expect=1)
    of_one = as_json(yishu("runs", TAXPAYER, "--json"))
    shown = yishu("runs", TAXPAYER).output

    assert {"legal_entity", TAXPAYER, RESIDENT} <= {run["object_id"] for run in every}
    started = [run["started_at"] for run in every]
    assert started == sorted(started, reverse=True)
    assert {run["object_id"] for run in of_one} == {TAXPAYER}
    assert of_one[-1]["state"] == "succeeded"
    assert of_one[-1]["error_code"] is None
    assert len(as_json(yishu("runs", "--limit", "1", "--json"))) == 1
    assert "succeeded" in shown


def test_runs_names_the_error_of_a_run_that_failed(yishu, published_city):
    """Its stage, its code and its text, in both forms."""
    ctx, _ = published_city
    folder = ctx.settings.secrets_dir
    known = (folder / "connections.json").read_text("utf-8")
    write_connections(folder / "connections.json", {"taxation_drop": "/no/such/folder"})
    try:
        yishu("pull", TAXPAYER, "--run-id", "no-folder", expect=1)
    finally:
        (folder / "connections.json").write_text(known, "utf-8")

    runs = as_json(yishu("runs", TAXPAYER, "--json"))
    failed = next(run for run in runs if run["run_id"] == "no-folder")
    shown = yishu("runs", TAXPAYER).output

    assert (failed["state"], failed["stage"]) == ("failed", "pull")
    assert failed["error_code"].startswith("SRC_")
    assert failed["error_message"].split(":")[0] in shown


@pytest.mark.requirement("SHR-16")
def test_refusals_lists_what_was_asked_and_refused(yishu):
    """A pull of an entry outside the catalog is on record, with its remedy."""
    yishu("pull", "nobody.nothing", "--run-id", "refused", "--json", expect=1)

    newest = next(one for one in as_json(yishu("refusals", "--json")) if one["run_id"] == "refused")
    shown = yishu("refusals").output

    assert (newest["object_id"], newest["code"]) == ("nobody.nothing", "CAT_NOT_CATALOGED")
    assert newest["remedy"]
    assert "CAT_NOT_CATALOGED" in shown


def test_nothing_on_record_is_an_empty_list_and_starts_no_server(tmp_path, monkeypatch):
    """Before the first run there is nothing to show, and nothing is made to say so."""
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))
    for command in ("runs", "refusals"):
        assert as_json(CliRunner().invoke(app, [command, "--json"])) == []
        assert "nothing to show" in CliRunner().invoke(app, [command]).output
    assert not (tmp_path / "var").exists()


def test_library_list_names_every_published_table(yishu):
    """Nineteen unified tables and the subject that was built."""
    tables = {row["table"]: row for row in as_json(yishu("library", "list", "--json"))}

    assert len([table for table in tables if table.startswith("unified/")]) == 27
    assert tables["subject/legal_entity"]["rows"] > 1_000


def test_library_query_masks_personal_values(yishu, published_city):
    """Names, identity numbers and phones are shown as the catalog's masks say."""
    ctx, _ = published_city
    clear = read(ctx.settings.library_dir, unified_table(RESIDENT), columns=["resident_id_no"])
    numbers = set(clear.column(0).to_pylist())

    rows = as_json(yishu("library", "query", RESIDENT, "--limit", "50", "--json"))

    assert len(rows) == 50
    assert not numbers & {row["resident_id_no"] for row in rows}
    assert all(row["resident_id_no"][4:] == "*" * 14 for row in rows)
    assert all(row["name"].endswith("*") for row in rows)


def test_what_the_catalog_does_not_know_is_hidden_whole(city, published_city):
    """Columns of a withdrawn entry have no mask any more, so no value of them is shown."""
    ctx, _ = published_city
    nothing = city.release.__class__("none", "", city.release.released_on, {}, {}, {}, {}, {}, {})

    (row,) = peek(ctx.settings.library_dir, nothing, RESIDENT, limit=1)

    shown = {str(value) for name, value in row.items() if not name.startswith("_") and value}
    assert all(set(value) == {"*"} for value in shown)
    assert row["_entry_id"] == RESIDENT


def test_library_query_selects_columns_and_rows(yishu):
    """Conditions and columns are obeyed; an unknown column is named."""
    rows = as_json(
        yishu(
            *("library", "query", "legal_entity", "--columns", "uscc,region_code"),
            *("--where", "region_code=320213", "--limit", "3", "--json"),
        )
    )

    assert [set(row) for row in rows] == [{"uscc", "region_code"}] * 3
    assert {row["region_code"] for row in rows} == {"320213"}
    wrong = yishu("library", "query", "legal_entity", "--columns", "nothing", "--json", expect=1)
    assert "nothing" in as_json(wrong)["error"]["found"]


@pytest.mark.requirement("OWN-02")
def test_trace_reads_the_key_from_standard_input_and_names_who_answers(yishu, published_city):
    """Each column resolves to one responsible department, entry, run and landed row."""
    ctx, _ = published_city
    table = read(
        ctx.settings.library_dir,
        "subject/legal_entity",
        columns=["uscc", "_landed_row", "_run_id__taxation__taxpayer"],
    )
    row = next(row for row in table.to_pylist() if row["_run_id__taxation__taxpayer"])

    told = as_json(yishu("trace", "legal_entity", "--json", stdin=row["uscc"] + "\n"))

    columns = {origin["column"]: origin for origin in told["columns"]}
    base = columns["name"]
    assert base["entry_id"] == "market_regulation.enterprise_registration"
    assert base["responsible_org"] == "market_regulation"
    assert base["landed_row"] == row["_landed_row"]
    assert columns["tax_credit_grade"]["entry_id"] == TAXPAYER
    assert columns["tax_credit_grade"]["responsible_org"] == "taxation"
    missing = yishu("trace", "legal_entity", "--json", stdin="nobody\n", expect=1)
    assert as_json(missing) == {"columns": [], "received": []}


def test_doctor_says_what_is_missing_and_what_to_do(yishu):
    """Database, release and connections are well; Airflow does not run here, with a remedy."""
    findings = {
        finding["what"]: finding for finding in as_json(yishu("doctor", "--json", expect=1))
    }

    assert all(findings[what]["ok"] for what in ("disk", "database", "release", "connections"))
    assert not findings["airflow scheduler"]["ok"]
    assert "yishu airflow start" in findings["airflow scheduler"]["remedy"]


def test_doctor_connects_to_an_outer_database(yishu, monkeypatch):
    """A server that answers is named with its version; one that does not is a finding."""
    assert "PostgreSQL 18" in finding(yishu("doctor", "--json", expect=1), "database")["found"]

    monkeypatch.setenv("YISHU_DATABASE_URL", NOBODY)
    result = yishu("doctor", "--json", expect=1)

    for what in ("database", "library"):
        dead = finding(result, what)
        assert not dead["ok"]
        assert "127.0.0.1:1/ledger" in dead["found"]
        assert dead["remedy"]
    assert finding(result, "release")["ok"]
    assert "s3cr3t" not in result.output


def finding(result, what):
    return next(one for one in as_json(result) if one["what"] == what)


def test_doctor_writes_nothing(tmp_path, monkeypatch):
    """Whoever only asks what is there finds it as it was, and starts no server."""
    monkeypatch.setenv("YISHU_VAR_DIR", str(tmp_path / "var"))
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 1
    assert not (tmp_path / "var").exists()

    (tmp_path / "var" / "library" / "unified").mkdir(parents=True)
    result = CliRunner().invoke(app, ["doctor", "--json"])

    assert not finding(result, "library")["ok"]
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["library"]
