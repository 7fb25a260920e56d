"""Checks on a byte matrix: one row a value, one column a character position.

A check that adds up weighted characters is a table look-up and an addition for each *pair* of
positions, so millions of values are checked in a second without a loop over values. A column of
text whose values all have one width is such a matrix already, without a copy.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Alphabet = Mapping[str, int]

DIGITS: Alphabet = {char: value for value, char in enumerate("0123456789")}
ALPHANUMERIC: Alphabet = {
    char: value for value, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

BLOCK = 1 << 13
"""Rows a step: the accumulators of a block stay in the processor's first cache."""

_SINGLE = 256
_PAIR = 65536


def weighted(alphabet: Alphabet, weight: int = 0, modulus: int = 1) -> Alphabet:
    """What each character of a position adds to the sum; other characters are not allowed."""
    return {char: value * weight % modulus for char, value in alphabet.items()}


class LinearCheck:
    """Every character is allowed at its position, and the weighted sum has the right remainder.

    Attributes:
        columns: For each position, what each allowed character adds to the sum.
        modulus: The sum is taken modulo this; 1 checks the characters alone.
        remainder: What the sum must leave.
        pairs: Position -> the two-character strings allowed there, e.g. months ``01`` to ``12``.
    """

    def __init__(
        self,
        columns: list[Alphabet],
        modulus: int = 1,
        remainder: int = 0,
        pairs: Mapping[int, frozenset[str]] | None = None,
    ) -> None:
        self.columns = columns
        self.width = len(columns)
        self.modulus = modulus
        self.remainder = remainder
        self.pairs = pairs or {}

    def __call__(self, matrix: Matrix) -> Mask:
        """True for each row that passes; rows of another width pass never."""
        if matrix.shape[1] != self.width:
            return np.zeros(len(matrix), dtype=np.bool_)
        matrix = np.ascontiguousarray(matrix)
        result = np.empty(len(matrix), dtype=np.bool_)
        for start in range(0, len(matrix), BLOCK):
            result[start : start + BLOCK] = self._check_block(matrix[start : start + BLOCK])
        return result

    def _check_block(self, block: Matrix) -> Mask:
        total = np.zeros(len(block), dtype=np.uint16)
        for offset, table in self._tables:
            total += table.take(unsigned(block, offset, 1 if len(table) == _SINGLE else 2))
        passed: Mask = total < self._invalid
        if self.modulus > 1:
            passed &= total % self.modulus == self.remainder
        return passed

    @cached_property
    def _steps(self) -> tuple[tuple[int, int], ...]:
        return tuple(self._plan())

    def _plan(self) -> Iterator[tuple[int, int]]:
        offset = 0
        while offset < self.width:
            alone = offset + 1 == self.width or offset + 1 in self.pairs
            yield offset, (1 if alone else 2)
            offset += 1 if alone else 2

    @cached_property
    def _invalid(self) -> int:
        """More than any sum of allowed characters, and small enough never to wrap 16 bits."""
        bound = len(self._steps) * (self.modulus - 1) + 1
        if bound * len(self._steps) >= _PAIR:
            raise ValueError(f"{self.width} positions modulo {self.modulus} overflow 16 bits")
        return bound

    @cached_property
    def _tables(self) -> tuple[tuple[int, NDArray[np.uint16]], ...]:
        return tuple((offset, self._table(offset, size)) for offset, size in self._steps)

    def _table(self, offset: int, size: int) -> NDArray[np.uint16]:
        table = np.full(_SINGLE if size == 1 else _PAIR, self._invalid, dtype=np.uint16)
        if size == 1:
            for char, value in self.columns[offset].items():
                table[ord(char)] = value
            return table
        allowed = self.pairs.get(offset)
        for first, left in self.columns[offset].items():
            for second, right in self.columns[offset + 1].items():
                if allowed is None or first + second in allowed:
                    # Two bytes read as one little-endian number: the second is the high half.
                    table[ord(first) | ord(second) << 8] = (left + right) % self.modulus
        return table


def unsigned(
    matrix: Matrix, offset: int, size: int, order: str = "<"
) -> NDArray[np.unsignedinteger]:
    """The bytes of a position range of each row, read as one number, without a copy.

    With ``order=">"`` the numbers of equally long digit strings sort as the strings do.
    """
    return np.ndarray(
        (len(matrix),),
        dtype=np.dtype(f"{order}u{size}"),
        buffer=matrix,
        offset=offset,
        strides=(matrix.strides[0],),
    )


def row(text: str) -> Matrix | None:
    """One value as a matrix of one row; None when it is empty or not ASCII."""
    if not text or not text.isascii():
        return None
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8).reshape(1, -1)


def by_width(check: Callable[[Matrix], Mask], data: Matrix, offsets: NDArray[np.integer]) -> Mask:
    """Check a text column given as bytes and offsets, as Arrow keeps it.

    Args:
        check: Called once for each width that occurs, with a matrix of that width.
        data: All bytes of the column.
        offsets: Where each value begins, and where the last one ends: one more than values.

    Returns:
        One mask value for each value; an empty value does not pass.
    """
    lengths = np.diff(offsets)
    result = np.zeros(len(lengths), dtype=np.bool_)
    for width in _widths(lengths[lengths > 0]):
        at = np.flatnonzero(lengths == width)
        starts = offsets[at]
        if starts[-1] - starts[0] == width * (len(at) - 1):
            # The values lie one behind the other: the column is the matrix.
            values = data[starts[0] : starts[-1] + width].reshape(-1, width)
        else:
            values = data[starts[:, None] + np.arange(width)]
        result[at] = check(values)
    return result


def _widths(lengths: NDArray[np.integer]) -> NDArray[np.integer]:
    """The widths that occur; mostly it is one, which is seen faster than sought."""
    first = lengths[:1]
    return first if (lengths == first).all() else np.unique(lengths)
