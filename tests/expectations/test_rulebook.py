"""Decisions about checks: from when they hold, who made them, what they change, what is faulty."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.load import load_catalog
from catalog.vocabulary import Severity
from expectations.errors import PlanImpossible, RulebookFaulty
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.rulebook import SUITES, Rulebook, rulebook, weights
from expectations.run import validate
from expectations.suite import suite

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
IDS = {"entry_id": "market_regulation.enterprise", "run_id": "run-1"}
DECIDED = {"author": "数据质量处", "reason": "会议纪要〔2026〕3号"}
WAIVER = {"id": "W-1", "check": "status.code_list", "since": "2026-11-01", "until": "2026-11-30"}


def book(**parts):
    return Rulebook.model_validate({"entry": "market_regulation.enterprise", **parts})


def rule(check="phone.format", since="2026-01-01", **more):
    return {"check": check, "since": since, **DECIDED, **more}


def planned(make_entry, catalog, decisions, at=NOW):
    return {c.id: c for c in plan(make_entry(), catalog, at=at, book=decisions)}


def test_the_newest_rule_in_force_holds_and_says_who_decided_and_why(make_entry, catalog):
    decisions = book(
        rules=[
            rule(severity="warn"),
            rule(since="2026-06-01", threshold=0.1),
            rule(since="2027-01-01", threshold=0.5),
        ]
    )
    check = planned(make_entry, catalog, decisions)["phone.format"]
    assert (check.severity, check.threshold) == (Severity.FAIL, 0.1)
    assert (check.decided.author, check.decided.since) == ("数据质量处", date(2026, 6, 1))
    earlier = datetime(2026, 5, 31, 15, 59, tzinfo=UTC)
    check = planned(make_entry, catalog, decisions, earlier)["phone.format"]
    assert (check.severity, check.threshold) == (Severity.WARN, None)


def test_a_day_begins_at_midnight_of_the_city(make_entry, catalog):
    decisions = book(rules=[rule(since="2026-06-01", severity="warn")])
    midnight = datetime(2026, 5, 31, 16, tzinfo=UTC)
    assert planned(make_entry, catalog, decisions, midnight)["phone.format"].decided is not None


def test_a_decision_outranks_what_the_entry_says_of_itself(make_entry, catalog):
    entry = make_entry(extensions={"checks": {"phone.format": {"severity": "warn"}}})
    checks = plan(entry, catalog, at=NOW, book=book(rules=[rule()]))
    assert next(c for c in checks if c.id == "phone.format").severity is Severity.FAIL


@pytest.fixture
def addition():
    """A check written by hand."""
    return {
        "id": "capital.not_a_date",
        "kind": "pattern",
        "columns": ["name"],
        "args": {"pattern": "甲.*"},
        "text_zh": "企业名称应以甲开头",
        "text_en": "names begin with 甲",
    }


def test_an_addition_is_checked_like_any_other_from_its_day_on(
    make_entry, catalog, addition, loader, tolerant
):
    decisions = book(checks=[addition], rules=[rule(addition["id"], severity="warn")])
    check = planned(make_entry, catalog, decisions)[addition["id"]]
    verdict = validate([check], 2, loader({"name": pa.array(["甲", "乙"])}), gate=tolerant, **IDS)
    assert verdict.results[0].positions.tolist() == [1]
    assert verdict.quarantined_rows == 0
    before = datetime(2025, 12, 31, tzinfo=UTC)
    assert addition["id"] not in planned(make_entry, catalog, decisions, before)


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"rules": [rule("phone.lenght")]}, "phone.lenght"),
        ({"waivers": [WAIVER | DECIDED | {"check": "nothing.here"}]}, "nothing.here"),
    ],
)
def test_a_decision_about_a_check_that_is_not_there_is_refused(make_entry, catalog, parts, named):
    with pytest.raises(PlanImpossible, match=named):
        planned(make_entry, catalog, book(**parts))


def test_an_addition_over_an_unknown_item_is_refused(make_entry, catalog, addition):
    decisions = book(checks=[addition | {"columns": ["nmae"]}], rules=[rule(addition["id"])])
    with pytest.raises(PlanImpossible, match="no item nmae"):
        planned(make_entry, catalog, decisions)


def test_arguments_that_the_kind_does_not_take_are_refused_by_name(
    make_entry, catalog, addition, loader, tolerant
):
    decisions = book(checks=[addition | {"args": {"patern": "甲"}}], rules=[rule(addition["id"])])
    check = planned(make_entry, catalog, decisions)[addition["id"]]
    with pytest.raises(PlanImpossible, match=r"capital\.not_a_date.*pattern"):
        validate([check], 1, loader({"name": pa.array(["甲"])}), gate=tolerant, **IDS)


def _verdict(make_entry, catalog, loader, gate, waiver):
    rules = [rule("status.code_list", threshold=0.2)]
    checks = plan(make_entry(), catalog, at=NOW, book=book(rules=rules, waivers=[waiver]))
    wanted = [check for check in checks if check.id == "status.code_list"]
    return validate(
        wanted,
        3,
        loader(
            {
                "status": pa.array(["9", "8", "1"]),
                "phone": pa.array(["1", "2", "1"]),
            }
        ),
        gate=gate,
        **IDS,
    )


def test_a_waiver_lets_rows_past_and_leaves_them_in_the_score(
    make_entry, catalog, loader, tolerant
):
    verdict = _verdict(make_entry, catalog, loader, tolerant, WAIVER | DECIDED)
    (result,), (score,) = verdict.results, verdict.scores
    assert (result.failed, result.waived, result.waivers) == (2, 2, ("W-1",))
    assert (verdict.passed, verdict.quarantined_rows) == (True, 0)
    assert (score.failed, score.waived, score.score) == (2, 2, 1 - 2 / 3)


def test_a_waiver_with_a_scope_lets_only_its_rows_past(make_entry, catalog, loader, tolerant):
    scoped = WAIVER | DECIDED | {"scope": {"by": "phone", "values": ["1"]}}
    verdict = _verdict(make_entry, catalog, loader, tolerant, scoped)
    assert verdict.results[0].waived == 1
    assert verdict.quarantined.tolist() == [1]
    assert verdict.blocked_by == ("status.code_list",)


@pytest.mark.parametrize(
    "days",
    [
        {"since": "2026-10-01", "until": "2026-11-24"},
        {"since": "2026-11-26", "until": "2027-01-01"},
    ],
    ids=["expired", "not yet"],
)
def test_a_waiver_out_of_force_changes_nothing(make_entry, catalog, loader, tolerant, days):
    verdict = _verdict(make_entry, catalog, loader, tolerant, WAIVER | DECIDED | days)
    assert (verdict.results[0].waived, verdict.results[0].waivers) == (0, ())
    assert not verdict.passed


BY = "since: 2026-01-01, author: 甲"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"entry: a.b\nrules: [{{check: x, {BY}}}]", r"rules\.0\.reason"),
        (f"entry: a.b\nwaivers: [{{id: W, check: x, {BY}, reason: 乙}}]", "until"),
        (f"entry: a.b\nrules: [{{check: x, {BY}, reason: 乙, threshold: 2}}]", "threshold"),
        ("entry: c.d", r"entry c\.d"),
        ("entry: a.b\nruels: []", "ruels"),
        ("entry: [", "line 1"),
    ],
    ids=["no reason", "no expiry", "share above 1", "another entry", "unknown key", "no YAML"],
)
def test_a_faulty_file_is_refused_with_its_name_and_fault(tmp_path, text, named):
    (tmp_path / "a.b.yaml").write_text(text, "utf-8")
    with pytest.raises(RulebookFaulty, match=rf"suites/a\.b\.yaml.*{named}"):
        rulebook("a.b", tmp_path)


def test_a_waiver_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="until 2026-10-31 is before since"):
        book(waivers=[WAIVER | DECIDED | {"until": "2026-10-31"}])


def test_a_hand_written_check_without_a_decision_is_refused(addition):
    with pytest.raises(ValueError, match="has no rule that says since when and why"):
        book(checks=[addition])


def test_weights_have_versions_and_sum_to_one(tmp_path):
    shares = "shares: {accuracy: 0.4, completeness: 0.6}"
    head = "since: {}, author: 甲, reason: 乙"
    text = "weights:\n" + "".join(
        f"  - {{{head.format(day)}, {shares.replace('0.4', first).replace('0.6', second)}}}\n"
        for day, first, second in (("2026-01-01", "0.4", "0.6"), ("2027-01-01", "0.5", "0.5"))
    )
    (tmp_path / "weights.yaml").write_text(text, "utf-8")
    assert weights(date(2026, 12, 31), tmp_path).shares["accuracy"] == 0.4
    assert weights(date(2027, 1, 1), tmp_path).shares["accuracy"] == 0.5
    with pytest.raises(RulebookFaulty, match="no weights that hold on 2025"):
        weights(date(2025, 1, 1), tmp_path)
    (tmp_path / "weights.yaml").write_text(text.replace("0.6", "0.7"), "utf-8")
    with pytest.raises(RulebookFaulty, match=r"sum to 1\.1"):
        weights(date(2026, 12, 31), tmp_path)


def test_the_files_of_the_city_are_sound():
    catalog, _ = load_catalog(Path(__file__).parents[2] / "catalog")
    files = sorted(SUITES.glob("*.*.yaml"))
    assert files
    for path in files:
        entry = catalog.entries[path.stem]
        checks = plan(entry, catalog, at=NOW, book=rulebook(entry.id))
        assert suite([check for check in checks if check.kind is not CheckKind.EXISTS])
    assert weights(NOW.date()).shares
