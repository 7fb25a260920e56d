"""What a validation found, as plain records: results of checks, scores, the gate's decision.

A verdict holds counts and row numbers, never a value. Its JSON holds the counts alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.model import CatalogEntry
from catalog.vocabulary import QualityDimension, Severity
from expectations.kinds import CheckKind
from expectations.plan import Check
from expectations.profile import ColumnProfile

Positions = npt.NDArray[np.int64]

BLOCKED_EMPTY = "empty"
BLOCKED_SHARE = "quarantined_share"

_ROUNDING = 1e-9
"""0.07 * 100 is a little more than 7 and 0.29 * 100 a little less than 29."""


def no_positions() -> Positions:
    """No row numbers."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Gate:
    """What the entry tolerates before a batch is blocked.

    Attributes:
        max_quarantined_share: Largest share of quarantined rows, 0 to 1.
        allow_empty: Whether a source without rows is all right.
    """

    max_quarantined_share: float
    allow_empty: bool

    @classmethod
    def of(cls, entry: CatalogEntry) -> "Gate":
        """The gate that an entry's quality rules ask for."""
        return cls(entry.quality.max_quarantined_share, entry.quality.allow_empty)


@dataclass(frozen=True)
class CheckResult:
    """How one check came out.

    Attributes:
        counted: Rows that the check applies to, e.g. those with a value.
        failed: Those of them that fail, the waived ones included.
        success: Whether no larger share fails than the threshold allows (None allows no row);
            waived rows do not count here.
        positions: Row numbers of the failing rows that no waiver lets past, ascending; not part of
            the JSON.
        waived: Failing rows that a waiver lets past.
        waivers: Ids of the waivers that were applied.
    """

    check_id: str
    kind: CheckKind
    columns: tuple[str, ...]
    dimension: QualityDimension
    severity: Severity
    threshold: float | None
    text_zh: str
    text_en: str
    counted: int
    failed: int
    success: bool
    positions: Positions = field(default_factory=no_positions, repr=False, compare=False)
    waived: int = 0
    waivers: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Failing share of the counted rows, 0 to 1; 0 when nothing was counted."""
        return self.failed / self.counted if self.counted else 0.0

    def moved(self, places: Positions) -> "CheckResult":
        """The same, found among the rows at ``places``, which it knew by their order alone."""
        return replace(self, positions=places[self.positions])

    @property
    def is_blocking(self) -> bool:
        """Whether this check alone stops the batch."""
        return self.severity is Severity.FAIL and self.threshold is not None and not self.success


@dataclass(frozen=True)
class DimensionScore:
    """Score of one quality dimension over all its checks; ``waived`` of the failed are waived."""

    dimension: QualityDimension
    counted: int
    failed: int
    waived: int = 0

    @property
    def score(self) -> float | None:
        """1 - failed / counted; None when nothing was counted, which is not perfection."""
        return 1 - self.failed / self.counted if self.counted else None


@dataclass(frozen=True)
class Verdict:
    """What the validation of one run of an entry found.

    Attributes:
        rows: Rows of the run.
        results: One for each check, in plan order.
        quarantined_rows: Rows that fail at least one check of severity ``fail``.
        passed: Whether the batch may be published.
        blocked_by: Why not: ``empty``, ``quarantined_share`` or check ids.
        scores: One for each dimension that has a check.
        quarantined: Row numbers of the quarantined rows, ascending; not part of the JSON.
        profiles: Statistics of the columns, one an item.
    """

    entry_id: str
    run_id: str
    rows: int
    results: tuple[CheckResult, ...]
    quarantined_rows: int
    passed: bool
    blocked_by: tuple[str, ...]
    scores: tuple[DimensionScore, ...]
    quarantined: Positions = field(default_factory=no_positions, repr=False, compare=False)
    profiles: tuple[ColumnProfile, ...] = ()

    @property
    def quarantined_share(self) -> float:
        """Share of quarantined rows, 0 to 1; 0 for an empty run."""
        return self.quarantined_rows / self.rows if self.rows else 0.0

    def to_json(self) -> str:
        """Counts, shares, scores and texts, without row numbers."""
        record = {
            **_record(self, leave_out={"results", "scores", "quarantined", "profiles"}),
            "quarantined_share": self.quarantined_share,
            "results": [
                {**_record(result, leave_out={"positions"}), "share": result.share}
                for result in self.results
            ],
            "scores": [{**asdict(score), "score": score.score} for score in self.scores],
            "profiles": [one.record() for one in self.profiles],
        }
        return json.dumps(record, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """The verdict that ``to_json`` wrote; its row numbers are empty."""
        record = json.loads(text)
        del record["quarantined_share"]
        record["results"] = tuple(_result(part) for part in record["results"])
        record["scores"] = tuple(_score(part) for part in record["scores"])
        record["blocked_by"] = tuple(record["blocked_by"])
        record["profiles"] = tuple(map(ColumnProfile.of_record, record["profiles"]))
        return cls(**record)


def judge(
    results: Sequence[CheckResult],
    rows: int,
    gate: Gate,
    *,
    entry_id: str,
    run_id: str,
    profiles: Sequence[ColumnProfile] = (),
) -> Verdict:
    """The verdict on a run, from the results of all its checks.

    The gate blocks an empty run unless the entry allows it, a larger share of quarantined rows
    than the entry tolerates, and any check of severity ``fail`` beyond its own threshold.
    """
    quarantined = _union(results, rows)
    blocked_by = [result.check_id for result in results if result.is_blocking]
    if rows == 0 and not gate.allow_empty:
        blocked_by.append(BLOCKED_EMPTY)
    if rows and len(quarantined) / rows > gate.max_quarantined_share:
        blocked_by.append(BLOCKED_SHARE)
    return Verdict(
        entry_id=entry_id,
        run_id=run_id,
        rows=rows,
        results=tuple(results),
        quarantined_rows=len(quarantined),
        passed=not blocked_by,
        blocked_by=tuple(blocked_by),
        scores=scores(results),
        quarantined=quarantined,
        profiles=tuple(profiles),
    )


def scores(results: Iterable[CheckResult]) -> tuple[DimensionScore, ...]:
    """Scores of the dimensions that have a check, in the order of the standard."""
    counted: dict[QualityDimension, int] = {}
    failed: dict[QualityDimension, int] = {}
    waived: dict[QualityDimension, int] = {}
    for result in results:
        counted[result.dimension] = counted.get(result.dimension, 0) + result.counted
        failed[result.dimension] = failed.get(result.dimension, 0) + result.failed
        waived[result.dimension] = waived.get(result.dimension, 0) + result.waived
    return tuple(
        DimensionScore(dimension, counted[dimension], failed[dimension], waived[dimension])
        for dimension in QualityDimension
        if dimension in counted
    )


def within(failed: int, counted: int, threshold: float | None) -> bool:
    """Whether no larger share failed than a threshold allows; None allows no row.

    The share is exact however small the table is: one of four rows is a quarter.
    """
    return failed == 0 or (threshold is not None and failed <= threshold * counted + _ROUNDING)


def result_of(check: Check, *, counted: int, failed: int, positions: Positions) -> CheckResult:
    """The result of a check, with what the plan says about it."""
    return CheckResult(
        check_id=check.id,
        kind=check.kind,
        columns=check.columns,
        dimension=check.dimension,
        severity=check.severity,
        threshold=check.threshold,
        text_zh=check.text_zh,
        text_en=check.text_en,
        counted=counted,
        failed=failed,
        success=within(failed, counted, check.threshold),
        positions=positions,
    )


def added(results: Sequence[CheckResult]) -> CheckResult:
    """The result of a check over all rows, from those over spans of rows, in their order."""
    first, *others = results
    if not others:
        return first
    failed, waived = sum(one.failed for one in results), sum(one.waived for one in results)
    counted = sum(one.counted for one in results)
    return replace(
        first,
        counted=counted,
        failed=failed,
        waived=waived,
        waivers=tuple(dict.fromkeys(name for one in results for name in one.waivers)),
        positions=np.concatenate([one.positions for one in results]),
        success=within(failed - waived, counted, first.threshold),
    )


def _union(results: Sequence[CheckResult], rows: int) -> Positions:
    is_bad = np.zeros(rows, dtype=np.bool_)
    for result in results:
        if result.severity is Severity.FAIL:
            is_bad[result.positions] = True
    return np.flatnonzero(is_bad)


def _record(source: object, leave_out: set[str]) -> dict[str, Any]:
    return {key: part for key, part in vars(source).items() if key not in leave_out}


def _result(record: Mapping[str, Any]) -> CheckResult:
    facts = {key: part for key, part in record.items() if key != "share"}
    return CheckResult(
        **facts
        | {
            "kind": CheckKind(record["kind"]),
            "columns": tuple(record["columns"]),
            "waivers": tuple(record["waivers"]),
            "dimension": QualityDimension(record["dimension"]),
            "severity": Severity(record["severity"]),
        }
    )


def _score(record: Mapping[str, Any]) -> DimensionScore:
    dimension = QualityDimension(record["dimension"])
    return DimensionScore(dimension, record["counted"], record["failed"], record["waived"])
