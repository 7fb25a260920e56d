"""The predicates of all checks over whole Arrow columns: True where a value is right.

Separate from the expectation classes so that they can be read and tested without Great
Expectations. Nulls are right everywhere (absence is a check of its own) except in ``unique_key``.
Strings are judged as bytes in slices that fit the processor's cache, without a Python loop over
values.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog import identifiers
from catalog.identifiers import credit_code
from catalog.secrecy import MARK_PATTERN
from catalog.vocabulary import ItemFormat

Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.uint8]

SLICE_ROWS = 1 << 17
"""Rows judged at once: 18 bytes of each are 2.4 MB, so temporaries stay in the cache."""

HASHED_WIDTH = 256
"""Widest text, in bytes, that is hashed as a row of a byte matrix; wider ones are rare."""


def to_arrow(column: pd.Series) -> pa.ChunkedArray:
    """The Arrow values of a pandas column, whatever its storage; objects of mixed kinds as text."""
    if column.dtype != object:
        return pa.chunked_array(column)
    try:
        array = pa.array(column.to_numpy(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts = [None if pd.isna(value) else str(value) for value in column]
        array = pa.array(texts, type=pa.string())
    return pa.chunked_array([array])


def as_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values as ``string`` or ``large_string``, the two with plain offsets."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return values
    return values.cast(pa.string())


def every_value(number: int, *, right: bool) -> Mask:
    """A mask of one answer for all rows."""
    return np.full(number, right, dtype=np.bool_)


def _numpy(answers: pa.ChunkedArray) -> Mask:
    """Three-valued answers as a mask; unknown (null) counts as right."""
    mask: Mask = pc.fill_null(answers, True).to_numpy().astype(np.bool_, copy=False)
    return mask


def _is_missing(values: pa.ChunkedArray) -> bool:
    """Whether no value is given at all; such a column may not even have a type of its own."""
    return int(values.null_count) == len(values)


def _slices(values: pa.ChunkedArray) -> Iterator[pa.Array]:
    for chunk in values.chunks:
        for start in range(0, len(chunk), SLICE_ROWS):
            yield chunk.slice(start, SLICE_ROWS)


def _bytes_of(text: pa.Array) -> tuple[npt.NDArray[np.int64], Matrix]:
    """Offsets (length n + 1, from 0) and data bytes of a string array."""
    kind = np.int64 if pa.types.is_large_string(text.type) else np.int32
    _, offsets_buffer, data_buffer = text.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=kind)[text.offset : text.offset + len(text) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)[first:last]
    return offsets.astype(np.int64) - first, data


def follows(
    values: pa.ChunkedArray,
    shape: ItemFormat,
    leniency: identifiers.Leniency = identifiers.BY_THE_STANDARD,
) -> Mask:
    """True where a text is an identifier or code of that format, check character included."""
    return by_slice(values, lambda matrix: identifiers.is_valid(shape, matrix, leniency))


def has_organisation(values: pa.ChunkedArray) -> Mask:
    """True where characters 9 to 17 of a credit code are an organisation code (GB 11714).

    What is no credit code at all has that as its one reason, so it is right here.
    """
    return by_slice(values, _organisation_or_no_code)


def _organisation_or_no_code(codes: Matrix) -> Mask:
    answer = credit_code.has_valid_organisation(codes)
    rest = np.flatnonzero(~answer)
    answer[rest] = ~credit_code.is_valid(codes[rest])
    return answer


def by_slice(values: pa.ChunkedArray, check: Callable[[Matrix], Mask]) -> Mask:
    """Answers of a check on byte matrices; null is right."""
    answers = [_slice_passes(part, check) for part in _slices(as_text(values))]
    return np.concatenate(answers) if answers else every_value(0, right=True)


def _slice_passes(text: pa.Array, check: Callable[[Matrix], Mask]) -> Mask:
    offsets, data = _bytes_of(text)
    lengths = np.diff(offsets)
    width = int(lengths[0])
    if width and (lengths == width).all():
        answer = check(data.reshape(-1, width))
    else:
        answer = identifiers.by_width(check, data, offsets)
    if text.null_count:
        answer |= text.is_null().to_numpy(zero_copy_only=False)
    return answer


def in_codes(values: pa.ChunkedArray, codes: Sequence[str]) -> Mask:
    """True where a value is one of the codes."""
    text = as_text(values)
    known = pa.array(codes, type=text.type)
    return _numpy(pc.if_else(pc.is_valid(text), pc.is_in(text, value_set=known), True))


def not_longer(values: pa.ChunkedArray, maximum_length: int) -> Mask:
    """True where a text has at most so many characters (not bytes)."""
    text = as_text(values)
    # A character takes at least a byte, so most columns are settled without decoding.
    longest = pc.max(pc.binary_length(text)).as_py()
    if longest is None or longest <= maximum_length:
        return every_value(len(text), right=True)
    return _numpy(pc.less_equal(pc.utf8_length(text), maximum_length))


def pattern_fault(pattern: str) -> str | None:
    """Why a regular expression is none that RE2 can match in bounded time; None: it is one."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        return str(error)
    return None


