"""Rows of a running query as MySQL sends them, column by column, without an object for each value.

The driver signs in, speaks TLS and asks; its own reading of rows makes three objects a value and
decides what it means. Here a value stays the server's bytes: in a block of many rows it is found by
arithmetic over all of them, and Arrow takes it from there. A row is a packet: its length in three
bytes, its number in one, then each value with its own length
(https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html).
"""

from collections.abc import Iterator
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pymysql
from pymysql.constants import CR
from pymysql.protocol import MysqlPacket

Places = npt.NDArray[np.int64]

FULL_PACKET = 0xFFFFFF
"""A packet of this length is continued by the next one."""

IS_NULL, LONGER, END, ERROR = 0xFB, 0xFC, 0xFE, 0xFF
WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}
"""First byte of a long value's length -> in how many bytes that stands."""

END_PACKET = 9
"""A packet that begins as the end does, and is as long as this, is a row with a huge value."""

HEADER = Struct("<I")
READ_BYTES = 1024 * 1024


class Block(NamedTuple):
    """Whole rows as they were sent: the bytes, and where in them each row begins and stops."""

    sent: bytearray
    starts: Places
    stops: Places


def batches(session: Any, result: Any, width: int, size: int) -> Iterator[list[pa.Array]]:
    """The columns of the rest of a result as binary arrays, some bytes at a time.

    Args:
        session: The driver's connection.
        result: Its unbuffered result, whose columns were read.
        width: Number of columns.
        size: A batch ends with the row at which it has so many bytes.

    Raises:
        pymysql.Error: the server stopped the query, or the connection broke.
    """
    packets = _Packets(session)
    while (block := packets.block(size)) is not None:
        yield _columns(block, width)
    _end(session, result, packets)


class _Packets:
    """What comes from the server.

    Attributes:
        number: Of the next packet.
        last: The one that ends the result, once it has come.
    """

    def __init__(self, session: Any) -> None:
        self._read = session._rfile.read1
        self._sent = bytearray()
        self._starts: list[int] = []
        self._stops: list[int] = []
        self._numbers: list[int] = []
        self.number: int = session._next_seq_id
        self.last: bytes | None = None

    def block(self, size: int) -> Block | None:
        """Rows of at least so many bytes, fewer at the end; None: there are no more."""
        self._starts, self._stops, self._numbers = [], [], []
        done = self._scan(0)
        while self.last is None and done < size:
            self._sent += self._more()
            done = self._scan(done)
        self._count()
        sent, self._sent = self._sent, self._sent[done:]
        starts, stops = (np.array(each, np.int64) for each in (self._starts, self._stops))
        return Block(sent, starts, stops) if len(starts) else None

    def _scan(self, place: int) -> int:
        """Note the packets that are there in full; where the first begins that is not."""
        sent, size = self._sent, HEADER.size
        while place + size <= len(sent):
            (head,) = HEADER.unpack_from(sent, place)
            stop = place + size + (head & FULL_PACKET)
            if stop > len(sent):
                break
            more: list[int] = []
            if head & FULL_PACKET == FULL_PACKET:
                found = _joined(sent, stop)
                if found is None:
                    break
                stop, more = found
            self._starts.append(place + size)
            self._stops.append(stop)
            self._numbers += (head >> 24, *more)
            place = stop
        if self._starts and _is_last(sent, self._starts[-1], self._stops[-1]):
            self.last = bytes(sent[self._starts.pop() : self._stops.pop()])
        return place

    def _more(self) -> bytes:
        try:
            found: bytes = self._read(READ_BYTES)
        except OSError as error:
            raise _lost() from error
        if not found:
            raise _lost()
        return found

    def _count(self) -> None:
        count = len(self._numbers)
        if not np.array_equal((self.number + np.arange(count)) % 256, self._numbers):
            raise _lost()
        self.number = (self.number + count) % 256


def _joined(sent: bytearray, stop: int) -> tuple[int, list[int]] | None:
    """Cut out the headers of a full packet's continuations, if all have come.

    Returns:
        Where the row stops then, and the numbers of the continuations.
    """
    places, numbers, length = [], [], FULL_PACKET
    while length == FULL_PACKET:
        if stop + HEADER.size > len(sent):
            return None
        (head,) = HEADER.unpack_from(sent, stop)
        length = head & FULL_PACKET
        places.append(stop)
        numbers.append(head >> 24)
        stop += HEADER.size + length
        if stop > len(sent):
            return None
    for place in reversed(places):
        del sent[place : place + HEADER.size]
    return stop - HEADER.size * len(places), numbers


def _is_last(sent: bytearray, start: int, stop: int) -> bool:
    if start == stop:
        raise _lost()
    # An error may have any length; nothing else begins like it.
    return sent[start] == ERROR or (sent[start] == END and stop - start < END_PACKET)


def _columns(block: Block, width: int) -> list[pa.Array]:
    places = []
    codes, place = np.frombuffer(block.sent, np.uint8), block.starts
    try:
        for _ in range(width):
            found = _values(codes, place)
            places.append(found)
            place = found.ends
    except IndexError:
        raise _lost() from None
    # Arrow trusts these places, so they have to be inside of their rows.
    if not np.array_equal(place, block.stops):
        raise _lost()
    return [_array(block.sent, each) for each in places]


class _Values(NamedTuple):
    begins: Places
    ends: Places
    is_null: npt.NDArray[np.bool_]


def _values(codes: npt.NDArray[np.uint8], place: Places) -> _Values:
    """Where the values of a column are, whose lengths stand at these places."""
    first = codes[place]
    is_null = first == IS_NULL
    begins = place + 1
    length = np.where(is_null, 0, first).astype(np.int64)
    if first.max() >= LONGER:
        for kind, width in WIDTHS.items():
            rows = np.flatnonzero(first == kind)
            digits = [codes[begins[rows] + n].astype(np.int64) << 8 * n for n in range(width)]
            length[rows] = sum(digits)
            begins[rows] += width
        if length.min() < 0:
            raise _lost()
    return _Values(begins, begins + length, is_null)


def _array(sent: bytearray, found: _Values) -> pa.Array:
    """The values at these places; the bytes between two of them are left out."""
    count = len(found.begins)
    borders = np.stack([found.begins, found.ends], axis=1).astype(np.int32).ravel()
    both = [None, pa.py_buffer(borders), pa.py_buffer(sent)]
    spaced = pa.Array.from_buffers(pa.binary(), 2 * count - 1, both)
    _, offsets, values = spaced.take(pa.array(np.arange(0, 2 * count, 2))).buffers()
    present = pa.py_buffer(np.packbits(~found.is_null, bitorder="little"))
    return pa.Array.from_buffers(pa.binary(), count, [present, offsets, values])


def _lost() -> pymysql.OperationalError:
    return pymysql.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server")


def _end(session: Any, result: Any, packets: _Packets) -> None:
    """Let the driver take the last packet, so that it knows that the connection is free again."""
    session._next_seq_id = packets.number
    packet = MysqlPacket(packets.last, session.encoding)
    result.unbuffered_active = False
    if packet.is_error_packet():
        packet.raise_for_error()
    result._check_packet_is_eof(packet)
    result.connection = None
    result.rows = None
