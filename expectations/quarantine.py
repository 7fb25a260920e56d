"""Why rows are held back: one line for each row and each check of severity ``fail`` it fails."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.vocabulary import Severity
from expectations.verdict import CheckResult, Verdict

_TEXT = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("check_id", _TEXT, nullable=False),
        pa.field("column", _TEXT, nullable=False),
        pa.field("reason_zh", _TEXT, nullable=False),
        pa.field("reason_en", _TEXT, nullable=False),
    ]
)
"""``row`` counts from 0 in the landed order; ``column`` joins several fields with commas. The texts
are dictionary-encoded, for there are few different ones however many rows fail."""


def reasons_table(verdict: Verdict) -> pa.Table:
    """The reasons of all quarantined rows, by row and then in plan order, without any value."""
    failed = [r for r in verdict.results if r.severity is Severity.FAIL and len(r.positions)]
    if not failed:
        return SCHEMA.empty_table()
    rows = np.concatenate([result.positions for result in failed])
    which = np.repeat(np.arange(len(failed), dtype=np.int32), [len(r.positions) for r in failed])
    order = np.argsort(rows, kind="stable")
    return pa.table(
        [pa.array(rows[order]), *_texts(failed, which[order])],
        schema=SCHEMA,
    )


def _texts(failed: Sequence[CheckResult], which: npt.NDArray[np.int32]) -> list[pa.DictionaryArray]:
    facts = [(r.check_id, ",".join(r.columns), r.text_zh, r.text_en) for r in failed]
    return [
        pa.DictionaryArray.from_arrays(which, pa.array(texts, type=pa.string()))
        for texts in zip(*facts, strict=True)
    ]
