"""Rows of a running query as MySQL sends them, column by column, without an object for each row.

The driver signs in, speaks TLS and asks; its own reading of rows makes three objects a value and
decides what it means. Here a value stays the server's bytes until Arrow takes them. A row is a
packet: its length in three bytes, its number in one, then each value with its own length
(https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pymysql
from pymysql.constants import CR
from pymysql.protocol import MysqlPacket

Columns = list[list[bytes | None]]

FULL_PACKET = 0xFFFFFF
"""A packet of this length is continued by the next one."""

IS_NULL, LONGER, END, ERROR = 0xFB, 0xFC, 0xFE, 0xFF
WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""First byte of a long value's length -> in how many bytes that stands."""

END_PACKET = 9
"""A packet that begins as the end does, and is as long as this, is a row with a huge value."""


def batches(session: Any, result: Any, width: int, rows: int, size: int) -> Iterator[Columns]:
    """The rest of a result, so many rows or bytes at a time, whichever comes first.

    Args:
        session: The driver's connection.
        result: Its unbuffered result, whose columns were read.
        width: Number of columns.
        rows: Most rows of a batch.
        size: A batch ends when it has so many bytes; a single row may be bigger.

    Raises:
        pymysql.Error: the server stopped the query, or the connection broke.
    """
    packets = _packets(session, result)
    while batch := _batch(packets, width, rows, size):
        yield batch


def _batch(packets: Iterator[bytes], width: int, rows: int, size: int) -> Columns:
    columns: Columns = [[] for _ in range(width)]
    appends = [column.append for column in columns]
    count = taken = 0
    for packet in packets:
        _split(packet, appends)
        count += 1
        taken += len(packet)
        if count >= rows or taken >= size:
            break
    return columns if count else []


def _split(packet: bytes, appends: Sequence[Any]) -> None:
    place = 0
    for append in appends:
        length = packet[place]
        place += 1
        if length == IS_NULL:
            append(None)
            continue
        if length >= LONGER:
            width = WIDTHS[length]
            length = int.from_bytes(packet[place : place + width], "little")
            place += width
        end = place + length
        append(packet[place:end])
        place = end


def _packets(session: Any, result: Any) -> Iterator[bytes]:
    read = session._rfile.read
    number = session._next_seq_id
    while True:
        body = b""
        while True:
            header = _exactly(read, 4)
            length = header[0] | header[1] << 8 | header[2] << 16
            if header[3] != number:
                raise _lost()
            number = (number + 1) % 256
            part = _exactly(read, length)
            body = body + part if body else part
            if length < FULL_PACKET:
                break
        if body[0] == ERROR or (body[0] == END and len(body) < END_PACKET):
            session._next_seq_id = number
            _end(session, result, body)
            return
        yield body


def _exactly(read: Any, length: int) -> bytes:
    try:
        found: bytes = read(length)
    except OSError as error:
        raise _lost() from error
    if len(found) < length:
        raise _lost()
    return found


def _lost() -> pymysql.OperationalError:
    return pymysql.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server")


def _end(session: Any, result: Any, body: bytes) -> None:
    """Let the driver take the last packet, so that it knows that the connection is free again."""
    packet = MysqlPacket(body, session.encoding)
    result.unbuffered_active = False
    if packet.is_error_packet():
        packet.raise_for_error()
    result._check_packet_is_eof(packet)
    result.connection = None
    result.rows = None
