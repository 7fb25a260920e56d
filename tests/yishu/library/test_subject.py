"""Subjects built from tiny unified tables; the catalogs are made in the tests."""

import random
import stat
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.model import (
    Catalog,
    CatalogEntry,
    DataElement,
    DataItem,
    ElementSource,
    Scope,
    Subject,
    SubjectColumn,
)
from catalog.vocabulary import LateDepartment
from transforms.types import arrow_type
from yishu.library import build_subject, commits, content_digest, publish_snapshot
from yishu.library.errors import SubjectNotReady, SubjectUnbuildable
from yishu.library.place import Place, unified_table
from yishu.library.read import read

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
ENTERPRISE, SOCIETY, TAXPAYER = "market.enterprise", "civil.society", "tax.taxpayer"
LEGAL = "subject/legal_entity"


def entry(entry_id, *items, key=()):
    """An entry with items given as ``field`` or ``field=element``; all are text."""
    made = []
    for item in items:
        field, _, element = item.partition("=")
        made.append(
            DataItem(
                name=field, field=field, type="string", sensitivity="none", element=element or None
            )
        )
    return CatalogEntry.model_construct(
        id=entry_id,
        version=1,
        provider_org=entry_id.partition(".")[0],
        items=tuple(made),
        key=tuple(key) or (made[0].field,),
    )


def element(element_id, *sources):
    """A text element with sources given as ``entry`` or ``(entry, discriminator, value...)``."""
    made = []
    for source in sources:
        if isinstance(source, str):
            made.append(ElementSource(entry=source))
        else:
            made.append(
                ElementSource(entry=source[0], scope=Scope(by=source[1], values=source[2:]))
            )
    return DataElement(
        id=element_id, name="元素", type="string", meaning="含义", sensitivity="none", sources=made
    )


def subject(subject_id, key, **columns):
    return Subject(
        id=subject_id,
        name="主题库",
        family="subject_applicant",
        meaning="含义",
        key=key,
        columns=[SubjectColumn(field=field, element=one) for field, one in columns.items()],
    )


def catalog(entries, elements):
    return Catalog.model_construct(
        entries={one.id: one for one in entries}, elements={one.id: one for one in elements}
    )


REGISTERED = [(ENTERPRISE, "registrar", "9"), (SOCIETY, "registrar", "5")]
LEGAL_ENTITY = subject(
    "legal_entity", ["uscc"], uscc="legal.uscc", name="legal.name", grade="legal.grade"
)
CITY = catalog(
    [
        entry(ENTERPRISE, "uscc=legal.uscc", "name=legal.name", "registrar"),
        entry(SOCIETY, "code=legal.uscc", "title=legal.name", "registrar"),
        entry(TAXPAYER, "uscc=legal.uscc", "taxpayer_name=legal.name", "grade=legal.grade"),
    ],
    [
        element("legal.uscc", *REGISTERED),
        element("legal.name", *REGISTERED),
        element("legal.grade", TAXPAYER),
    ],
)


class City:
    """A library whose unified tables are filled row by row."""

    def __init__(self, root: Path, rules: Catalog = CITY) -> None:
        self.root = root
        self.rules = rules

    def publish(self, entry_id, *rows, run="r1"):
        """Rows are ``a b c``; ``_`` is null."""
        one = self.rules.entries[entry_id]
        schema = pa.schema(
            [
                *((item.field, arrow_type(item)) for item in one.items),
                *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
                ("_landed_row", pa.int64()),
            ]
        )
        made = []
        for position, row in enumerate(rows):
            values = [None if value == "_" else value for value in row.split()]
            origin = [one.provider_org, one.id, run, position]
            made.append(dict(zip(schema.names, [*values, *origin], strict=True)))
        batch = pa.RecordBatch.from_pylist(made, schema=schema)
        return publish_snapshot(
            self.root,
            unified_table(entry_id),
            schema,
            [batch],
            key=["_landed_row"],
            run_id=run,
            committed_at=WHEN,
            read=len(rows),
        )

    def build(self, what=LEGAL_ENTITY, run="s1"):
        return build_subject(self.root, what, self.rules, run_id=run, committed_at=WHEN)

    def rows(self, what=LEGAL_ENTITY, columns=None):
        table = read(self.root, f"subject/{what.id}", columns=columns or list(_fields(what)))
        return sorted((tuple(row.values()) for row in table.to_pylist()), key=str)


def _fields(what):
    return [column.field for column in what.columns]


def given(commit):
    return {
        one.entry_id: (one.rows_in, one.contributed, dict(one.reasons))
        for one in commit.contributions
    }


