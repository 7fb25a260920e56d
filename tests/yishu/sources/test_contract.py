"""The same tests on the same data for every kind of department systems."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from yishu.sources import MAX_BATCH_ROWS, SourceColumn, SourceColumnMissing

NAME, CODE, AMOUNT, DAY, UNLISTED = "名称（全 称）", "code", "amt (元)", '日"期', "未编目列"
COLUMNS = (NAME, CODE, AMOUNT, DAY)


def as_text(value: Any) -> str | None:
    """A typed value in the spelling that the text kinds promise."""
    return None if value is None else str(value)


@pytest.fixture
def table(system: Any) -> pa.Table:
    with system.open() as source:
        return pa.Table.from_batches(list(source.read(COLUMNS)))


class TestEveryKind:
    def test_lists_the_real_columns_with_the_types_of_the_source(self, system: Any) -> None:
        with system.open() as source:
            assert source.columns() == [SourceColumn(*pair) for pair in system.types.items()]

    @pytest.mark.requirement("COL-01", "EXC-03")
    def test_yields_the_asked_columns_alone_in_the_asked_order(self, system: Any) -> None:
        with system.open() as source:
            batches = list(source.read([AMOUNT, CODE]))

        assert {tuple(batch.schema.names) for batch in batches} == {(AMOUNT, CODE)}
        assert all(0 < batch.num_rows <= MAX_BATCH_ROWS for batch in batches)

    def test_keeps_rare_characters_line_breaks_and_long_text(
        self, system: Any, table: pa.Table
    ) -> None:
        rare, broken, null, empty, long = table[NAME].to_pylist()

        assert rare == "无锡市𠮷祥䶮商行😀"
        assert broken == 'a,b "c"\nd'
        cell = 32_767 if system.connection.kind == "xlsx" else 100_000
        assert long == ("长" * 50_000 + "x" * 50_000)[:cell]
        if system.has_null:
            assert null is None
            assert empty == ""
        else:
            assert null == empty

    def test_keeps_integers_beyond_the_reach_of_floats(self, system: Any, table: pa.Table) -> None:
        codes = [as_text(value) for value in table[CODE].to_pylist()]

        null = None if system.connection.kind != "csv" else ""
        assert codes == ["9007199254740993", "-9223372036854775808", null, "0", "110101199001011"]
        assert (table.schema.field(CODE).type == pa.int64()) is system.typed

    def test_keeps_decimals_to_the_cent(self, system: Any, table: pa.Table) -> None:
        amounts = [Decimal(value) if value else None for value in table[AMOUNT].to_pylist()]

        assert amounts == [
            Decimal("0.10"),
            Decimal("-12345678901.05"),
            None,
            Decimal("99999999999.99"),
            Decimal("1.00"),
        ]
        assert (table.schema.field(AMOUNT).type == pa.decimal128(18, 2)) is system.typed

    def test_keeps_dates_that_nanoseconds_and_spreadsheets_cannot_hold(
        self, system: Any, table: pa.Table
    ) -> None:
        days = [as_text(value) or None for value in table[DAY].to_pylist()]

        assert days == ["1850-01-01", "2500-12-31", None, "1582-10-15", "9999-12-31"]
        if system.typed and system.typed_days:
            assert table[DAY][0].as_py() == date(1850, 1, 1)
        else:
            assert table.schema.field(DAY).type == pa.string()

    def test_yields_the_same_twice(self, system: Any) -> None:
        with system.open() as source:
            first = pa.Table.from_batches(list(source.read(COLUMNS)))
            second = pa.Table.from_batches(list(source.read(COLUMNS)))

        assert first.equals(second)

    def test_names_a_column_that_is_gone_and_what_is_there(self, system: Any) -> None:
        with system.open() as source, pytest.raises(SourceColumnMissing) as caught:
            source.read([CODE, "统一社会信用代码"])

        assert "统一社会信用代码" in caught.value.expected
        assert UNLISTED in caught.value.found
        assert not caught.value.retryable

    def test_names_no_column_when_none_is_known(self, system: Any) -> None:
        """A file without a header would otherwise show its first row in an error."""
        with system.open() as source, pytest.raises(SourceColumnMissing) as caught:
            source.read(["统一社会信用代码"])

        assert UNLISTED not in str(caught.value)

    def test_shows_no_url_and_no_value(self, system: Any) -> None:
        with system.open() as source, pytest.raises(SourceColumnMissing) as caught:
            source.read([CODE, "gone"])

        seen = repr(system.connection) + repr(source) + str(caught.value) + repr(caught.value)
        assert system.connection.url not in seen
        assert "p4ssw0rd-not-to-be-seen" not in seen
        assert "某人的名字" not in seen

    def test_refuses_a_connection_of_another_kind(self, system: Any) -> None:
        other = "csv" if system.connection.kind != "csv" else "rest"
        crossed = replace(system, connection=replace(system.connection, kind=other))

        with pytest.raises(Exception, match="SRC_MISDESCRIBED"):
            crossed.open()
