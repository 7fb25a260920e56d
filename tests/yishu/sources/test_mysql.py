"""MySQL and MariaDB, against a real MariaDB: exact types, reading only, TLS, and each fault."""

import gc
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import (
    Connection,
    SourceColumn,
    SourceMisdescribed,
    SourceRefused,
    SourceTableMissing,
    SourceUnreachable,
    open_source,
)
from yishu.sources.mysql import MysqlSource
from yishu.sources.protocol import Since


def spec(table: str) -> SourceSpec:
    return SourceSpec(connection="works", kind=SystemKind.SQL, table=table)


def connection(url: str) -> Connection:
    return Connection("works", SystemKind.SQL, url)


def read(url: str, table: str, *columns: str) -> pa.Table:
    with open_source(spec(table), connection(url)) as source:
        return pa.Table.from_batches(list(source.read(columns)))


class Database:
    """An empty database of the MariaDB server, and an account that reads it."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.name = f"t{secrets.token_hex(6)}"
        self.url = server.fresh(self.name)

    def run(self, *statements: str) -> Any:
        return self.server.run(*statements, database=self.name)


@pytest.fixture
def database(mariadb: Any) -> Database:
    return Database(mariadb)


class TestTypes:
    def test_each_type_arrives_exactly(self, database: Database) -> None:
        database.run(
            "create table t (big bigint unsigned, small smallint unsigned zerofill, flag bit(1), "
            "bits bit(12), wide bit(64), maybe tinyint(1), amount decimal(20,4) unsigned, "
            "huge decimal(65,30), single float, twice double, born year, daytime time(3), "
            "at datetime(6), stamp timestamp(6) null, kind enum('好','差'), tags set('甲','乙'), "
            "doc json, raw varbinary(10), code char(6), place uuid)",
            "set time_zone = '+08:00'",
        )
        database.run(
            "insert into t values (18446744073709551615, 42, 1, b'101010101010', "
            "18446744073709551615, 2, 1234567890123456.7890, "
            "12345678901234567890123456789012345.123456789012345678901234567890, 0.1, 0.1, 1901, "
            "'-838:59:59.123', '9999-12-31 23:59:59.999999', '2020-01-02 03:04:05.678901', '差', "
            """'甲,乙', '{"a": 1}', x'00ff', 'ab', '123e4567-e89b-12d3-a456-426614174000')"""
        )
        with open_source(spec("t"), connection(database.url)) as source:
            names = [column.name for column in source.columns() if column.name != "stamp"]

        assert read(database.url, "t", *names).to_pylist() == [
            {
                "big": Decimal(18446744073709551615),
                "small": 42,
                "flag": True,
                "bits": 0b101010101010,
                "wide": Decimal(18446744073709551615),
                "maybe": 2,
                "amount": Decimal("1234567890123456.7890"),
                "huge": "12345678901234567890123456789012345.123456789012345678901234567890",
                "single": 0.10000000149011612,
                "twice": 0.1,
                "born": 1901,
                "daytime": "-838:59:59.123",
                "at": "9999-12-31 23:59:59.999999",
                "kind": "差",
                "tags": "甲,乙",
                "doc": '{"a": 1}',
                "raw": b"\x00\xff",
                "code": "ab",
                "place": "123e4567-e89b-12d3-a456-426614174000",
            }
        ]

    def test_nulls_of_every_type_are_nulls(self, database: Database) -> None:
        kinds = (
            "bigint unsigned", "bit(1)", "decimal(9,2)", "float", "year", "time", "datetime",
            "timestamp null", "json", "blob", "date", "text",
        )  # fmt: skip
        columns = [f"c{i}" for i in range(len(kinds))]
        pairs = ", ".join(f"{name} {kind}" for name, kind in zip(columns, kinds, strict=True))
        database.run(f"create table t ({pairs})", "insert into t () values ()")

        assert read(database.url, "t", *columns).to_pylist() == [dict.fromkeys(columns)]

    def test_impossible_days_arrive_as_they_stand(self, database: Database) -> None:
        """A server that lets them in would stop every pull, if a day had to be a day."""
        database.run(
            "create table t (d date, m datetime, s timestamp)",
            "insert into t values ('0000-00-00', '2020-00-00', '0000-00-00')",
        )

        assert read(database.url, "t", "d", "m", "s").to_pylist() == [
            {"d": "0000-00-00", "m": "2020-00-00 00:00:00", "s": "0000-00-00 00:00:00"}
        ]

    def test_a_timestamp_names_the_zone_it_is_told_in(self, database: Database) -> None:
        database.run(
            "create table t (s timestamp(6) null)",
            "insert into t values (from_unixtime(0.5) + interval 1 day), (null)",
        )

        assert read(database.url, "t", "s").to_pydict() == {
            "s": ["1970-01-02 00:00:00.500000+00:00", None]
        }

    def test_columns_are_named_as_the_server_names_them(self, database: Database) -> None:
        """The values of an enumeration are data, so they are not told."""
        database.run("create table t (a int(10) unsigned, b enum('某人的名字') , c year)")

        with open_source(spec("t"), connection(database.url)) as source:
            assert source.columns() == [
                SourceColumn("a", "int(10) unsigned"),
                SourceColumn("b", "enum"),
                SourceColumn("c", "year(4)"),
            ]

    def test_text_of_other_character_sets_arrives_as_utf8(self, database: Database) -> None:
        database.run(
            "create table t (a varchar(9) character set gbk, b varchar(9) character set utf8mb4)",
            "insert into t values ('无锡', '😀𠮷')",
        )

        assert read(database.url, "t", "a", "b").to_pylist() == [{"a": "无锡", "b": "😀𠮷"}]

    def test_backslashes_and_quotes_mean_themselves_in_values_and_names(
        self, database: Database
    ) -> None:
        r"""The server runs with NO_BACKSLASH_ESCAPES, where ``'\'`` is a whole string."""
        database.run(
            r"create table `表\'%s``x` (`列\'%s``y` varchar(20))",
            r"insert into `表\'%s``x` values ('C:\temp\n''')",
        )

        table = read(database.url, r"表\'%s`x", r"列\'%s`y")

        assert table.to_pydict() == {r"列\'%s`y": [r"C:\temp\n'"]}

    def test_an_empty_table_yields_its_schema(self, database: Database) -> None:
        database.run("create table t (a bigint unsigned, d date, f bit(1))")

        table = read(database.url, "t", "f", "a", "d")

        assert table.num_rows == 0
        assert table.schema.types == [pa.bool_(), pa.decimal128(20, 0), pa.string()]


