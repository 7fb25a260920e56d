"""Subjects of other shapes: keys of several columns, joins by number, catalogs that do not fit."""

import traceback

import pytest

from yishu.library.errors import EngineFailed, SubjectNotReady, SubjectUnbuildable

ENTERPRISE, SOCIETY, TAXPAYER = "market.enterprise", "civil.society", "tax.taxpayer"


@pytest.mark.requirement("SUB-14")
def test_rows_of_two_departments_with_one_resident_id_are_one_person(make, tmp_path):
    person = make.subject(
        "natural_person", ["resident_id"], resident_id="person.id", name="person.name",
        card="person.card",
    )  # fmt: skip
    city = make.City(
        tmp_path,
        make.catalog(
            [
                make.entry("police.resident", "resident_id=person.id", "name=person.name"),
                make.entry("hr.card", "card=person.card", "holder=person.id"),
            ],
            [
                make.element("person.id", "police.resident"),
                make.element("person.name", "police.resident"),
                make.element("person.card", "hr.card"),
            ],
        ),
    )
    city.publish("police.resident", "P1 张三", "P2 李四", "P2 王五")
    city.publish("hr.card", "K1 P1", "K2 P2", "K3 P3")

    built = city.build(person)

    assert city.rows(person) == [("P1", "张三", "K1")]
    assert make.not_linked(built) == [
        ("hr.card", "P2", 1, "duplicate_key"),
        ("hr.card", "P3", 2, "no_partner"),
        ("police.resident", "P2", 1, "duplicate_key"),
        ("police.resident", "P2", 2, "duplicate_key"),
    ]


def test_a_key_of_two_columns_tells_licences_of_different_types_apart(make, tmp_path):
    sources = [("market.food", "type", "food"), ("transport.road", "type", "road")]
    licence = make.subject(
        "e_licence", ["type", "no"], type="lic.type", no="lic.no", holder="lic.holder"
    )
    items = ["no=lic.no", "type=lic.type", "holder=lic.holder"]
    city = make.City(
        tmp_path,
        make.catalog(
            [make.entry("market.food", *items), make.entry("transport.road", *items)],
            [make.element(f"lic.{name}", *sources) for name in ("type", "no", "holder")],
        ),
    )
    city.publish("market.food", "1 food 甲", "2 food 乙")
    city.publish("transport.road", "1 road 丙", "2 food 丁")

    built = city.build(licence)

    assert city.rows(licence) == [("food", "1", "甲"), ("food", "2", "乙"), ("road", "1", "丙")]
    assert make.given(built)["transport.road"] == (2, 1, {"out_of_scope": 1})


def test_the_source_of_a_part_of_the_key_alone_makes_no_rows(make, tmp_path):
    material = make.subject(
        "case_material", ["case", "no"], case="case.no", no="mat.no", name="mat.name"
    )
    city = make.City(
        tmp_path,
        make.catalog(
            [
                make.entry("approval.case", "case=case.no"),
                make.entry("approval.material", "no=mat.no", "case=case.no", "name=mat.name"),
            ],
            [
                make.element("case.no", "approval.case"),
                make.element("mat.no", "approval.material"),
                make.element("mat.name", "approval.material"),
            ],
        ),
    )
    city.publish("approval.case", "C1", "C2")
    city.publish("approval.material", "1 C1 申请表", "1 C2 申请表")

    built = city.build(material)

    assert city.rows(material) == [("C1", "1", "申请表"), ("C2", "1", "申请表")]
    assert list(make.given(built)) == ["approval.material"]


def test_two_claims_on_one_value_leave_it_empty_and_are_both_listed(make, tmp_path):
    rules = make.catalog(
        [
            make.entry(ENTERPRISE, "uscc=legal.uscc"),
            make.entry("tax.grade", "uscc=legal.uscc", "grade=legal.grade", "kind"),
            make.entry("bank.grade", "uscc=legal.uscc", "grade=legal.grade", "kind"),
        ],
        [
            make.element("legal.uscc", ENTERPRISE),
            make.element("legal.grade", ("tax.grade", "kind", "t"), ("bank.grade", "kind", "b")),
        ],
    )
    graded = make.subject("graded", ["uscc"], uscc="legal.uscc", grade="legal.grade")
    city = make.City(tmp_path, rules)
    city.publish(ENTERPRISE, "E1", "E2", "E3")
    city.publish("tax.grade", "E1 A t", "E2 A t")
    city.publish("bank.grade", "E1 B b", "E3 B b")

    built = city.build(graded)

    assert city.rows(graded) == [("E1", None), ("E2", "A"), ("E3", "B")]
    assert make.not_linked(built) == [
        ("bank.grade", "E1", 0, "duplicate_key"),
        ("tax.grade", "E1", 0, "duplicate_key"),
    ]


