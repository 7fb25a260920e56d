"""Subjects built from tiny unified tables: what comes together, who writes, who is refused."""

import random
import stat
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from catalog.vocabulary import LateDepartment
from yishu.library import commits, content_digest
from yishu.library.errors import SubjectNotReady
from yishu.library.place import Place

ENTERPRISE, SOCIETY, TAXPAYER = "market.enterprise", "civil.society", "tax.taxpayer"
LEGAL = "subject/legal_entity"


@pytest.mark.requirement("SUB-01")
def test_a_subject_is_the_union_over_scopes_and_the_join_over_elements(make, three_sources):
    built = three_sources.build()

    assert three_sources.rows() == [
        ("E1", "甲公司", "A"),
        ("E2", "乙公司", None),
        ("S1", "丙学会", "B"),
    ]
    assert (built.commit.table, built.commit.version, built.commit.rows) == (LEGAL, 0, 3)
    assert make.given(built) == {
        ENTERPRISE: (2, 2, {}),
        SOCIETY: (1, 1, {}),
        TAXPAYER: (2, 2, {}),
    }
    assert make.not_linked(built) == []


@pytest.mark.requirement("OWN-02")
def test_every_row_names_its_department_entry_and_runs(three_sources):
    three_sources.build()

    columns = ["uscc", "_provider_org", "_entry_id", "_run_id", "_landed_row"]
    assert three_sources.rows(columns=[*columns, "_run_id__tax__taxpayer"]) == [
        ("E1", "market", ENTERPRISE, "market-1", 0, "tax-1"),
        ("E2", "market", ENTERPRISE, "market-1", 1, None),
        ("S1", "civil", SOCIETY, "civil-1", 0, "tax-1"),
    ]


@pytest.mark.requirement("OWN-01")
def test_an_entry_writes_only_in_its_scope_and_a_copy_never(make, city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "S1 冒名学会 5", "E3 无主 _")
    city.publish(SOCIETY, "S1 丙学会 5", "E1 冒名公司 9")
    city.publish(TAXPAYER, "E1 别名公司 A")

    built = city.build()

    assert city.rows() == [("E1", "甲公司", "A"), ("S1", "丙学会", None)]
    assert make.given(built) == {
        ENTERPRISE: (3, 1, {"out_of_scope": 2}),
        SOCIETY: (2, 1, {"out_of_scope": 1}),
        TAXPAYER: (1, 1, {}),
    }


def test_two_sources_that_claim_one_key_are_both_refused_and_listed(make, city):
    city.publish(ENTERPRISE, "X1 甲公司 9", "E1 乙公司 9")
    city.publish(SOCIETY, "X1 丙学会 5")
    city.publish(TAXPAYER, "X1 甲公司 A", "E1 乙公司 B")

    built = city.build()

    assert city.rows() == [("E1", "乙公司", "B")]
    assert make.not_linked(built) == [
        (SOCIETY, "X1", 0, "duplicate_key"),
        (ENTERPRISE, "X1", 0, "duplicate_key"),
        (TAXPAYER, "X1", 0, "duplicate_key"),
    ]


def test_rows_without_partner_without_key_or_twice_are_listed_with_their_reason(make, city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "_ 乙公司 9")
    city.publish(SOCIETY)
    city.publish(TAXPAYER, "E1 甲公司 A", "E1 甲公司 B", "E9 没有 C", "_ 没有 D")

    built = city.build()

    assert city.rows() == [("E1", "甲公司", None)]
    assert make.given(built) == {
        ENTERPRISE: (2, 1, {"no_key": 1}),
        SOCIETY: (0, 0, {}),
        TAXPAYER: (4, 0, {"duplicate_key": 2, "no_partner": 1, "no_key": 1}),
    }


