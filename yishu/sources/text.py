"""Bytes of a text file as UTF-8, with an eye on its quotes, for a parser that is fast but lax.

The parser takes a quote that never closes for a very long field and swallows the rows in it; it
takes ``"a"b`` for ``ab``. Both are seen here, in the bytes, at the price of looking at quotes.
"""

import codecs
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from yishu.sources.transcode import decoder_of

QUOTE = ord('"')
LINE_END = b"\n"

WIDEST = 3
"""No encoding makes more bytes of UTF-8 than this out of one byte of its own."""


class QuoteWatch:
    """Follows the quotes of a CSV file through its blocks.

    Quotes come in pairs. The first of a pair must stand where a field begins, the second where it
    ends, or doubled. A file that breaks this may still be sound, since a quote inside an unquoted
    field means itself; so this only raises doubt, and who reads the file looks closer.

    Attributes:
        doubtful: A quote stood where none may open or close a field, or the file ended inside one.
    """

    def __init__(self, delimiter: str) -> None:
        self._border = np.zeros(256, dtype=np.bool_)
        self._border[[*b'\r\n"', ord(delimiter)]] = True
        self._tail = LINE_END
        self._inside = False
        self._trusted = False
        self.doubtful = False

    def trust(self) -> None:
        """Stop looking: the file was read closely and is sound."""
        self._trusted, self.doubtful = True, False

    def see(self, block: bytes) -> None:
        """Look at the next block; an empty one is the end of the file.

        A byte is judged with the ones before and after it, so the last one waits for its follower.
        """
        if self._trusted:
            return
        window = self._tail + (block or LINE_END)
        self._tail = window[-2:]
        if b'"' in window:
            self._judge(np.frombuffer(window, dtype=np.uint8))
        self.doubtful = self.doubtful or (not block and self._inside)

    def _judge(self, codes: npt.NDArray[np.uint8]) -> None:
        places = np.flatnonzero(codes[1:-1] == QUOTE) + 1
        closing = (np.arange(len(places)) + self._inside) % 2 == 1
        neighbours = codes[np.where(closing, places + 1, places - 1)]
        self.doubtful = self.doubtful or not self._border[neighbours].all()
        self._inside ^= len(places) % 2 == 1


class Utf8Stream:
    """A file in any encoding as a stream of UTF-8 without a byte order mark, for Arrow to read.

    UTF-8 itself passes through; Arrow checks the columns that it makes.
    """

    def __init__(self, raw: BinaryIO, encoding: str, watch: QuoteWatch) -> None:
        self._raw = raw
        self._decoder = None if encoding == "utf-8" else decoder_of(encoding)
        self._watch = watch
        self._ready = b""
        self._at_start = True
        self._at_end = False
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; none at the end.

        Raises:
            UnicodeDecodeError: a byte that the encoding does not allow.
        """
        while not self._ready and not self._at_end:
            self._ready = self._next(size)
        if size < 0 or len(self._ready) <= size:
            given, self._ready = self._ready, b""
        else:
            given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self._raw.close()

    def _next(self, size: int) -> bytes:
        chunk = self._raw.read(size if self._decoder is None else max(size // WIDEST, -1) or 1)
        self._at_end = not chunk
        block = chunk
        if self._decoder is not None:
            block = self._decoder.decode(chunk, final=not chunk)
        if self._at_start and block:
            block = block.removeprefix(codecs.BOM_UTF8)
            self._at_start = False
        if block or self._at_end:
            self._watch.see(block)
        if self._at_end and block:
            self._watch.see(b"")
        return block
