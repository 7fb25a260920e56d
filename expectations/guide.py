"""What guide accuracy found: one line for an item and an element, however many rules it breaks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.model import CatalogEntry, CatalogView
from expectations.guide_elements import FIELDS, GuideElement
from expectations.guide_rules import RULES
from expectations.kinds import CheckKind
from expectations.plan import plan
from expectations.run import carried_out
from expectations.spans import ColumnView, Span
from expectations.verdict import CheckResult


@dataclass(frozen=True)
class GuideFinding:
    """What was found out about one element of one item.

    Attributes:
        row: Position of the item.
        state: ``ok``, ``missing`` or ``wrong``.
        checks: Ids of the checks that it fails, in plan order.
    """

    row: int
    element: GuideElement
    state: str
    checks: tuple[str, ...]


def findings(results: Sequence[CheckResult], rows: int) -> list[GuideFinding]:
    """One finding for each item and each element that a check was about, by item and element."""
    broken: dict[tuple[int, GuideElement], list[CheckResult]] = {}
    about = [(result, element) for result in results if (element := element_of(result))]
    for result, element in about:
        for row in result.positions.tolist():
            broken.setdefault((row, element), []).append(result)
    seen = {element for _, element in about}
    return [
        _finding(row, element, broken.get((row, element), ()))
        for row in range(rows)
        for element in GuideElement
        if element in seen
    ]


def check_guides(entry: CatalogEntry, catalog: CatalogView, rows: pa.Table) -> list[GuideFinding]:
    """The findings about guides in standard form, e.g. those that were published.

    Args:
        entry: A service-item entry.
        catalog: Its code lists and data elements.
        rows: The entry's items as columns.
    """
    wanted = (CheckKind.GUIDE, CheckKind.CLEAR_WORDING, CheckKind.PRESENT)
    checks = [check for check in plan(entry, catalog) if check.kind in wanted]

    def column(field: str, span: Span) -> ColumnView:
        return ColumnView(rows.column(field)[span.start : span.stop])

    results, _ = carried_out(checks, len(rows), column)
    return findings([results[check.id] for check in checks], len(rows))


def totals(found: Sequence[GuideFinding], departments: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many findings of each state each department has; ``departments`` has one an item."""
    counts = Counter((departments[one.row], one.state) for one in found)
    names = dict.fromkeys(departments)
    states = ("ok", "missing", "wrong")
    return {name: {state: counts[name, state] for state in states} for name in names}


def completeness(found: Sequence[GuideFinding]) -> dict[int, float]:
    """For each item the share of the fourteen elements that are there (S004 Art.7), 0 to 1."""
    filled = Counter(one.row for one in found if one.state != "missing")
    return {row: filled[row] / len(GuideElement) for row in dict.fromkeys(f.row for f in found)}


def element_of(result: CheckResult) -> GuideElement | None:
    """The element that a check is about; None if it is about none."""
    if result.kind is CheckKind.GUIDE:
        return RULES[result.check_id.removeprefix("guide.")].element
    return next(
        (e for e, fields in FIELDS.items() if result.columns and result.columns[0] in fields), None
    )


def _finding(row: int, element: GuideElement, failed: Sequence[CheckResult]) -> GuideFinding:
    state = "ok"
    if failed:
        state = "missing" if any(_is_absence(result) for result in failed) else "wrong"
    return GuideFinding(row, element, state, tuple(result.check_id for result in failed))


def _is_absence(result: CheckResult) -> bool:
    if result.kind is CheckKind.GUIDE:
        return RULES[result.check_id.removeprefix("guide.")].is_about_absence
    return result.kind is CheckKind.PRESENT
