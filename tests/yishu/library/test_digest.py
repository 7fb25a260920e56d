import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from yishu.library import content_digest, publish_snapshot

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("money", pa.decimal128(18, 2)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("is_open", pa.bool_()),
        ("_provider_org", pa.string()),
        ("_entry_id", pa.string()),
        ("_run_id", pa.string()),
        ("_landed_row", pa.int64()),
    ]
)
WHEN = datetime(2020, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
ROWS = [
    (1, "甲", Decimal("1.50"), date(2020, 1, 2), WHEN, True, "m", "m.e", "r1", 0),
    (-2, None, None, None, None, None, "m", "m.e", "r1", 1),
    (3, "", Decimal("-0.05"), date(9999, 12, 31), WHEN, False, "m", "m.e", "r1", 2),
]


def digest_of(root, rows, schema=SCHEMA, table="unified/m.e", run="r1"):
    batches = [
        pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True))], schema=schema)
        for row in rows
    ]
    publish_snapshot(
        root, table, schema, batches, key=["id"], run_id=run, committed_at=WHEN, read=len(rows)
    )
    return content_digest(root, table)


def rendered(value, letter):
    if value is None:
        return "n"
    text = str(value)
    if letter == "t":
        text = str(1_577_934_245_000_600)
    if letter == "b":
        text = "true" if value else "false"
    return f"{letter}{len(text.encode())}:{text}"


def test_the_digest_is_the_documented_sum_of_row_digests(tmp_path):
    letters = {
        "_entry_id": ("s", 7, "string"),
        "_provider_org": ("s", 6, "string"),
        "at": ("t", 4, "timestamp[us, tz=UTC]"),
        "day": ("e", 3, "date32[day]"),
        "id": ("i", 0, "int64"),
        "is_open": ("b", 5, "bool"),
        "money": ("d", 2, "decimal128(18, 2)"),
        "name": ("s", 1, "string"),
    }
    total = 0
    for row in ROWS:
        text = "".join(rendered(row[at], letter) for letter, at, _ in letters.values())
        total += int(hashlib.sha256(text.encode()).hexdigest(), 16)
    head = "\n".join(f"{len(name)}:{name} {kind}" for name, (_, _, kind) in letters.items())
    expected = hashlib.sha256(f"{head}\n3\n{total % 2**256:064x}".encode()).hexdigest()

    assert digest_of(tmp_path, ROWS) == expected


def test_row_order_runs_and_landed_rows_do_not_count(tmp_path):
    others = [(*row[:8], "r9", 70 + row[9]) for row in reversed(ROWS)]

    assert digest_of(tmp_path / "a", ROWS) == digest_of(tmp_path / "b", others, run="r9")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("ab", "c"), ("a", "bc")),
        ((None, "x"), ("", "x")),
        (("n", None), (None, "n")),
        (("s1:a", ""), ("", "s1:a")),
        (("1", "2"), ("2", "1")),
    ],
)
def test_different_content_has_another_digest(tmp_path, first, second):
    schema = pa.schema([SCHEMA.field("id"), ("a", pa.string()), ("b", pa.string())])
    schema = pa.schema([*schema, *(SCHEMA.field(name) for name in SCHEMA.names[6:])])
    tail = ("m", "m.e", "r1", 0)

    one = digest_of(tmp_path / "a", [(1, *first, *tail)], schema)
    other = digest_of(tmp_path / "b", [(1, *second, *tail)], schema)

    assert one != other


def test_the_entry_that_a_row_comes_from_counts(tmp_path):
    others = [(*row[:7], "m.other", *row[8:]) for row in ROWS]

    assert digest_of(tmp_path / "a", ROWS) != digest_of(tmp_path / "b", others)


def test_a_missing_row_and_a_doubled_row_count(tmp_path):
    digests = {digest_of(tmp_path / str(count), ROWS[:count]) for count in range(4)}

    assert len(digests) == 4
