"""Which encoding a text file has, and where it breaks it."""

import codecs
from pathlib import Path
from typing import NamedTuple

CHUNK = 1 << 20

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "ascii": "utf-8", "utf-8-sig": "utf-8"}
"""Read a declared encoding as the larger one of its family: files outgrow their declaration."""

LAST_OF_ONE_BYTE, LAST_OF_TWO_BYTES = "\u007f", "\u07ff"

CERTAIN_UTF8 = 8
"""From this much evidence on, valid UTF-8 did not come about by chance.

About one common Chinese character in six, written in GB18030, happens to be a valid two-byte
sequence of UTF-8, so that counts 1; that three such characters make two valid three-byte sequences
takes rare ones in a row, so each of those counts 4.
"""


class BadByte(NamedTuple):
    """Where a file breaks its encoding: line from 1, byte offset from 0."""

    line: int
    offset: int


def encoding_of(path: Path, declared: str | None) -> str:
    """The encoding to read a file with: its byte order mark, what is declared, or what fits.

    Without mark or declaration a file is UTF-8 unless it breaks that before it could have been
    recognised; then it is GB18030.

    Raises:
        LookupError: no encoding has the declared name.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, name in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return name
    if declared is not None:
        name = codecs.lookup(declared).name
        return SUPERSETS.get(name, name)
    return "utf-8" if _looks_like_utf8(path) else "gb18030"


def first_bad_byte(path: Path, encoding: str) -> BadByte | None:
    """The first byte that the encoding does not allow; None if all are allowed."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, offset = 1, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            held = len(decoder.getstate()[0])
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                # Positions count from the bytes that the decoder had held back.
                before = error.object[: error.start].count(b"\n")
                return BadByte(line + before, offset - held + error.start)
            if not chunk:
                return None
            offset += len(chunk)


def _looks_like_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    evidence = 0
    with path.open("rb") as file:
        while evidence < CERTAIN_UTF8:
            chunk = file.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode("utf-8")
                return evidence + _evidence(good) >= CERTAIN_UTF8
            evidence += _evidence(text)
            if not chunk:
                return True
    return True


def _evidence(text: str) -> int:
    if text.isascii():
        return 0
    return sum(4 if char > LAST_OF_TWO_BYTES else char > LAST_OF_ONE_BYTE for char in text)
