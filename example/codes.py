"""Identifiers with right check digits, made in bulk.

This is deliberately a second implementation: the product's checkers are judged by these codes, so
the codes must not come from the checkers. Codes are built as byte matrices, one row a character,
which numpy handles a column of cards at a time.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from example.chance import Bytes, Index

USCC_ALPHABET = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: no I, O, S, V, Z."""

_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_BASE_36 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LICENCE_ROOT = b"1.2.156.3005.2."

_Values = npt.NDArray[np.int32]


def _values_of(alphabet: bytes) -> _Values:
    table = np.zeros(256, dtype=np.int32)
    table[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
    return table


_VALUE_31 = _values_of(USCC_ALPHABET)
_VALUE_36 = _values_of(_BASE_36)
_CHAR_31 = np.frombuffer(USCC_ALPHABET, dtype=np.uint8)
_CHAR_36 = np.frombuffer(_BASE_36, dtype=np.uint8)


def strings(characters: Bytes) -> pa.Array:
    """A string array from a matrix of ASCII characters, one row a character position."""
    width, count = characters.shape
    data = np.ascontiguousarray(characters.T)
    offsets = np.arange(count + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), count, buffers)


def repeated(text: str, count: int) -> Bytes:
    """The same ASCII text for every row, as a character matrix."""
    characters = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    return np.broadcast_to(characters[:, None], (len(characters), count))


def picked(texts: list[str], choice: Index) -> Bytes:
    """One of several ASCII texts of equal length for each row, as a character matrix."""
    pool = np.array([np.frombuffer(text.encode("ascii"), dtype=np.uint8) for text in texts])
    return np.ascontiguousarray(pool.T)[:, choice]


def digits(numbers: Index, width: int) -> Bytes:
    """Numbers as decimal digits with leading zeros, as a character matrix."""
    characters = np.empty((width, len(numbers)), dtype=np.uint8)
    rest = numbers.copy()
    for position in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        characters[position] = digit + ord("0")
    return characters


def letters_and_digits(numbers: Index, width: int) -> Bytes:
    """Numbers written in the 31 characters of the social credit code, as a character matrix."""
    characters = np.empty((width, len(numbers)), dtype=np.uint8)
    rest = numbers.copy()
    for position in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 31)
        characters[position] = _CHAR_31[digit]
    return characters


def _weighted(characters: Bytes, values: _Values, weights: tuple[int, ...]) -> _Values:
    total = np.zeros(characters.shape[1], dtype=np.int32)
    for row, weight in zip(characters, weights, strict=False):
        total += values[row] * weight
    return total


def social_credit_codes(front: Bytes, body: Bytes) -> Bytes:
    """Unified social credit codes (GB 32100-2015) with both check digits right.

    Args:
        front: Eight rows: registrar, kind of body, six of the region.
        body: Eight rows: the organisation code without its check digit (GB 11714).
    """
    codes = np.empty((18, body.shape[1]), dtype=np.uint8)
    codes[:8] = front
    codes[8:16] = body
    inner = 11 - _weighted(body, _VALUE_36, _ORGANISATION_WEIGHTS) % 11
    codes[16] = np.frombuffer(b"0123456789X0", dtype=np.uint8)[inner]
    codes[17] = _CHAR_31[(31 - _weighted(codes, _VALUE_31, _USCC_WEIGHTS) % 31) % 31]
    return codes


def resident_ids(region: Bytes, birth: Bytes, order: Bytes) -> Bytes:
    """Resident identity numbers (GB 11643-1999): six, eight and three rows, and the check."""
    codes = np.empty((18, region.shape[1]), dtype=np.uint8)
    codes[:6], codes[6:14], codes[14:17] = region, birth, order
    total = np.zeros(region.shape[1], dtype=np.int32)
    for row, weight in zip(codes, _RESIDENT_WEIGHTS, strict=False):
        total += (row - ord("0")).astype(np.int32) * weight
    codes[17] = _RESIDENT_CHECK[total % 11]
    return codes


def licence_identifiers(kind: Bytes, issuer: Bytes, serial: Bytes) -> Bytes:
    """Electronic licence identifiers (GB/T 36904-2018), first version of each licence.

    The check character is ISO/IEC 7064 MOD 37,36 over kind, issuer, serial and version, without
    dots and without the root.

    Args:
        kind: 21 rows: the social credit code of the body that defined the kind, and three more.
        issuer: 18 rows: the social credit code of the issuing body.
        serial: Rows of the serial number.
    """
    count = kind.shape[1]
    version = repeated("001", count)
    product = np.full(count, 36, dtype=np.int32)
    for part in (kind, issuer, serial, version):
        for row in part:
            total = (product + _VALUE_36[row]) % 36
            total[total == 0] = 36
            product = total * 2 % 37
    check = _CHAR_36[(1 - product) % 36][None, :]
    dot = repeated(".", count)
    root = repeated(_LICENCE_ROOT.decode(), count)
    return np.concatenate([root, kind, dot, issuer, dot, serial, dot, version, dot, check])