def matches(values: pa.ChunkedArray, pattern: str) -> Mask:
    """True where the whole text matches a regular expression (RE2 syntax)."""
    return _numpy(pc.match_substring_regex(as_text(values), rf"\A(?:{pattern})\z"))


def unclassified(values: pa.ChunkedArray) -> Mask:
    """True where a text carries no secrecy mark."""
    text = as_text(values)
    # The star is rare and a search for its bytes fast: the expression is tried where there is one.
    if not any(_has_star(_bytes_of(chunk)[1]) for chunk in text.chunks if len(chunk)):
        return every_value(len(text), right=True)
    return _numpy(pc.invert(pc.fill_null(pc.match_substring_regex(text, MARK_PATTERN), False)))


def _has_star(data: npt.NDArray[np.uint8]) -> bool:
    first, second, third = "★".encode()
    at = np.flatnonzero(data[:-2] == first)
    return bool(((data[at + 1] == second) & (data[at + 2] == third)).any())


def between(values: pa.ChunkedArray, minimum: float | None, maximum: float | None) -> Mask:
    """True where a number is within the bounds, both inclusive; None leaves a side open."""
    answer = every_value(len(values), right=True)
    if _is_missing(values):
        return answer
    if minimum is not None:
        answer &= _numpy(pc.greater_equal(values, _bound(values.type, minimum, math.ceil)))
    if maximum is not None:
        answer &= _numpy(pc.less_equal(values, _bound(values.type, maximum, math.floor)))
    return answer


def _bound(kind: pa.DataType, bound: float, inward: Callable[[float], int]) -> pa.Scalar:
    """The bound in the column's own kind, since a detour over floats loses digits."""
    if pa.types.is_integer(kind):
        return pa.scalar(inward(bound))
    if pa.types.is_decimal(kind):
        return pa.scalar(Decimal(repr(bound)))
    return pa.scalar(bound)


def is_true(values: pa.ChunkedArray) -> Mask:
    """True where a boolean is true or null."""
    return every_value(len(values), right=True) if _is_missing(values) else _numpy(values)


def not_after(earlier: pa.ChunkedArray, later: pa.ChunkedArray) -> Mask:
    """True where ``earlier <= later`` or one of them is null."""
    if _is_missing(earlier) or _is_missing(later):
        return every_value(len(earlier), right=True)
    return _numpy(pc.less_equal(earlier, later))


