"""Electronic licence identifiers (GB/T 36904-2018), with their ISO/IEC 7064 MOD 37,36 check.

``1.2.156.3005.2`` . licence type (18 of the defining body + 3) . issuer (18) . serial . version (3)
. check character. The check runs over type, issuer, serial and version, without dots and root.
"""

import numpy as np

from catalog.identifiers.matrix import BLOCK, Mask, Matrix, row

ROOT = b"1.2.156.3005.2."

_SEGMENT_DOTS = 4
_TYPE_DOT = len(ROOT) + 21
_ISSUER_DOT = _TYPE_DOT + 1 + 18
_SHORTEST = len(ROOT) + len("t.i.s.v.c")
_SHORTEST_STRICT = _ISSUER_DOT + 1 + len("s.001.c")
_START = 35
_DOT = ord(".")
_HYPHEN = ord("-")


def is_valid(values: Matrix, *, strict: bool = True) -> Mask:
    """Whether each row is a licence identifier with the right check character.

    Args:
        values: One identifier a row, letters in upper case.
        strict: Segment lengths as in the standard. Otherwise any five filled segments, with
            hyphens, as issuing systems use them (six-digit regions or GUIDs for issuers).
    """
    result = np.zeros(len(values), dtype=np.bool_)
    if values.shape[1] < (_SHORTEST_STRICT if strict else _SHORTEST):
        return result
    for start in range(0, len(values), BLOCK):
        columns = np.ascontiguousarray(values[start : start + BLOCK].T)
        result[start : start + BLOCK] = (_check_strict if strict else _check_loose)(columns)
    return result


def _has_root(columns: Matrix) -> Mask:
    matches: Mask = (columns[: len(ROOT)] == np.frombuffer(ROOT, np.uint8)[:, None]).all(axis=0)
    return matches


def _check_strict(columns: Matrix) -> Mask:
    """Dots exactly where the standard has them: only the serial's length is free."""
    width = len(columns)
    dots = [_TYPE_DOT, _ISSUER_DOT, width - 6, width - 2]
    passed: Mask = _has_root(columns) & np.equal(columns[dots], _DOT).all(axis=0)
    passed &= np.less(columns[width - 5 : width - 2] - np.uint8(ord("0")), 10).all(axis=0)
    body = np.delete(columns, [*range(len(ROOT)), *dots], axis=0)
    values, is_known = _values(body)
    return passed & is_known.all(axis=0) & _has_check_character(values, None)


def _check_loose(columns: Matrix) -> Mask:
    """Five filled segments, the last of one character; hyphens count for nothing."""
    body = columns[len(ROOT) :]
    is_dot = body == _DOT
    is_filled = ~is_dot[0] & ~(is_dot[1:] & is_dot[:-1]).any(axis=0)
    passed: Mask = _has_root(columns) & is_filled & is_dot[-2] & ~is_dot[-1]
    passed &= is_dot.sum(axis=0) == _SEGMENT_DOTS
    values, is_known = _values(body)
    is_skipped = is_dot | (body == _HYPHEN)
    passed &= (is_known | is_skipped).all(axis=0) & is_known[-1]
    return passed & _has_check_character(values, is_skipped)


def _values(columns: Matrix) -> tuple[Matrix, Mask]:
    """Value 0 to 35 of each character, and whether it is a digit or a capital at all."""
    digit = columns - np.uint8(ord("0"))
    is_letter = np.less(columns - np.uint8(ord("A")), 26)
    is_known = np.less(digit, 10) | is_letter
    return digit - is_letter.view(np.uint8) * np.uint8(7), is_known


def _has_check_character(values: Matrix, is_skipped: Mask | None) -> Mask:
    """MOD 37,36 over all characters, the last one being the check character.

    ``state`` is the standard's P less one, so that it fits 0 to 35: unsigned subtraction wraps,
    so the smaller of ``x`` and ``x - m`` is ``x mod m`` for ``x < 2 m``.
    """
    state = np.full(values.shape[1], _START, dtype=np.uint8)
    for position, value in enumerate(values[:-1]):
        total = state + value
        np.minimum(total, total - np.uint8(36), out=total)
        total += total
        total += np.uint8(1)
        np.minimum(total, total - np.uint8(37), out=total)
        state = total if is_skipped is None else np.where(is_skipped[position], state, total)
    total = state + values[-1]
    is_right: Mask = np.minimum(total, total - np.uint8(36)) == 0
    return is_right


def check_licence_identifier(text: str, *, strict: bool = True) -> bool:
    """Whether a text is a licence identifier; ``strict`` as in ``is_valid``."""
    value = row(text)
    return value is not None and bool(is_valid(value, strict=strict)[0])
