"""Spelling of text: blanks, null spellings, full-width characters, letter case.

A column of millions of clean values must cost next to nothing, so the raw bytes are looked at
first, all at once, and only the values that could need rewriting (``_suspects``) are rewritten.
The test may suspect too many values, never too few.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NULL_SPELLINGS = ("", "NULL", "null", "\\n", "\\N", "-", "--")
"""How department systems write "no value". ``无`` is not among them: it is an answer."""

BLANKS = "".join(map(chr, (*range(0x21), 0x7F, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C)))) + (
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Characters trimmed at both ends: control characters, Unicode blanks, the byte-order mark."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Spelling:
    """How the text of an item is spelt: ``fold`` full-width to half-width, ``upper`` case."""

    fold: bool = False
    upper: bool = False


def _table(*members: int | range) -> Mask:
    table = np.zeros(256, dtype=np.bool_)
    for member in members:
        table[np.arange(member.start, member.stop) if isinstance(member, range) else member] = True
    return table


# Blanks beyond ASCII are spelt C2 xx, E1 9A 80, E2 80|81 xx, E3 80 80 or EF BB BF in UTF-8.
_ASCII_BLANK = _table(range(0x21), 0x7F)
_LEADS_TWO = _table(0xC2)
_FIRST = _ASCII_BLANK | _LEADS_TWO | _table(0xE1, 0xE2, 0xE3, 0xEF)
_SECOND_LAST = _table(0x80, 0x81, 0x9A, 0xBB, 0xC2)
_NULL_FIRST = _table(*map(ord, "Nn\\-"))
_LONGEST_NULL = max(map(len, NULL_SPELLINGS))
_ASCII_END = 0x80
_BEYOND_ASCII = _table(range(0x80, 0x100))
_BEYOND_ASCII_OR_LOWER = _BEYOND_ASCII | _table(range(ord("a"), ord("z") + 1))


def clean(values: pa.Array, spelling: Spelling) -> tuple[pa.Array, pa.Array | None]:
    """Respell a string array.

    Returns:
        The values, null spellings being null, and which values changed (None: not one did).
    """
    suspects = _suspects(values, spelling)
    if not suspects.any():
        return values, None
    mask = pa.array(suspects)
    before = values.filter(mask)
    after = _rewrite(before, spelling)
    changed = pc.fill_null(pc.not_equal(before, after), True)
    if not pc.any(changed).as_py():
        return values, None
    where = np.zeros(len(values), dtype=np.bool_)
    where[suspects] = changed.to_numpy(zero_copy_only=False)
    return pc.replace_with_mask(values, mask, after), pa.array(where)


def _rewrite(values: pa.Array, spelling: Spelling) -> pa.Array:
    if spelling.fold:
        values = pc.utf8_normalize(values, "NFKC")
    if spelling.upper:
        # Only ASCII letters: other alphabets have no place in a code, and their upper case is
        # not always one character. A capital may compose with a mark that its small letter did
        # not, hence the second normalisation.
        values = pc.utf8_normalize(pc.ascii_upper(values), "NFKC")
    values = pc.utf8_trim(values, characters=BLANKS)
    is_null = pc.is_in(values, value_set=pa.array(NULL_SPELLINGS))
    return pc.if_else(is_null, pa.scalar(None, pa.string()), values)


def _suspects(values: pa.Array, spelling: Spelling) -> Mask:
    offsets, data = _buffers(values)
    starts, ends = offsets[:-1], offsets[1:]
    lengths = ends - starts
    suspects: Mask = lengths == 0
    if len(data):
        first = data.take(starts, mode="clip")
        suspects |= _FIRST.take(first)
        suspects |= (lengths <= _LONGEST_NULL) & _NULL_FIRST.take(first)
        suspects |= _blank_end(data, ends)
        if spelling.fold or spelling.upper:
            table = _BEYOND_ASCII_OR_LOWER if spelling.upper else _BEYOND_ASCII
            suspects |= _rows_with(table, offsets, data)
    return suspects & valid(values) if values.null_count else suspects


def _blank_end(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int32]) -> Mask:
    last = data.take(ends - 1, mode="clip")
    blank: Mask = _ASCII_BLANK.take(last)
    wide = np.flatnonzero(last >= _ASCII_END)
    second = data.take(ends.take(wide) - 2, mode="clip")
    odd = np.flatnonzero(_SECOND_LAST.take(second))
    wide, second = wide[odd], second[odd]
    third = data.take(ends.take(wide) - 3, mode="clip")
    blank[wide] = _FIRST[third] | _LEADS_TWO[second]
    return blank


def _rows_with(table: Mask, offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> Mask:
    """The values that have a byte of the table."""
    found: Mask = np.zeros(len(offsets) - 1, dtype=np.bool_)
    begin = int(offsets[0])
    inside = data[begin : int(offsets[-1])]
    # Codes mostly have capitals and digits alone, and a largest byte is found at once.
    if inside.max(initial=0) < table.argmax():
        return found
    positions = np.flatnonzero(table[inside]) + begin
    found[np.searchsorted(offsets, positions, side="right") - 1] = True
    return found


def only(values: pa.Array, allowed: str) -> bool:
    """Whether the bytes of all values are among these ASCII characters."""
    offsets, data = _buffers(values)
    table = ~_table(*allowed.encode("ascii"))
    return not table[data[int(offsets[0]) : int(offsets[-1])]].any()


def valid(values: pa.Array) -> Mask:
    """Which values are not null, as a numpy array."""
    found: Mask = pc.is_valid(values).to_numpy(zero_copy_only=False)
    return found


def _buffers(values: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    _, offsets, data = values.buffers()
    if not len(values) or offsets is None:
        return np.zeros(len(values) + 1, dtype=np.int32), np.zeros(0, dtype=np.uint8)
    wanted = slice(values.offset, values.offset + len(values) + 1)
    found = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return np.frombuffer(offsets, dtype=np.int32)[wanted], found