def not_linked(commit):
    rows = pq.read_table(commit.not_linked_path).to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=str)


@pytest.fixture
def city(tmp_path):
    return City(tmp_path / "library")


@pytest.fixture
def three_sources(city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "E2 乙公司 9", run="market-1")
    city.publish(SOCIETY, "S1 丙学会 5", run="civil-1")
    city.publish(TAXPAYER, "E1 甲公司 A", "S1 丙学会 B", run="tax-1")
    return city


@pytest.mark.requirement("SUB-01")
def test_a_subject_is_the_union_over_scopes_and_the_join_over_elements(three_sources):
    built = three_sources.build()

    assert three_sources.rows() == [
        ("E1", "甲公司", "A"),
        ("E2", "乙公司", None),
        ("S1", "丙学会", "B"),
    ]
    assert (built.commit.table, built.commit.version, built.commit.rows) == (LEGAL, 0, 3)
    assert given(built) == {
        ENTERPRISE: (2, 2, {}),
        SOCIETY: (1, 1, {}),
        TAXPAYER: (2, 2, {}),
    }
    assert not_linked(built) == []


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
def test_an_entry_writes_only_in_its_scope_and_a_copy_never(city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "S1 冒名学会 5", "E3 无主 _")
    city.publish(SOCIETY, "S1 丙学会 5", "E1 冒名公司 9")
    city.publish(TAXPAYER, "E1 别名公司 A")

    built = city.build()

    assert city.rows() == [("E1", "甲公司", "A"), ("S1", "丙学会", None)]
    assert given(built) == {
        ENTERPRISE: (3, 1, {"out_of_scope": 2}),
        SOCIETY: (2, 1, {"out_of_scope": 1}),
        TAXPAYER: (1, 1, {}),
    }


def test_two_sources_that_claim_one_key_are_both_refused_and_listed(city):
    city.publish(ENTERPRISE, "X1 甲公司 9", "E1 乙公司 9")
    city.publish(SOCIETY, "X1 丙学会 5")
    city.publish(TAXPAYER, "X1 甲公司 A", "E1 乙公司 B")

    built = city.build()

    assert city.rows() == [("E1", "乙公司", "B")]
    assert not_linked(built) == [
        (SOCIETY, "X1", 0, "duplicate_key"),
        (ENTERPRISE, "X1", 0, "duplicate_key"),
        (TAXPAYER, "X1", 0, "duplicate_key"),
    ]