def test_the_list_of_rows_not_linked_holds_keys_only_and_is_for_its_owner(city):
    city.publish(ENTERPRISE, "E1 甲公司 5")
    city.publish(SOCIETY, "S1 丙学会 5")

    path = Path(city.build(run="scheduled__2026-01-01T00:00:00+00:00").not_linked_path)

    assert pq.read_schema(path).names == ["entry_id", "uscc", "landed_row", "reason"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_copies_are_compared_with_the_source_and_only_counted(city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "E2 乙公司 9", "E3 丙公司 9")
    city.publish(SOCIETY, "S1 丁学会 5")
    city.publish(TAXPAYER, "E1 甲公司 A", "E2 旧名 A", "E3 _ A", "S1 旧名 A", "E9 没有 A")

    built = city.build()

    assert [tuple(asdict(one).values()) for one in built.copies] == [
        ("legal.name", TAXPAYER, SOCIETY, 1, 1),
        ("legal.name", TAXPAYER, ENTERPRISE, 2, 1),
    ]


def test_a_late_department_does_not_hold_the_subject_up(city):
    city.publish(ENTERPRISE, "E1 甲公司 9")

    first = city.build(run="s1")
    city.publish(TAXPAYER, "E1 甲公司 A")
    second = city.build(run="s2")

    assert first.missing == (SOCIETY, TAXPAYER)
    assert second.missing == (SOCIETY,)
    assert (second.commit.version, second.commit.updated) == (1, 1)
    assert city.rows() == [("E1", "甲公司", "A")]


def test_a_subject_that_waits_for_all_or_has_no_base_is_not_ready_yet(make, city):
    patient = make.legal_entity.model_copy(update={"late_department": LateDepartment.WAIT_FOR_ALL})
    city.publish(TAXPAYER, "E1 甲公司 A")
    with pytest.raises(SubjectNotReady, match="at least one source entry") as refused:
        city.build()
    assert refused.value.retryable

    city.publish(ENTERPRISE, "E1 甲公司 9")
    with pytest.raises(SubjectNotReady, match=SOCIETY):
        city.build(patient)

    assert city.build().commit.rows == 1


def test_a_subject_that_waits_for_all_is_built_with_what_is_there_once_it_is_due(make, city):
    patient = make.legal_entity.model_copy(update={"late_department": LateDepartment.WAIT_FOR_ALL})
    with pytest.raises(SubjectNotReady, match="at least one source entry"):
        city.build(patient, is_due=True)
    city.publish(ENTERPRISE, "E1 甲公司 9")

    built = city.build(patient, is_due=True)

    assert built.missing == (SOCIETY, TAXPAYER)
    assert city.rows() == [("E1", "甲公司", None)]


@pytest.mark.requirement("SUB-21")
def test_a_subject_rebuilt_from_the_unified_database_has_the_same_digest(three_sources, tmp_path):
    three_sources.build()
    before = content_digest(three_sources.root, LEGAL)
    Place(three_sources.root, LEGAL).path.rename(tmp_path / "lost")

    rebuilt = three_sources.build(run="s2")

    assert rebuilt.commit.version == 0
    assert content_digest(three_sources.root, LEGAL) == before


def test_nothing_new_in_the_sources_makes_no_new_version(three_sources):
    first = three_sources.build(run="s1")

    second = three_sources.build(run="s2")

    assert (second.commit.version, second.commit.unchanged) == (0, 3)
    assert second.contributions == first.contributions
    assert len(commits(three_sources.root, LEGAL)) == 1


def test_a_run_built_again_reads_what_it_read_the_first_time(three_sources):
    first = three_sources.build(run="s1")
    three_sources.publish(ENTERPRISE, "E7 新公司 9", run="market-2")

    again = three_sources.build(run="s1")

    assert again.commit.already_published
    assert again.contributions == first.contributions
    assert again.copies == first.copies
    assert ("E7", "新公司", None) not in three_sources.rows()


def expected(enterprises, societies, taxpayers):
    """The subject's rows by the plainest reading of the rules."""
    base = [row for row in enterprises if row[2] == "9"] + [r for r in societies if r[2] == "5"]
    base = [row for row in base if row[0] != "_"]
    times = Counter(row[0] for row in base)
    graded = Counter(row[0] for row in taxpayers)
    grades = {row[0]: row[2] for row in taxpayers if graded[row[0]] == 1}
    rows = [(row[0], row[1], grades.get(row[0])) for row in base if times[row[0]] == 1]
    return sorted(rows, key=str)


@pytest.mark.parametrize("seed", range(6))
def test_any_rows_are_all_accounted_for(make, city, seed):
    dice = random.Random(seed)  # noqa: S311  not for secrets

    def some(kinds):
        count = dice.randrange(25)
        return [
            (dice.choice(["_", *"ABCDEFGHIJKLMNOP"]), dice.choice("甲乙"), dice.choice(kinds))
            for _ in range(count)
        ]

    tables = {ENTERPRISE: some("95"), SOCIETY: some("95"), TAXPAYER: some("XYZ")}
    for entry_id, rows in tables.items():
        city.publish(entry_id, *(" ".join(row) for row in rows))

    built = city.build()

    assert city.rows() == expected(*tables.values())
    for one in built.contributions:
        assert one.rows_in == len(tables[one.entry_id])
        assert one.rows_in == one.contributed + one.not_linked
        assert one.not_linked == sum(one.reasons.values())
    assert len(make.not_linked(built)) == sum(one.not_linked for one in built.contributions)