class TestSince:
    BOUND = datetime(2026, 1, 2, 0, 0, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("kind", "stamps", "kept"),
        [
            ("timestamp null", ["2026-01-01 23:59:59", "2026-01-02 00:00:00", None], [1, 2]),
            ("datetime", ["2026-01-02 07:59:59", "2026-01-02 08:00:00", None], [1, 2]),
            ("date", ["2026-01-01", "2026-01-02", "0000-00-00"], [1]),
            ("time", ["00:00:00", "23:00:00", None], [0, 1, 2]),
        ],
    )
    def test_rows_stamped_before_are_left_out(
        self, database: Database, kind: str, stamps: list[str | None], kept: list[int]
    ) -> None:
        """A time without a zone is Beijing's; what cannot be compared comes along."""
        values = [f"({n}, {'null' if s is None else repr(s)})" for n, s in enumerate(stamps)]
        database.run(
            "set time_zone = '+00:00'",
            f"create table t (n int, s {kind})",
            f"insert into t values {', '.join(values)}",
        )

        with open_source(spec("t"), connection(database.url)) as source:
            batches = source.read_since(["n"], Since("s", self.BOUND))
            assert pa.Table.from_batches(list(batches))["n"].to_pylist() == kept

    def test_rows_with_a_smaller_number_are_left_out(self, database: Database) -> None:
        database.run("create table t (n int)", "insert into t values (1), (2), (3), (null)")

        with open_source(spec("t"), connection(database.url)) as source:
            batches = source.read_since(["n"], Since("n", 2))
            assert pa.Table.from_batches(list(batches))["n"].to_pylist() == [2, 3, None]


