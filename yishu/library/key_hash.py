"""A 64-bit hash of a row's key that is the same in every release, process and machine.

DuckDB's and Python's own hashes may change from version to version; this one is written to disk.
It finds candidates only: whoever looks a key up compares the key itself.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_SEED = 0x9E3779B97F4A7C15
_OTHER_SEED = 0xD1B54A32D192ED03
_SHIFT = np.uint64(32)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
"""Odd factors of the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
_PLAIN_FACTORS = tuple(map(int, _FACTORS))
_ALL = (1 << 64) - 1
_WORD = 8
_BETWEEN = "\x1f"


def hash_keys(columns: Sequence[pa.Array]) -> np.ndarray:
    """One unsigned 64-bit number a row; empty keys hash as empty text.

    Args:
        columns: The columns of the key, in the order of the key, of any standard type.
    """
    texts = _texts(columns)
    whole = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, _BETWEEN)
    return _hash_texts(whole, _SEED)


def other_hashes(columns: Sequence[pa.Array]) -> np.ndarray:
    """One unsigned 32-bit number a row that has nothing to do with that of ``hash_keys``.

    Columns are hashed one by one, so that keys which differ in where one value ends and the next
    begins differ too.
    """
    numbers = np.zeros(len(columns[0]), np.uint64)
    for texts in _texts(columns):
        numbers ^= _hash_texts(texts, _OTHER_SEED)
        _mix(numbers)
    return (numbers >> _SHIFT).astype(np.uint32)


def _texts(columns: Sequence[pa.Array]) -> list[pa.StringArray]:
    texts = [column.cast(pa.string()) for column in columns]
    return [pc.fill_null(text, "") if text.null_count else text for text in texts]


def hash_key(texts: Sequence[str]) -> int:
    """The number of one row's key, given as text: the same as ``hash_keys``, a call at a time."""
    data = _BETWEEN.join(texts).encode()
    number = _SEED ^ len(data)
    for start in range(0, len(data), _WORD):
        number = _mixed_one(number ^ int.from_bytes(data[start : start + _WORD], "little"))
    return _mixed_one(number)


def _mixed_one(number: int) -> int:
    for factor in _PLAIN_FACTORS:
        number = (number ^ (number >> 32)) * factor & _ALL
    return number ^ (number >> 32)


def _hash_texts(texts: pa.StringArray, seed: int) -> np.ndarray:
    _, offsets, data = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
    lengths = np.diff(starts)
    if len(texts) and (lengths == lengths[0]).all():
        # Most keys are: they lie side by side, and nothing has to be gathered.
        length = int(lengths[0])
        block = letters[starts[0] : starts[-1]].reshape(len(texts), length)
        return _hash_words(_padded(block, length), seed ^ length)
    hashes = np.empty(len(texts), np.uint64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        words = _words(letters, starts[rows], int(length))
        hashes[rows] = _hash_words(words, seed ^ int(length))
    return hashes


def _words(letters: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Texts of one length as rows of little-endian words, filled up with zeros."""
    return _padded(letters[starts[:, None] + np.arange(length, dtype=np.int32)], length)


def _padded(block: np.ndarray, length: int) -> np.ndarray:
    words = np.zeros((len(block), -(-length // _WORD) * _WORD), np.uint8)
    words[:, :length] = block
    return words.view("<u8")


def _hash_words(words: np.ndarray, start: int) -> np.ndarray:
    hashes = np.full(len(words), start, np.uint64)
    for word in words.T:
        hashes ^= word
        _mix(hashes)
    _mix(hashes)
    return hashes


def _mix(numbers: np.ndarray) -> None:
    """Mix the bits of each number, in place."""
    for factor in _FACTORS:
        numbers ^= numbers >> _SHIFT
        numbers *= factor
    numbers ^= numbers >> _SHIFT
