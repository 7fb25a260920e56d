"""What a waiver does to a result: its rows are let past, but still counted and named."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations import masks
from expectations.rulebook import Waiver
from expectations.verdict import CheckResult, Positions, within


def waived(result: CheckResult, waivers: Sequence[Waiver], frame: pd.DataFrame) -> CheckResult:
    """The result with the waived rows let past; ``failed`` and so the score stay as they were.

    Args:
        result: The result of a check, its failing rows included.
        waivers: The waivers of that check in force.
        frame: The rows, with the columns that the waivers' scopes name.
    """
    applied = [one for one in waivers if result.failed]
    if not applied:
        return result
    let_past = np.zeros(len(result.positions), dtype=np.bool_)
    for waiver in applied:
        let_past |= _in_scope(waiver, result.positions, frame)
    number = int(let_past.sum()) if len(result.positions) else result.failed
    return replace(
        result,
        waived=number,
        waivers=tuple(waiver.id for waiver in applied),
        positions=result.positions[~let_past],
        success=within(result.failed - number, result.counted, result.threshold),
    )


def _in_scope(waiver: Waiver, positions: Positions, frame: pd.DataFrame) -> masks.Mask:
    if waiver.scope is None:
        return masks.every_value(len(positions), right=True)
    values = masks.as_text(masks.to_arrow(frame[waiver.scope.by])).take(pa.array(positions))
    known = pa.array(waiver.scope.values, type=values.type)
    found: masks.Mask = pc.is_in(values, value_set=known).to_numpy()
    return found
