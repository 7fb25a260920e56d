"""What each mode of pulling needs, and which kinds of systems can serve it."""

import pytest

from catalog.check import check

ENTERPRISE = "market_regulation.enterprise"
TABLE = {"connection": "db", "kind": "postgresql", "table": "a.b"}
STAMP = {"column": "updated_at", "overlap": 3600}
INCREMENTAL = TABLE | {"mode": "incremental", "watermark": STAMP, "reconcile_hours": 168}
LOG = TABLE | {"mode": "change_log", "change_log": {}}
DELETED = {"column": "is_deleted", "values": ["1"]}

SOUND = {
    "full in ranges": TABLE | {"ranges": 4},
    "incremental with reconciliation": INCREMENTAL,
    "incremental with a tombstone": TABLE
    | {"mode": "incremental", "watermark": STAMP, "tombstone": DELETED},
    "change log with national names": LOG,
    "full with a tombstone": TABLE | {"tombstone": DELETED},
    "incremental from a service": INCREMENTAL
    | {
        "kind": "rest",
        "table": None,
        "endpoint": "/x",
        "watermark": STAMP | {"parameter": "since"},
    },
}

FAULTS = {
    "ranges of another kind": (TABLE | {"kind": "sql", "ranges": 2}, "source.ranges"),
    "ranges of changes": (INCREMENTAL | {"ranges": 2}, "source.ranges"),
    "incremental from files": (
        INCREMENTAL | {"kind": "csv", "table": None, "path": "x.csv"},
        "source.mode",
    ),
    "no watermark": (TABLE | {"mode": "incremental", "reconcile_hours": 1}, "source.watermark"),
    "no change log": (TABLE | {"mode": "change_log"}, "source.change_log"),
    "watermark in full": (TABLE | {"watermark": STAMP}, "source.watermark"),
    "change log in full": (TABLE | {"change_log": {}}, "source.change_log"),
    "tombstone in a change log": (LOG | {"tombstone": DELETED}, "source.tombstone"),
    "reconciliation of a change log": (LOG | {"reconcile_hours": 1}, "source.reconcile_hours"),
    "deletions that nobody sees": (
        TABLE | {"mode": "incremental", "watermark": STAMP},
        "source.reconcile_hours",
    ),
    "parameter for a database": (
        INCREMENTAL | {"watermark": STAMP | {"parameter": "since"}},
        "source.watermark",
    ),
    "one column, two meanings": (
        LOG | {"change_log": {"batch": "x", "time": "x"}},
        "source.change_log",
    ),
    "watermark of another type than its item": (
        INCREMENTAL | {"watermark": STAMP | {"column": "name"}},
        "source.watermark",
    ),
}


@pytest.mark.parametrize("source", SOUND.values(), ids=SOUND)
def test_a_mode_with_what_it_needs_has_no_fault(catalog_of, data, enterprise, source):
    enterprise["source"] = source
    assert check(catalog_of(data)) == []


@pytest.mark.parametrize(("source", "obj"), FAULTS.values(), ids=FAULTS)
def test_a_mode_that_does_not_fit_is_a_fault(catalog_of, data, enterprise, source, obj):
    enterprise["source"] = source
    faults = [(fault.code, fault.obj) for fault in check(catalog_of(data))]
    assert ("CAT_MODE_MISFIT", f"{ENTERPRISE} {obj}") in faults


def test_technical_columns_are_listed_with_their_types(catalog_of, data, enterprise):
    enterprise["source"] = LOG | {"change_log": {"sequence": "seq"}}
    spec = catalog_of(data).entries[ENTERPRISE].source
    assert spec.technical_columns == (
        ("batch", "cd_batch", "integer"),
        ("operation", "cd_operation", "string"),
        ("time", "cd_time", "timestamp"),
        ("sequence", "seq", "integer"),
    )