class TestReadingOnly:
    def test_an_account_that_could_write_cannot(self, database: Database) -> None:
        database.run(
            "create table touched (n int) engine = InnoDB",
            "create function touch() returns int modifies sql data "
            "begin insert into touched values (1); return 1; end",
            "create view sly as select touch() as n",
            f"grant all on `{database.name}`.* to `{database.name}`@`127.0.0.1`",
        )

        with pytest.raises(SourceRefused, match=r"would write \(code 1792\)"):
            read(database.url, "sly", "n")

        assert read(database.url, "touched", "n").num_rows == 0

    @pytest.mark.requirement("COL-01")
    def test_columns_without_a_privilege_are_neither_needed_nor_seen(
        self, database: Database
    ) -> None:
        database.run(
            "create table person (id int, listed text, diagnosis text)",
            "insert into person values (1, 'a', 'secret')",
            f"revoke all on `{database.name}`.* from `{database.name}`@`127.0.0.1`",
            f"grant select (id, listed) on person to `{database.name}`@`127.0.0.1`",
        )

        assert read(database.url, "person", "listed", "id").to_pylist() == [
            {"listed": "a", "id": 1}
        ]
        with open_source(spec("person"), connection(database.url)) as source:
            assert [column.name for column in source.columns()] == ["id", "listed"]

    def test_one_read_is_one_snapshot(self, database: Database) -> None:
        database.run(
            "create table t (n int, filler char(250)) engine = InnoDB",
            "insert into t select seq, 'x' from seq_1_to_50000",
        )

        with open_source(spec("t"), connection(database.url)) as source:
            batches = source.read(["n"])
            first = next(batches)
            database.run("update t set n = -n")
            rest = list(batches)

        numbers = pa.Table.from_batches([first, *rest])["n"].to_pylist()
        assert sorted(numbers) == list(range(1, 50_001))


class TestMemory:
    def test_rows_stay_at_the_server_until_they_are_asked_for(
        self, database: Database, network: Callable[[str], Any]
    ) -> None:
        database.run("create table t (v longtext)")
        database.run("insert into t select repeat('长', 200000) from seq_1_to_100")
        slow = network(database.url)

        with open_source(spec("t"), connection(slow.url(database.url))) as source:
            batches = source.read(["v"])
            first = next(batches)
            time.sleep(0.3)
            after_first = slow.forwarded
            rest = list(batches)

        # 100 rows of 600 kB; a batch ends with the row at which it has 4 MB.
        assert after_first < 60_000_000
        assert max(batch.num_rows for batch in (first, *rest)) < 10
        assert first.num_rows + sum(batch.num_rows for batch in rest) == 100

    def test_a_row_of_50_million_bytes_arrives_whole(self, database: Database) -> None:
        database.run(
            "create table t (n int, v longblob)",
            "insert into t values (1, repeat('a', 50000000)), (2, 'b'), (3, 'c')",
        )

        with open_source(spec("t"), connection(database.url)) as source:
            batches = list(source.read(["n", "v"]))

        assert [batch.num_rows for batch in batches] == [1, 2]
        assert len(batches[0]["v"][0].as_py()) == 50_000_000
        assert batches[1]["v"].to_pylist() == [b"b", b"c"]

    def test_leaving_midway_frees_the_connection(self, database: Database) -> None:
        database.run(
            "create table t (v varchar(500))",
            "insert into t select repeat('x', 500) from seq_1_to_100000",
        )

        with open_source(spec("t"), connection(database.url)) as source:
            next(source.read(["v"]))

        gc.collect()  # a cursor that read on in its finaliser would raise here
        for _ in range(50):
            if not self.sessions(database):
                break
            time.sleep(0.1)
        assert self.sessions(database) == 0

    @staticmethod
    def sessions(database: Database) -> int:
        found = database.run(
            f"select count(*) from information_schema.processlist where user = '{database.name}'"
        )
        return int(found[0][0])


