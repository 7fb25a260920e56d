"""However a table is taken apart, its verdict is the same: by column, in pieces, by spans."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.history import History
from expectations.plan import plan
from expectations.rulebook import Rulebook
from expectations.run import evaluate, frame, validate
from expectations.spans import ColumnView
from expectations.verdict import Gate, judge

IDS = {"entry_id": "market_regulation.enterprise", "run_id": "run-1"}
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
WAIVER = {
    "since": "2026-11-01",
    "until": "2026-11-30",
    "author": "数据处",
    "reason": "系统升级，代码待换",
}
MONEY = pa.decimal128(18, 2)

texts = st.sampled_from(
    [
        *("91320200MA99999962", "513202009999999982", "11010519491231002X", "13800000000"),
        *("1", "甲" * 7, "", None),
    ]
)
dates = st.sampled_from([date(2020, 1, 1), date(2021, 1, 1), date(9999, 12, 31), None])
money = st.sampled_from([Decimal("-1.00"), Decimal("0.00"), None])
TEXTS = ("uscc", "name", "status", "person_id", "phone")
KINDS = {"capital": MONEY, "registered_on": pa.date32(), "expires_on": pa.date32()}
row = st.fixed_dictionaries(
    dict.fromkeys(TEXTS, texts)
    | {field: st.tuples(dates, st.booleans()) for field in ("registered_on", "expires_on")}
    | {"capital": st.tuples(money, st.booleans())}
)


def as_columns(rows):
    """Rows as columns with unreadable flags; an unreadable value is null in the values."""
    shown = {}
    for field in (*TEXTS, *KINDS):
        cells = [one[field] for one in rows]
        if field in KINDS:
            values = [None if unreadable else value for value, unreadable in cells]
            flags = pa.array([unreadable for _, unreadable in cells], pa.bool_())
            shown[field] = (pa.array(values, KINDS[field]), flags)
        else:
            shown[field] = pa.array(cells, pa.string())
    return shown


def comparable(verdict):
    return verdict, verdict.quarantined.tolist(), [r.positions.tolist() for r in verdict.results]


given_rows = given(rows=st.lists(row, max_size=6))
few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@few
@given_rows
def test_column_by_column_and_the_whole_frame_give_equal_verdicts(
    make_entry, catalog, loader, tolerant, rows
):
    quality = {
        "ordered": [{"earlier": "registered_on", "later": "expires_on"}],
        "unique": [["name", "phone"]],
    }
    checks = plan(make_entry(quality=quality), catalog)
    load = loader(as_columns(rows))
    by_column = validate(checks, len(rows), load, gate=tolerant, **IDS)
    whole = judge(
        list(evaluate(checks, frame(checks, len(rows), load))), len(rows), tolerant, **IDS
    )
    assert comparable(by_column) == comparable(whole)


@pytest.fixture
def demanding(make_entry, catalog):
    """The entry with checks of every scope, and their plan: rows, keys, columns, the delivery."""
    quality = {
        "ordered": [{"earlier": "registered_on", "later": "expires_on"}],
        "unique": [["name", "phone"]],
    }
    thresholds = {name: {"threshold": 0.5} for name in ("phone.format", "uscc.unique")}
    entry = make_entry(quality=quality, extensions={"checks": thresholds})
    scope = {"by": "status", "values": ["1"]}
    waivers = [
        WAIVER | {"id": name, "check": name, "scope": scope}
        for name in ("name.length", "uscc.unique")
    ]
    book = Rulebook.model_validate({"entry": entry.id, "waivers": waivers})
    history = History(volumes=(3,) * 9, shares={"status": {"1": 1.0}})
    return entry, plan(entry, catalog, at=NOW, history=history, book=book)


@few
@given(rows=st.lists(row, min_size=1, max_size=9), cuts=st.sets(st.integers(1, 8), max_size=3))
def test_columns_in_pieces_as_ranges_land_give_the_verdict_and_profiles_of_the_whole(
    demanding, loader, rows, cuts
):
    entry, checks = demanding
    shown = as_columns(rows)
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    asked = {"gate": Gate(1.0, allow_empty=True), "profiled": entry.items, **IDS}

    whole = validate(checks, len(rows), loader(shown), **asked)
    in_pieces = validate(checks, len(rows), lambda field, _: pieces(shown[field], edges), **asked)

    assert comparable(in_pieces) == comparable(whole)
    assert in_pieces.to_json() == whole.to_json()


@few
@given(
    rows=st.lists(row, min_size=1, max_size=9),
    span_rows=st.integers(1, 4),
    most_listed=st.sampled_from([0, 1_000]),
)
def test_many_spans_in_two_threads_give_the_verdict_and_profiles_of_the_whole(
    demanding, loader, rows, span_rows, most_listed
):
    entry, checks = demanding
    load = loader(as_columns(rows))
    asked = {"gate": Gate(1.0, allow_empty=True), "profiled": entry.items, **IDS}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("expectations.profile.MOST_LISTED", most_listed)
        whole = validate(checks, len(rows), load, **asked)
        patch.setattr("expectations.spans.SPAN_ROWS", span_rows)
        patch.setattr("expectations.run.ROWS_FOR_THREADS", 1)
        patch.setattr("expectations.masks._SORTED_BITS", 1)
        by_spans = validate(checks, len(rows), load, **asked)

    assert comparable(by_spans) == comparable(whole)
    assert by_spans.to_json() == whole.to_json()


def pieces(given, edges):
    """A column whose chunks begin at ``edges``, and its flags in chunks of their own."""
    values, unreadable = given if isinstance(given, tuple) else (given, None)
    cuts = [slice(start, stop) for start, stop in pairwise(edges)]
    flags = None if unreadable is None else pa.chunked_array([unreadable[cut] for cut in cuts])
    return ColumnView(pa.chunked_array([values[cut] for cut in cuts], values.type), flags)


@few
@given_rows
def test_plain_objects_and_arrow_values_give_equal_results(make_entry, catalog, loader, rows):
    checks = plan(make_entry(), catalog)
    arrow = frame(checks, len(rows), loader(as_columns(rows)))
    objects = pd.DataFrame(
        {
            name: pd.Series(pa.chunked_array(arrow[name]).to_pylist(), dtype=object)
            for name in arrow.columns
        }
    )
    of_arrow = list(evaluate(checks, arrow))
    of_objects = list(evaluate(checks, objects))
    assert of_arrow == of_objects
    assert [r.positions.tolist() for r in of_arrow] == [r.positions.tolist() for r in of_objects]
