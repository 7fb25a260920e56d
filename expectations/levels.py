"""The same item on several levels (三级四同): name, code, basis, type; and one code, one name.

Pure: a table of service items in, comparisons out. Items are the same where their basic codes are
(S004 Art.6), or where an item of the same name has another code on another level.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from catalog.identifiers.item_code import implementation_code_fault

ASPECTS: Mapping[str, str] = {
    "item_name": "名称",
    "basic_code": "编码",
    "legal_basis": "依据",
    "item_type": "类型",
}
"""The four that must be the same (S004 Art.6¶2), by column."""

COLUMNS = ("implementation_code", "exercise_level", *ASPECTS)

Item = Mapping[str, str | None]


@dataclass(frozen=True)
class Comparison:
    """An item on two levels; the first is the higher one.

    Attributes:
        same: For each column of ``ASPECTS`` whether the two agree.
        first: The higher level's item.
        second: The lower level's item.
    """

    first: Item
    second: Item
    same: Mapping[str, bool]

    @property
    def conforms(self) -> bool:
        """Whether all four agree."""
        return all(self.same.values())


@dataclass(frozen=True)
class Difference:
    """One aspect in which two levels differ, with both values; one row of the list."""

    first_code: str
    first_level: str
    second_code: str
    second_level: str
    aspect: str
    first_value: str | None
    second_value: str | None


def compare_levels(items: pa.Table) -> list[Comparison]:
    """Every pair of levels of every item that is on more than one.

    Args:
        items: The columns ``COLUMNS``; ``exercise_level`` by GB/T 39046-2020 A.2, 1 is the state.
    """
    rows = items.select(COLUMNS).to_pylist()
    return [_comparison(*pair) for group in _groups(rows) for pair in _pairs(group)]


def differences(comparisons: Sequence[Comparison]) -> list[Difference]:
    """A row for each aspect in which two levels differ."""
    return [
        Difference(
            first_code=str(one.first["implementation_code"]),
            first_level=str(one.first["exercise_level"]),
            second_code=str(one.second["implementation_code"]),
            second_level=str(one.second["exercise_level"]),
            aspect=ASPECTS[column],
            first_value=one.first[column],
            second_value=one.second[column],
        )
        for one in comparisons
        for column, is_same in one.same.items()
        if not is_same
    ]


def conformity(comparisons: Sequence[Comparison]) -> float | None:
    """Share of pairs in which all four agree, 0 to 1; None without any pair."""
    if not comparisons:
        return None
    return sum(one.conforms for one in comparisons) / len(comparisons)


def code_conflicts(items: pa.Table) -> dict[str, list[str]]:
    """Basic codes that stand for several names (S003 二(一)), with the names, sorted."""
    names: dict[str, set[str]] = defaultdict(set)
    for row in items.select(["basic_code", "item_name"]).to_pylist():
        if row["basic_code"] and row["item_name"]:
            names[row["basic_code"]].add(row["item_name"])
    return {code: sorted(found) for code, found in sorted(names.items()) if len(found) > 1}


def code_faults(items: pa.Table) -> dict[str, str]:
    """Implementation codes that are malformed, with the segment that is wrong (S003 二(一))."""
    codes = items.column("implementation_code").drop_null().unique().to_pylist()
    return {code: fault for code in codes if (fault := implementation_code_fault(code))}


def _groups(rows: Sequence[Item]) -> Iterator[list[Item]]:
    """Items of one basic code; and items of one name whose codes differ."""
    by_code: dict[str, list[Item]] = defaultdict(list)
    by_name: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        if row["basic_code"]:
            by_code[row["basic_code"]].append(row)
        if row["item_name"]:
            by_name[row["item_name"]].append(row)
    yield from by_code.values()
    for group in by_name.values():
        if len({row["basic_code"] for row in group}) > 1:
            yield _one_a_code(group)


def _one_a_code(group: Sequence[Item]) -> list[Item]:
    """The first item of each code: those of one code were compared with each other already."""
    return list({row["basic_code"]: row for row in reversed(group)}.values())[::-1]


def _pairs(group: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    ordered = sorted(
        group, key=lambda row: (str(row["exercise_level"]), str(row["implementation_code"]))
    )
    for first, second in combinations(ordered, 2):
        if first["exercise_level"] != second["exercise_level"]:
            yield first, second


def _comparison(first: Item, second: Item) -> Comparison:
    return Comparison(
        first, second, {column: first[column] == second[column] for column in ASPECTS}
    )
