"""Yishu: the plan's classes of Great Expectations, column by column from Parquet."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

from common import told
from landed import CHECKS

from catalog.model import DataItem
from catalog.vocabulary import ItemFormat
from expectations.kinds import DIMENSIONS, CheckKind
from expectations.plan import Check
from expectations.run import carried_out
from expectations.spans import ColumnView, Span
from expectations.suite import great_expectations_classes
from yishu.pipeline.landing import Landed

great_expectations_classes()

TYPES = {"capital": "decimal", "begins": "date", "ends": "date"}


def checks() -> list[Check]:
    """The task's checks as a plan has them; a missing key is a fault of its presence alone."""
    return [_check(**record) for record in CHECKS]


def _check(*, id: str, kind: str, columns: list[str], **args: Any) -> Check:  # noqa: A002
    if kind == "length":
        args = {"maximum_length": args["most"]}
    if kind == "range":
        args = {"minimum": float(args["least"]), "maximum": None}
    if kind == "format":
        args = {"format": ItemFormat(args["format"])}
    return Check(id, CheckKind(kind), tuple(columns), DIMENSIONS[CheckKind(kind)], id, id, args)


def find(path: str, *, profiled: bool) -> dict[str, Any]:
    """Row numbers of the failing rows, by check."""
    file = Landed([Path(path)])
    column = partial(_column, file)
    names = file.schema.names
    items = [
        DataItem(name=name, field=name, type=TYPES.get(name, "string"), sensitivity="none")
        for name in names
    ]
    results, _ = carried_out(checks(), file.rows, column, items if profiled else ())
    return {name: result.positions for name, result in results.items()}


def _column(file: Landed, field: str, span: Span) -> ColumnView:
    return ColumnView(file.column(field, *span))


if __name__ == "__main__":
    told(partial(find, profiled="--profiled" in sys.argv))
