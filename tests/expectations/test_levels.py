"""The same item on three levels: name, code, basis, type; and one code for one name."""

import pyarrow as pa
import pytest

from expectations.levels import code_conflicts, code_faults, compare_levels, conformity, differences

PROVINCE = ("P1", "2", "食品经营许可", "320117002011", "食品安全法第35条", "01")


def items(*rows):
    names = (
        "implementation_code",
        "exercise_level",
        "item_name",
        "basic_code",
        "legal_basis",
        "item_type",
    )
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])


def changed(code, level, **changes):
    names = (
        "implementation_code",
        "exercise_level",
        "item_name",
        "basic_code",
        "legal_basis",
        "item_type",
    )
    row = dict(zip(names, PROVINCE, strict=True))
    row |= {"implementation_code": code, "exercise_level": level, **changes}
    return tuple(row.values())


def told(found):
    return [(d.first_code, d.second_code, d.aspect, d.first_value, d.second_value) for d in found]


@pytest.mark.requirement("QUA-11")
def test_three_equal_levels_are_three_conforming_pairs():
    compared = compare_levels(items(PROVINCE, changed("C1", "3"), changed("D1", "4")))
    assert [
        (c.first["implementation_code"], c.second["implementation_code"]) for c in compared
    ] == [
        ("P1", "C1"),
        ("P1", "D1"),
        ("C1", "D1"),
    ]
    assert conformity(compared) == 1.0
    assert differences(compared) == []


@pytest.mark.requirement("QUA-11")
@pytest.mark.parametrize(
    ("change", "aspect"),
    [
        ({"item_name": "食品销售许可"}, "名称"),
        ({"basic_code": "320117002012"}, "编码"),
        ({"legal_basis": None}, "依据"),
        ({"item_type": "07"}, "类型"),
    ],
)
def test_a_difference_has_a_row_with_both_values(change, aspect):
    (column, value), *_ = change.items()
    compared = compare_levels(items(PROVINCE, changed("C1", "3", **change)))
    first = dict(
        zip(("item_name", "basic_code", "legal_basis", "item_type"), PROVINCE[2:], strict=True)
    )
    assert told(differences(compared)) == [("P1", "C1", aspect, first[column], value)]
    assert conformity(compared) == 0.0
    assert sum(compared[0].same.values()) == 3


def test_districts_of_one_level_are_not_compared_with_each_other():
    compared = compare_levels(items(changed("D1", "4"), changed("D2", "4", item_name="别名")))
    assert compared == []
    assert conformity(compared) is None


@pytest.mark.requirement("CAT-10")
def test_one_code_with_several_names_is_a_conflict_naming_them():
    table = items(
        PROVINCE,
        changed("C1", "3", item_name="食品销售许可"),
        changed("C2", "3", basic_code="320117002099"),
    )
    assert code_conflicts(table) == {"320117002011": ["食品经营许可", "食品销售许可"]}


@pytest.mark.requirement("CAT-10")
@pytest.mark.parametrize(
    ("code", "segment"),
    [
        ("11370800MB285591843370117002011", None),
        ("11370800MB28559184337011700201", "length 30 instead of 31"),
        ("11370800MB285591853370117002011", "credit code of the implementing body"),
        ("11370800MB285591849370117002011", "level, character 19"),
        ("11370800MB285591843990117002011", "basic code, characters 20 to 31"),
    ],
)
def test_a_malformed_code_is_named_with_its_failing_segment(code, segment):
    found = code_faults(pa.table({"implementation_code": [code, None]}))
    assert found.keys() == ({code} if segment else set())
    assert segment is None or found[code].startswith(segment)