def test_rows_without_partner_without_key_or_twice_are_listed_with_their_reason(city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "_ 乙公司 9")
    city.publish(SOCIETY)
    city.publish(TAXPAYER, "E1 甲公司 A", "E1 甲公司 B", "E9 没有 C", "_ 没有 D")

    built = city.build()

    assert city.rows() == [("E1", "甲公司", None)]
    assert given(built) == {
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


def test_a_subject_that_waits_for_all_or_has_no_base_is_not_ready_yet(city):
    patient = LEGAL_ENTITY.model_copy(update={"late_department": LateDepartment.WAIT_FOR_ALL})
    city.publish(TAXPAYER, "E1 甲公司 A")
    with pytest.raises(SubjectNotReady, match="at least one source entry") as refused:
        city.build()
    assert refused.value.retryable

    city.publish(ENTERPRISE, "E1 甲公司 9")
    with pytest.raises(SubjectNotReady, match=SOCIETY):
        city.build(patient)

    assert city.build().commit.rows == 1


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


@pytest.mark.requirement("SUB-14")
def test_rows_of_two_departments_with_one_resident_id_are_one_person(tmp_path):
    person = subject(
        "natural_person", ["resident_id"], resident_id="person.id", name="person.name",
        card="person.card",
    )  # fmt: skip
    city = City(
        tmp_path,
        catalog(
            [
                entry("police.resident", "resident_id=person.id", "name=person.name"),
                entry("hr.card", "card=person.card", "holder=person.id"),
            ],
            [
                element("person.id", "police.resident"),
                element("person.name", "police.resident"),
                element("person.card", "hr.card"),
            ],
        ),
    )
    city.publish("police.resident", "P1 张三", "P2 李四", "P2 王五")
    city.publish("hr.card", "K1 P1", "K2 P2", "K3 P3")

    built = city.build(person)

    assert city.rows(person) == [("P1", "张三", "K1")]
    assert not_linked(built) == [
        ("hr.card", "P2", 1, "duplicate_key"),
        ("hr.card", "P3", 2, "no_partner"),
        ("police.resident", "P2", 1, "duplicate_key"),
        ("police.resident", "P2", 2, "duplicate_key"),
    ]


def test_a_key_of_two_columns_tells_licences_of_different_types_apart(tmp_path):
    sources = [("market.food", "type", "food"), ("transport.road", "type", "road")]
    licence = subject(
        "e_licence", ["type", "no"], type="lic.type", no="lic.no", holder="lic.holder"
    )
    items = ["no=lic.no", "type=lic.type", "holder=lic.holder"]
    city = City(
        tmp_path,
        catalog(
            [entry("market.food", *items), entry("transport.road", *items)],
            [element(f"lic.{name}", *sources) for name in ("type", "no", "holder")],
        ),
    )
    city.publish("market.food", "1 food 甲", "2 food 乙")
    city.publish("transport.road", "1 road 丙", "2 food 丁")

    built = city.build(licence)

    assert city.rows(licence) == [("food", "1", "甲"), ("food", "2", "乙"), ("road", "1", "丙")]
    assert given(built)["transport.road"] == (2, 1, {"out_of_scope": 1})


def test_the_source_of_a_part_of_the_key_alone_makes_no_rows(tmp_path):
    material = subject(
        "case_material", ["case", "no"], case="case.no", no="mat.no", name="mat.name"
    )
    city = City(
        tmp_path,
        catalog(
            [
                entry("approval.case", "case=case.no"),
                entry("approval.material", "no=mat.no", "case=case.no", "name=mat.name"),
            ],
            [
                element("case.no", "approval.case"),
                element("mat.no", "approval.material"),
                element("mat.name", "approval.material"),
            ],
        ),
    )
    city.publish("approval.case", "C1", "C2")
    city.publish("approval.material", "1 C1 申请表", "1 C2 申请表")

    built = city.build(material)

    assert city.rows(material) == [("C1", "1", "申请表"), ("C2", "1", "申请表")]
    assert list(given(built)) == ["approval.material"]


def test_two_claims_on_one_value_leave_it_empty_and_are_both_listed(tmp_path):
    rules = catalog(
        [
            entry(ENTERPRISE, "uscc=legal.uscc"),
            entry("tax.grade", "uscc=legal.uscc", "grade=legal.grade", "kind"),
            entry("bank.grade", "uscc=legal.uscc", "grade=legal.grade", "kind"),
        ],
        [
            element("legal.uscc", ENTERPRISE),
            element("legal.grade", ("tax.grade", "kind", "t"), ("bank.grade", "kind", "b")),
        ],
    )
    graded = subject("graded", ["uscc"], uscc="legal.uscc", grade="legal.grade")
    city = City(tmp_path, rules)
    city.publish(ENTERPRISE, "E1", "E2", "E3")
    city.publish("tax.grade", "E1 A t", "E2 A t")
    city.publish("bank.grade", "E1 B b", "E3 B b")

    built = city.build(graded)

    assert city.rows(graded) == [("E1", None), ("E2", "A"), ("E3", "B")]
    assert not_linked(built) == [
        ("bank.grade", "E1", 0, "duplicate_key"),
        ("tax.grade", "E1", 0, "duplicate_key"),
    ]


def test_a_table_older_than_the_catalog_lacks_the_new_item_only(city):
    city.publish(ENTERPRISE, "E1 甲公司 9")
    city.publish(SOCIETY)
    newer = entry(ENTERPRISE, "uscc=legal.uscc", "name=legal.name", "registrar", "p=legal.phone")
    city.rules = catalog(
        [newer, *list(CITY.entries.values())[1:]],
        [*CITY.elements.values(), element("legal.phone", (ENTERPRISE, "registrar", "9"))],
    )
    wider = subject("legal_entity", ["uscc"], uscc="legal.uscc", phone="legal.phone")

    city.build(wider)

    assert city.rows(wider) == [("E1", None)]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (element("legal.grade", ENTERPRISE), "without items for grade"),
        (element("legal.grade", (TAXPAYER, "kind", "x")), "without an item kind"),
    ],
)
def test_a_catalog_that_does_not_fit_the_subject_is_named(three_sources, wrong, found):
    three_sources.rules = catalog(CITY.entries.values(), [*CITY.elements.values(), wrong])
    with pytest.raises(SubjectUnbuildable, match=found):
        three_sources.build()


def test_a_key_or_element_without_definition_is_named(three_sources):
    with pytest.raises(SubjectUnbuildable, match=r"legal\.unknown"):
        three_sources.build(subject("legal_entity", ["uscc"], uscc="legal.unknown"))


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
def test_any_rows_are_all_accounted_for(city, seed):
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
    assert len(not_linked(built)) == sum(one.not_linked for one in built.contributions)
