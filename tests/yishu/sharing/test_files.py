"""Files hold exactly what a grant lets through, in every format, and run nothing."""

import csv
import random
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from cryptography.hazmat.primitives import hashes

from yishu.library.digest import digest_rows
from yishu.library.engine import connect
from yishu.sharing import exchange, files
from yishu.sharing.files import About
from yishu.sharing.form import RowScope
from yishu.sharing.masking import grant_key
from yishu.sharing.projection import Rules, project, schema_of
from yishu.sharing.vocabulary import ShareFormat

GRANTS = 10_000
XLSX_EVERY = 50
CHANNEL_EVERY = 8
"""Spreadsheets take a hundred times as long as the others: every fiftieth grant has one."""

FORMATS = (ShareFormat.CSV_UTF8, ShareFormat.CSV_GB18030, ShareFormat.PARQUET, ShareFormat.XLSX)
REGIONS = ("320200", "320205", "320213", "320214", "320282")
NASTY = (
    "=1+1",
    "'quoted",
    "",
    None,
    "甲公司",
    "第1\n行",
    '"引号",逗号',
    "@cmd",
    "＝1",
    "-3",
    "𠮷野家",
    "NULL",
)
ABOUT = About("GT00000001", {"uscc": "统一社会信用代码"}, {"name": "企业"})

SOURCE = pa.table(
    {
        "uscc": [f"9132020{n:011d}" for n in range(12)],
        "name": pa.array(NASTY),
        "region_code": [REGIONS[n % len(REGIONS)] for n in range(11)] + [None],
        "capital": pa.array(
            [Decimal(n * 1_234_567).scaleb(-2) for n in range(11)] + [None], pa.decimal128(18, 2)
        ),
        "founded_on": pa.array([date(2000 + n, 1 + n, 1) for n in range(11)] + [None], pa.date32()),
        "changed_at": pa.array(
            [datetime(2026, 1, 1 + n, 15, 59, 59, n, UTC) for n in range(12)],
            pa.timestamp("us", "UTC"),
        ),
        "staff": pa.array([n * 10**15 for n in range(11)] + [None], pa.int64()),
        "is_open": [bool(n % 2) for n in range(11)] + [None],
        "secret": [f"SECRET{n}" for n in range(12)],
    }
)  # fmt: skip
COLUMNS = tuple(name for name in SOURCE.schema.names if name != "secret")
MASKS = ("name", "full", "resident_id", "phone", "token")


def random_rules(chance):
    columns = tuple(chance.sample(COLUMNS, chance.randint(1, len(COLUMNS))))
    masks = {one: chance.choice(MASKS) for one in columns if chance.random() < 0.3}
    regions = tuple(chance.sample(REGIONS, chance.randint(0, 2)))
    since, until = sorted(date(chance.randint(2000, 2010), 1, 1) for _ in range(2))
    period = "founded_on" if chance.random() < 0.5 else None
    rows = RowScope(regions=regions, period_column=period,
                    since=since if period else None, until=until if period else None)  # fmt: skip
    return Rules(columns, rows, masks, "GT1", grant_key(b"master", "GT1"))


def is_approved(row, rules):
    """Written anew here, without a look at the product's own filter."""
    code = row["region_code"] or "none"
    in_region = not rules.rows.regions or any(
        code.startswith(one[:4] if one.endswith("00") else one) for one in rules.rows.regions
    )
    day = row["founded_on"]
    in_period = not rules.rows.period_column or (
        day is not None and rules.rows.since <= day <= rules.rows.until
    )
    return in_region and in_period


def delivered_by(channel, table, rules, folder):
    if channel == "exchange":
        batch = exchange.changes(None, table, ())
        assert batch.operations.to_pylist() == ["insert"] * table.num_rows
        return batch.rows
    path = folder / f"x.{channel.value}"
    path.unlink(missing_ok=True)
    files.write(path, channel, table.schema, table.to_batches(), ABOUT)
    return files.read_back(path, channel, table.schema)


def content_digest(table):
    with connect() as connection:
        connection.register("delivered", table)
        return digest_rows(connection, "delivered", table.schema)