def unique_key(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """True where all parts of a key are given and no other row has the same; exact.

    Hashes only preselect: rows whose hash occurs once are alone, the others are compared by value.
    All rows of a doubled key are wrong, for no row says which of them is meant.
    """
    hashes, given = key_hashes(columns)
    is_repeated = _are_repeated(hashes)
    answer = given.copy()
    if not is_repeated.any():
        return answer
    suspects = given.copy()
    suspects[given] = is_repeated
    chosen = [_comparable(column).filter(pa.array(suspects)) for column in columns]
    answer[suspects] = _alone_in_runs(chosen, hashes[is_repeated])
    return answer


def key_hashes(columns: Sequence[pa.ChunkedArray]) -> tuple[npt.NDArray[np.uint64], Mask]:
    """A 64-bit hash of each key that is given whole, and True where one is; equal for equal ones.

    Comparable within one process, between columns of the same types.
    """
    given = every_value(len(columns[0]), right=True)
    for column in columns:
        if column.null_count:
            given &= pc.is_valid(column).to_numpy()
    shown = [_comparable(column) for column in columns]
    if len(columns) > 1 and not given.all():
        shown = [column.filter(pa.array(given)) for column in shown]
    hashes = np.zeros(np.count_nonzero(given), dtype=np.uint64)
    for column in shown:
        _stir(hashes, column)
    return hashes, given


def repeats(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Places of the hashes that occur more than once, ascending; where many do, all places."""
    return np.flatnonzero(_are_repeated(hashes))


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    is_odd = pa.types.is_dictionary(kind) or pa.types.is_null(kind) or pa.types.is_string_view(kind)
    return as_text(column) if is_odd else column


def value_hashes(values: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each value that is not null, in their order."""
    hashes, _ = key_hashes([values])
    return hashes


def _are_repeated(hashes: npt.NDArray[np.uint64]) -> Mask:
    """True where a hash occurs more than once; where many do, True everywhere, as a search costs.

    Some are looked at at a time, to keep memory low.
    """
    repeated = _repeated(hashes)
    has_many = len(repeated) * 4 > len(hashes)
    answer = every_value(len(hashes), right=has_many)
    if has_many or not len(repeated):
        return answer
    # Most hashes begin as no repeated one does, and a table look-up is faster than a search.
    begins = np.zeros(1 << _FRONT, dtype=np.bool_)
    begins[_front(repeated)] = True
    for start in range(0, len(hashes), SLICE_ROWS):
        window = hashes[start : start + SLICE_ROWS]
        maybe = np.flatnonzero(begins.take(_front(window)))
        suspects = window[maybe]
        places = np.minimum(np.searchsorted(repeated, suspects), len(repeated) - 1)
        answer[start + maybe] = repeated[places] == suspects
    return answer


_FRONT = 20
"""Bits that a hash is first known by: a table of them stays in the processor's cache."""


def _front(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _FRONT)).view(np.int64)


def _repeated(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The hashes that occur more than once, ascending, each once.

    Of very many, one range is sorted after the other, to keep memory low.
    """
    ranges = 1 << max(0, len(hashes).bit_length() - _SORTED_BITS)
    if ranges == 1:
        return _repeated_of(np.sort(hashes))
    shift = np.uint64(65 - ranges.bit_length())
    windows = [hashes[start : start + SLICE_ROWS] for start in range(0, len(hashes), SLICE_ROWS)]
    found = []
    for number in range(ranges):
        some = np.concatenate([window[window >> shift == number] for window in windows])
        some.sort()
        found.append(_repeated_of(some))
    return np.concatenate(found)


_SORTED_BITS = 23
"""Binary digits of the number of hashes that are sorted at once: eight million, 64 MB."""


def _repeated_of(ordered: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """As ``_repeated``, of hashes that are ascending."""
    found = ordered[1:][ordered[1:] == ordered[:-1]]
    # Sorted already, so neighbours tell: ``np.unique`` would take ten times as long.
    repeated: npt.NDArray[np.uint64] = found[np.diff(found, prepend=~found[:1]) != 0]
    return repeated


def _alone_in_runs(columns: Sequence[pa.ChunkedArray], hashes: npt.NDArray[np.uint64]) -> Mask:
    """Compare each row with the first one of the same hash."""
    order = np.argsort(hashes)
    arranged = hashes[order]
    begins = np.concatenate([[True], arranged[1:] != arranged[:-1]])
    firsts = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    rows, firsts = order[~begins], firsts[~begins]
    equal = every_value(len(rows), right=True)
    for column in columns:
        same = pc.equal(column.take(pa.array(rows)), column.take(pa.array(firsts)))
        equal &= same.to_numpy()
    answer = every_value(len(hashes), right=True)
    answer[rows] = False
    answer[firsts] = False
    if not equal.all():
        # Different keys of one hash: only grouping by value tells which of them are doubled.
        mixed = np.isin(hashes, hashes[rows[~equal]])
        answer[mixed] = _alone_by_value([column.filter(pa.array(mixed)) for column in columns])
    return answer


def _alone_by_value(columns: Sequence[pa.ChunkedArray]) -> Mask:
    first, *others = columns
    groups = _codes(first)
    for column in others:
        codes = _codes(column)
        _, groups = np.unique(groups * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    alone: Mask = np.bincount(groups)[groups] == 1
    return alone


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each value of a column without nulls, equal for equal values only."""
    chunks = column.dictionary_encode().chunks
    parts = [chunk.indices.to_numpy().astype(np.int64) for chunk in chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


_ODD = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_FACTORS = np.random.default_rng(11643).integers(1 << 64, size=33, dtype=np.uint64) | np.uint64(1)
"""One for each word of a text, and the last for its length."""


def _mix(hashes: npt.NDArray[np.uint64], word: npt.NDArray[np.uint64]) -> None:
    """Stir one 64-bit word a row into the hashes, in place."""
    hashes ^= word
    hashes *= _ODD
    hashes ^= hashes >> _SHIFT


def _stir(hashes: npt.NDArray[np.uint64], column: pa.ChunkedArray) -> None:
    """Stir a column into the hashes, in place, nulls left out: equal values get equal hashes."""
    kind = column.type
    if column.null_count and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        column = column.drop_null()
    if pa.types.is_date32(kind):
        _mix(hashes, column.cast(pa.int32()).to_numpy().astype(np.uint64))
        return
    if pa.types.is_integer(kind) or pa.types.is_timestamp(kind):
        _mix(hashes, column.cast(pa.int64()).to_numpy().view(np.uint64))
        return
    start = 0
    for whole in _slices(as_text(column)):
        # Slice by slice, since a column without its nulls would be a second one.
        part = whole.drop_null() if whole.null_count else whole
        _mix(hashes[start : start + len(part)], _text_hashes(part))
        start += len(part)


def _text_hashes(text: pa.Array) -> npt.NDArray[np.uint64]:
    """A number for each text, which depends on nothing but that text; none of them is null."""
    lengths = pc.binary_length(text).to_numpy().astype(np.uint64)
    is_wide = lengths > HASHED_WIDTH
    found: npt.NDArray[np.uint64] = lengths * _FACTORS[-1]
    if is_wide.any():
        wide = map(hash, text.filter(pa.array(is_wide)).to_pylist())
        found[is_wide] = np.fromiter(wide, np.int64).view(np.uint64)
        found[~is_wide] = _text_hashes(text.filter(pa.array(~is_wide)))
        return found
    for (rows, words), factor in zip(_words(text), _FACTORS, strict=False):
        found[rows] += words * factor
    return found


_LOW_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=np.uint64)


def _words(text: pa.Array) -> Iterator[tuple[Any, npt.NDArray[np.uint64]]]:
    """Which texts have a first 64-bit word of bytes, and these words; then the second, and so on.

    The last word of a text is filled up with zeros.
    """
    offsets, data = _bytes_of(text)
    starts, lengths = offsets[:-1], np.diff(offsets)
    shortest, longest = lengths.min(initial=HASHED_WIDTH), lengths.max(initial=0)
    filled = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    # A word begins at every byte: texts of any width are read where they are.
    all_words = np.ndarray((len(data) + 1,), "<u8", filled, strides=(1,))
    for begin in range(0, longest, 8):
        rows = slice(None) if begin < shortest else np.flatnonzero(lengths > begin)
        words = all_words[starts[rows] + begin]
        if shortest < begin + 8:
            words &= _LOW_BYTES[np.minimum(lengths[rows] - begin, 8)]
        yield rows, words
