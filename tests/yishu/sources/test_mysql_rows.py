"""Rows as they are sent: any lengths, cut anywhere, and nothing but an error of what is garbled."""

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yishu.sources import mysql_rows
from yishu.sources.mysql_rows import FULL_PACKET, batches

Row = tuple[bytes | None, ...]
END = b"\xfe\x00\x00\x02\x00"


class Cut(BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__(content)
        self._step = step

    def read1(self, size: int | None = -1, /) -> bytes:
        del size
        return self.read(self._step)


def length(count: int) -> bytes:
    if count < 251:
        return bytes([count])
    width, kind = next((w, k) for k, w in mysql_rows.WIDTHS.items() if count < 256**w)
    return bytes([kind]) + count.to_bytes(width, "little")


def packets(bodies: list[bytes], first: int) -> bytes:
    sent, number = b"", first
    for body in bodies:
        for start in range(0, len(body) + 1, FULL_PACKET):
            part = body[start : start + FULL_PACKET]
            sent += len(part).to_bytes(3, "little") + bytes([number % 256]) + part
            number += 1
    return sent


def sent_rows(rows: list[Row]) -> list[bytes]:
    null = bytes([mysql_rows.IS_NULL])
    return [b"".join(null if v is None else length(len(v)) + v for v in row) for row in rows]


def read(sent: bytes, width: int, *, step: int, size: int = 1 << 16) -> list[list[Any]]:
    session: Any = SimpleNamespace(_rfile=Cut(sent, step), _next_seq_id=5, encoding="utf8")
    result: Any = SimpleNamespace(_check_packet_is_eof=lambda packet: packet.is_eof_packet())
    found = [pa.record_batch(columns, [*map(str, range(width))]) for columns in batches(
        session, result, width, size)]  # fmt: skip
    for batch in found:
        batch.validate(full=True)
    return [[row[str(n)] for n in range(width)] for batch in found for row in batch.to_pylist()]


@given(
    st.lists(st.tuples(*[st.none() | st.binary(max_size=300)] * 3), max_size=400),
    st.integers(1, 2000),
    st.integers(1, 5000),
)
def test_rows_come_as_they_were_sent(rows: list[Row], step: int, size: int) -> None:
    sent = packets([*sent_rows(rows), END], 5)

    assert read(sent, 3, step=step, size=size) == [list(row) for row in rows]


@pytest.mark.parametrize("more", [-5, -4, -3, 0, 1, FULL_PACKET])
def test_a_row_of_several_packets_is_put_together(more: int) -> None:
    """Also one that fills its packets, so that an empty one ends it."""
    rows: list[Row] = [(b"a", None), (b"\xfe" * (FULL_PACKET + more), b"z"), (None, b"b")]
    sent = packets([*sent_rows(rows), END], 5)

    assert read(sent, 2, step=1 << 20) == [list(row) for row in rows]


@given(st.binary(max_size=200), st.integers(1, 4))
def test_a_garbled_row_is_an_error_and_never_a_value_of_elsewhere(body: bytes, width: int) -> None:
    sent = packets([*sent_rows([(b"good",) * width]), body, END], 5)
    try:
        found = read(sent, width, step=1000)
    except pymysql.Error:
        return
    assert found[0] == [b"good"] * width
    values = [value for row in found[1:] for value in row if value is not None]
    assert sum(map(len, values)) <= len(body)
    assert all(value in body for value in values)


def test_a_stream_that_breaks_off_is_a_lost_connection() -> None:
    sent = packets([*sent_rows([(b"a" * 100,)] * 50), END], 5)
    for stop in range(0, len(sent), 7):
        with pytest.raises(pymysql.OperationalError):
            read(sent[:stop], 1, step=64)


def test_a_packet_that_is_missing_is_noticed() -> None:
    bodies = sent_rows([(b"a",), (b"b",), (b"c",)])
    sent = packets(bodies[:1], 5) + packets([*bodies[2:], END], 7)

    with pytest.raises(pymysql.OperationalError):
        read(sent, 1, step=64)
