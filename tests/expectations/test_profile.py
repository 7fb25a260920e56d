"""Column statistics: counts of all items, values of those alone that are not sensitive."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from catalog.model import DataItem
from expectations.profile import MOST_LISTED, ColumnProfile, Profiling

NAMES = pa.array(["张三", "李四", "张三", None, "欧阳一二"])


def item(sensitivity="none", kind="string"):
    return DataItem(name="甲", field="a", type=kind, sensitivity=sensitivity)


def of(values, flags=None, **about):
    unreadable = None if flags is None else pa.chunked_array([pa.array(flags)])
    return of_spans((pa.chunked_array([values]), unreadable), **about)


def of_spans(*spans, **about):
    taken = Profiling(item(**about), sum(len(values) for values, _ in spans))
    for values, unreadable in spans:
        taken.add(values, unreadable)
    return taken.profile()


@pytest.mark.requirement("QUA-02", "SEC-11")
@pytest.mark.parametrize("sensitivity", ["internal", "personal", "sensitive_personal"])
def test_of_sensitive_items_only_counts_and_lengths_are_told(sensitivity):
    found = of(NAMES, sensitivity=sensitivity)
    assert found == ColumnProfile("a", 5, 1, 0, 3, shortest=2, longest=4)
    assert not any(name in str(found.record()) for name in ("张三", "李四", "欧阳"))


def test_of_other_items_bounds_and_frequent_values_too():
    found = of(pa.array(["b", "a", "b", None]))
    assert (found.minimum, found.maximum, found.top) == ("a", "b", (("b", 2), ("a", 1)))


@pytest.mark.parametrize(
    ("values", "kind", "low", "high"),
    [
        (pa.array([date(2020, 1, 2), date(9999, 12, 31)]), "date", "2020-01-02", "9999-12-31"),
        (pa.array([Decimal("1.50"), Decimal("-2.00")]), "money", "-2.00", "1.50"),
        (pa.array([3, None, 1]), "integer", "1", "3"),
        (pa.array([True, False, True]), "boolean", "False", "True"),
    ],
)
def test_bounds_of_typed_columns(values, kind, low, high):
    found = of(values, kind=kind)
    assert (found.minimum, found.maximum, found.shortest) == (low, high, None)


def test_unreadable_values_are_among_the_missing_and_told_apart():
    found = of(pa.array([1, None, None]), [False, True, False], kind="integer")
    assert (found.nulls, found.unreadable) == (2, 1)


@pytest.mark.parametrize("values", [pa.array([], pa.string()), pa.nulls(4, pa.string())])
def test_a_column_without_values_has_nothing_to_tell(values):
    found = of(values)
    assert (found.rows, found.distinct, found.minimum, found.longest, found.top) == (
        len(values),
        0,
        None,
        None,
        (),
    )


def test_distinct_is_exact_for_many_values_and_their_list_is_left_out():
    texts = [str(number) for number in range(MOST_LISTED + 200)]
    found = of(pa.array(texts * 2))
    assert (found.distinct, found.top) == (MOST_LISTED + 200, ())
    shifted = [
        pa.chunked_array([pa.array(part, pa.string())]) for part in (texts, texts[::-1], [None])
    ]
    by_spans = of_spans(*((part, None) for part in shifted))
    assert (by_spans.distinct, by_spans.nulls) == (MOST_LISTED + 200, 1)


def test_a_profile_does_not_depend_on_chunks_and_comes_back_from_its_record():
    whole = of(NAMES)
    parts = of_spans((pa.chunked_array([NAMES[:1], NAMES[1:1], NAMES[1:]]), None))
    assert parts == whole
    assert ColumnProfile.of_record(whole.record()) == whole


def test_values_that_come_again_and_again_are_hashed_once_a_span():
    """Eight bytes for each of 50 million rows would be kept to tell the days of a century."""
    days = pa.chunked_array([pa.array([*range(MOST_LISTED + 200)] * 3, pa.int64())])
    taken = Profiling(item(kind="integer"), 2 * len(days))
    taken.add(days, None)
    taken.add(days, None)

    assert taken._hashed == 2 * (MOST_LISTED + 200)
    assert taken.profile().distinct == MOST_LISTED + 200
