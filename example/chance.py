"""Chance that depends on nothing but the seed, a name and the row number.

Every fact of the city is a function of its index. So a table can be written chunk by chunk, another
table can work out the same fact again without looking it up, and fifty million rows need no more
memory than one chunk.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Index = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Dice:
    """Throws that can be repeated: same seed, same salt, same index, same number."""

    seed: int

    def throw(self, salt: str, index: Index) -> npt.NDArray[np.uint64]:
        """64 random bits for each index (SplitMix64 as a counter-based generator)."""
        start = np.uint64((zlib.crc32(salt.encode()) << 32) ^ (self.seed & 0xFFFFFFFFFFFF))
        bits = index.astype(np.uint64)
        with np.errstate(over="ignore"):
            bits += start
            bits *= _GOLDEN
            bits ^= bits >> np.uint64(30)
            bits *= _MIX_1
            bits ^= bits >> np.uint64(27)
            bits *= _MIX_2
            bits ^= bits >> np.uint64(31)
        return bits

    def below(self, salt: str, index: Index, limit: int) -> Index:
        """A number from 0 to ``limit - 1`` for each index."""
        high = self.throw(salt, index) >> np.uint64(32)
        return ((high * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)

    def often(self, salt: str, index: Index, percent: int) -> npt.NDArray[np.bool_]:
        """True for about ``percent`` of a hundred indexes."""
        return self.below(salt, index, 100) < percent


def spread(index: Index, size: int) -> Index:
    """The index's place in a fixed shuffle of ``range(size)``: no place is taken twice.

    Args:
        index: Numbers from 0 to ``size - 1``.
        size: How many places there are; up to 2**31.
    """
    step = int(size * 0.6180339887) | 1
    while math.gcd(step, size) != 1:
        step += 2
    return (index * step + size // 3) % size