class TestTls:
    def test_a_trusted_certificate_lets_the_pull_through(self, database: Database) -> None:
        database.run(
            "create table t (n int)",
            "insert into t values (1)",
            f"alter user `{database.name}`@`127.0.0.1` require ssl",
        )

        url = f"{database.url}?ssl_ca={database.server.authority.path}"

        assert read(url, "t", "n").num_rows == 1

    def test_a_certificate_of_another_authority_is_refused(
        self, database: Database, authority: Any
    ) -> None:
        with pytest.raises(SourceRefused, match="certificate is not trusted") as caught:
            read(f"{database.url}?ssl_ca={authority.path}", "t", "n")

        assert not caught.value.retryable
        assert database.server.PASSWORD not in repr(caught.value)

    def test_a_certificate_for_another_host_is_refused(self, database: Database) -> None:
        url = database.url.replace("@127.0.0.1:", "@localhost:")

        with pytest.raises(SourceRefused, match="certificate is not trusted"):
            read(f"{url}?ssl_ca={database.server.authority.path}", "t", "n")

    def test_a_missing_authority_file_is_misdescribed(self, database: Database) -> None:
        with pytest.raises(SourceMisdescribed, match="certificate"):
            read(f"{database.url}?ssl_ca=/nowhere/ca.pem", "t", "n")


class TestFaults:
    @pytest.mark.parametrize("table", ["gone", "nowhere.gone"])
    def test_a_missing_table_is_named(self, database: Database, table: str) -> None:
        with pytest.raises(SourceTableMissing, match=table):
            read(database.url, table, "a")

    def test_a_wrong_password_is_refused_and_not_shown(self, database: Database) -> None:
        url = database.url.replace(database.server.PASSWORD, "Secret-99")

        with pytest.raises(SourceRefused, match="sign in") as caught:
            read(url, "t", "a")

        assert "Secret-99" not in repr(caught.value)
        assert database.name not in str(caught.value)

    def test_a_missing_database_is_not_retried(self, database: Database) -> None:
        database.run(f"grant select on gone.* to `{database.name}`@`127.0.0.1`")

        with pytest.raises(SourceRefused, match="no such database"):
            read(database.url.removesuffix(database.name) + "gone", "t", "a")

    def test_nobody_listening_is_retryable_and_shows_no_password(self) -> None:
        with pytest.raises(SourceUnreachable) as caught:
            read("mysql://clerk:Secret-99@127.0.0.1:1/works", "t", "a")

        assert caught.value.retryable
        assert "Secret-99" not in repr(caught.value)

    def test_a_slow_table_runs_into_the_time_limit(self, database: Database) -> None:
        database.run("create view slow as select sleep(30) as a")
        limit = timedelta(milliseconds=300)
        source = MysqlSource(spec("slow"), connection(database.url), statement_timeout=limit)

        with source, pytest.raises(SourceUnreachable, match="statement timeout") as caught:
            list(source.read(["a"]))

        assert caught.value.retryable

    def test_a_network_that_stalls_midway_is_given_up_within_the_bound(
        self, database: Database, network: Callable[[str], Any]
    ) -> None:
        database.run(
            "create table t (v varchar(500))",
            "insert into t select repeat('x', 500) from seq_1_to_100000",
        )
        bad = network(database.url)
        through = connection(bad.url(database.url))
        source = MysqlSource(spec("t"), through, silence=timedelta(seconds=1))

        with source:
            batches = source.read(["v"])
            next(batches)
            bad.stall()
            started = time.monotonic()
            with pytest.raises(SourceUnreachable) as caught:
                list(batches)

        assert time.monotonic() - started < 10
        assert caught.value.retryable


@pytest.fixture
def mortal(new_mariadb: Callable[[], Any]) -> Iterator[Database]:
    """A database of a server that the test may kill."""
    server = new_mariadb()
    yield Database(server)
    server.kill()


@pytest.mark.slow
def test_a_server_that_dies_midway_is_retryable_and_comes_back(
    mortal: Database, tmp_path: Path
) -> None:
    mortal.run(
        "create table t (n int, v varchar(500))",
        "insert into t select seq, repeat('x', 500) from seq_1_to_100000",
    )

    with open_source(spec("t"), connection(mortal.url)) as source:
        batches = source.read(["n", "v"])
        next(batches)
        mortal.server.kill()
        with pytest.raises(SourceUnreachable) as caught:
            list(batches)
    assert caught.value.retryable

    mortal.server.start()
    assert read(mortal.url, "t", "n").num_rows == 100_000