def test_a_table_older_than_the_catalog_lacks_the_new_item_only(make, city):
    city.publish(ENTERPRISE, "E1 甲公司 9")
    city.publish(SOCIETY)
    newer = make.entry(
        ENTERPRISE, "uscc=legal.uscc", "name=legal.name", "registrar", "p=legal.phone"
    )
    city.rules = make.catalog(
        [*city.rules.entries.values(), newer],
        [
            *city.rules.elements.values(),
            make.element("legal.phone", (ENTERPRISE, "registrar", "9")),
        ],
    )
    wider = make.subject("legal_entity", ["uscc"], uscc="legal.uscc", phone="legal.phone")

    city.build(wider)

    assert city.rows(wider) == [("E1", None)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (ENTERPRISE, "without items for grade"),
        ((TAXPAYER, "kind", "x"), "without an item kind"),
    ],
)
def test_a_catalog_that_does_not_fit_the_subject_is_named(make, three_sources, source, found):
    rules = three_sources.rules
    wrong = make.element("legal.grade", source)
    three_sources.rules = make.catalog(rules.entries.values(), [*rules.elements.values(), wrong])

    with pytest.raises(SubjectUnbuildable, match=found):
        three_sources.build()


def test_a_key_or_element_without_definition_is_named(make, three_sources):
    with pytest.raises(SubjectUnbuildable, match=r"legal\.unknown"):
        three_sources.build(make.subject("legal_entity", ["uscc"], uscc="legal.unknown"))


CAPITAL = "legal.capital"


@pytest.fixture
def capitals(make, tmp_path):
    """A subject with a whole number, and a library whose item for it has a type to choose."""

    def make_city(kind, now=None):
        elements = [
            make.element("legal.uscc", ENTERPRISE),
            make.element(CAPITAL, ENTERPRISE, kind="integer"),
        ]

        def rules(kind):
            items = ["uscc=legal.uscc", f"capital={CAPITAL}:{kind}"]
            return make.catalog([make.entry(ENTERPRISE, *items)], elements)

        city = make.City(tmp_path, rules(kind))
        city.publish(ENTERPRISE, "E1 机密")
        city.rules = rules(now or kind)
        return city, make.subject("capitals", ["uscc"], uscc="legal.uscc", capital=CAPITAL)

    return make_city


def test_an_item_of_another_type_than_its_element_is_named_with_both(capitals):
    city, subject = capitals("string")

    with pytest.raises(SubjectUnbuildable) as refused:
        city.build(subject)

    assert refused.value.found == f"{ENTERPRISE} gives capital (string) to capital (int64)"
    assert not refused.value.retryable


def test_a_table_of_an_older_type_waits_for_the_entry_to_be_published_anew(capitals):
    city, subject = capitals("string", now="integer")

    with pytest.raises(SubjectNotReady, match="version 0 with capital of type string") as refused:
        city.build(subject)

    assert "机密" not in str(refused.value)


def test_an_error_of_the_engine_shows_no_value(make, tmp_path):
    """An amount too large for the decimals of another source: DuckDB would quote it."""
    amount = "9876543210987654"
    rules = make.catalog(
        [make.entry(ENTERPRISE, "uscc=legal.uscc", f"capital={CAPITAL}:decimal")],
        [make.element("legal.uscc", ENTERPRISE), make.element(CAPITAL, ENTERPRISE, kind="decimal")],
    )
    city = make.City(tmp_path, rules)
    city.publish(ENTERPRISE, f"E1 {amount}")
    uscc, capital = rules.entries[ENTERPRISE].items
    items = (uscc, capital.model_copy(update={"scale": 4}))
    newer = rules.entries[ENTERPRISE].model_copy(update={"items": items})
    city.rules = make.catalog([newer], rules.elements.values())
    subject = make.subject("capitals", ["uscc"], uscc="legal.uscc", capital=CAPITAL)

    with pytest.raises(EngineFailed) as refused:
        city.build(subject)

    told = "".join(traceback.format_exception(refused.value))
    assert amount not in told
    assert "ConversionException of DuckDB" in refused.value.found