@pytest.mark.requirement("SHR-05", "SHR-14")
def test_ten_thousand_random_grants_deliver_what_was_approved_and_nothing_else(tmp_path):
    chance, source = random.Random(8), ds.dataset(SOURCE)  # noqa: S311 - repeatable
    plain = SOURCE.to_pylist()
    digests = 0
    for number in range(GRANTS):
        rules = random_rules(chance)
        table = pa.Table.from_batches(project(source, rules), schema_of(SOURCE.schema, rules))
        approved = [row for row in plain if is_approved(row, rules)]
        assert table.schema.names == list(rules.columns)
        assert table.num_rows == len(approved)
        for column in rules.columns:
            if column not in rules.masks:
                assert table.column(column).to_pylist() == [row[column] for row in approved]
        channels = [*FORMATS[:3], "exchange"] + [FORMATS[3]] * (number % XLSX_EVERY == 0)
        # A channel in turn for every eighth grant, and all where a spreadsheet is written too.
        turn, is_its_turn = divmod(number, CHANNEL_EVERY)
        chosen = [] if is_its_turn else [channels[turn % len(channels)]]
        chosen = channels if number % XLSX_EVERY == 0 else chosen
        for channel in chosen:
            delivered = delivered_by(channel, table, rules, tmp_path)
            assert delivered.equals(table), (channel, rules)
        if number % 1_000 == 0:
            digests += 1
            found = {content_digest(delivered_by(c, table, rules, tmp_path)) for c in channels}
            assert found == {content_digest(table)}
    assert digests == GRANTS // 1_000


@pytest.mark.requirement("SHR-05")
def test_nothing_of_an_unapproved_column_is_in_the_bytes(tmp_path):
    rules = Rules(("uscc", "name"))
    table = pa.Table.from_batches(project(ds.dataset(SOURCE), rules))
    for format_ in FORMATS:
        path = tmp_path / f"x.{format_.value}"
        files.write(path, format_, table.schema, table.to_batches(), ABOUT)
        data = path.read_bytes()
        if format_ is ShareFormat.XLSX:
            with zipfile.ZipFile(path) as archive:
                data = b"".join(archive.read(name) for name in archive.namelist())
        assert b"SECRET" not in data


def test_a_formula_stays_text_in_csv_and_xlsx(tmp_path):
    table = pa.table({"name": ['=HYPERLINK("http://x")', "+1", "@SUM(A1)", "\t=1", "正常"]})
    plain, sheet = tmp_path / "x.csv", tmp_path / "x.xlsx"
    files.write(plain, ShareFormat.CSV_UTF8, table.schema, table.to_batches(), ABOUT)
    cells = list(csv.reader(plain.open(encoding="utf-8-sig", newline="")))[1:]
    assert [row[0][0] for row in cells] == ["'", "'", "'", "'", "正"]
    files.write(sheet, ShareFormat.XLSX, table.schema, table.to_batches(), ABOUT)
    with zipfile.ZipFile(sheet) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def hmac_sm3(key, value):
    """HMAC by its definition (RFC 2104), over blocks of 64 bytes."""

    def sm3(data):
        made = hashes.Hash(hashes.SM3())
        made.update(data)
        return made.finalize()

    # The example of GB/T 32905-2016, appendix A.1.
    assert sm3(b"abc").hex().startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2")
    block = key.ljust(64, b"\0")
    inner = sm3(bytes(one ^ 0x36 for one in block) + value)
    return sm3(bytes(one ^ 0x5C for one in block) + inner).hex()


def test_tokens_join_within_a_grant_and_never_tell():
    source = ds.dataset(pa.table({"name": ["甲公司", "乙公司", "甲公司", None]}))

    def tokens(grant_id, digest):
        key = grant_key(b"master", grant_id)
        rules = Rules(("name",), RowScope(), {"name": "token"}, grant_id, key, digest)
        return pa.Table.from_batches(project(source, rules)).column("name").to_pylist()

    for digest in ("sha256", "sm3"):
        first, second, third, none = tokens("GT1", digest)
        assert first == third != second
        assert none is None
        assert tokens("GT2", digest)[0] != first
    assert tokens("GT1", "sm3")[0] == hmac_sm3(grant_key(b"master", "GT1"), "甲公司".encode())[:32]


@pytest.mark.requirement("SHR-12")
def test_files_name_the_grant(tmp_path):
    table = pa.table({"name": ["甲"]})
    for format_ in (ShareFormat.XLSX, ShareFormat.PARQUET):
        files.write(tmp_path / format_.value, format_, table.schema, table.to_batches(), ABOUT)
    metadata = pa.parquet.read_schema(tmp_path / "parquet").metadata
    assert metadata[b"yishu.grant_id"] == b"GT00000001"
    with zipfile.ZipFile(tmp_path / "xlsx") as archive:
        assert "授权编号 GT00000001" in archive.read("xl/worksheets/sheet1.xml").decode()
        assert "GT00000001" in archive.read("docProps/core.xml").decode()


def test_csv_begins_with_a_mark_that_spreadsheets_know(tmp_path):
    table = pa.table({"name": ["甲"]})
    files.write(tmp_path / "u", ShareFormat.CSV_UTF8, table.schema, table.to_batches(), ABOUT)
    files.write(tmp_path / "g", ShareFormat.CSV_GB18030, table.schema, table.to_batches(), ABOUT)
    assert (tmp_path / "u").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "甲".encode("gb18030") in (tmp_path / "g").read_bytes()
