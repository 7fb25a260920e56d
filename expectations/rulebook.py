"""What the bureau decided about an entry's checks: additions, severities, weights, waivers.

``suites/<entry id>.yaml`` holds them beside the code, since they are rules that a bureau reads and
edits. Each decision carries author, reason and the day it takes effect, and none is overwritten: a
new one is added below the old, so that a verdict of last year can be explained by last year's rule.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from catalog.base import EntryId, Identifier, Model, Name
from catalog.model import Scope
from catalog.vocabulary import QualityDimension, Severity
from expectations.errors import RulebookFaulty
from expectations.kinds import CheckKind

SUITES = Path(__file__).parent / "suites"
WEIGHTS_FILE = "weights.yaml"

_TOLERANCE = 1e-9


class CheckRule(Model):
    """How strictly one check is held.

    ``threshold`` is the largest failing share (0 to 1) that still lets the batch pass; None leaves
    the decision to the entry's ``max_quarantined_share``.
    """

    severity: Severity = Severity.FAIL
    threshold: float | None = Field(default=None, ge=0, le=1)


class Decided(Model):
    """What every decision carries: from which day it holds, who made it, and why."""

    since: date
    author: Name
    reason: Name


class RuleVersion(Decided):
    """Severity and threshold of a check from a day on."""

    check: Name
    severity: Severity = Severity.FAIL
    threshold: float | None = Field(default=None, ge=0, le=1)

    @property
    def rule(self) -> CheckRule:
        """The rule without its history."""
        return CheckRule(severity=self.severity, threshold=self.threshold)


class Weights(Decided):
    """What each quality dimension counts for in a score, from a day on; they sum to 1."""

    shares: Mapping[QualityDimension, float]

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: Mapping[QualityDimension, float]) -> Mapping[QualityDimension, float]:
        if abs(sum(shares.values()) - 1) > _TOLERANCE or min(shares.values()) < 0:
            raise ValueError(
                f"the shares sum to {sum(shares.values()):g}, expected 1, none below 0"
            )
        return shares


class Waiver(Decided):
    """A check that is set aside for a while: its rows pass, are counted, and stay in the score.

    ``scope`` names the rows by one of their columns; None: all rows of the entry. ``until`` is the
    last day on which the waiver holds.
    """

    id: Name
    check: Name
    scope: Scope | None = None
    until: date

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.until < self.since:
            raise ValueError(f"until {self.until} is before since {self.since}")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether the waiver is in force on a day."""
        return self.since <= day <= self.until


class Addition(Model):
    """A check written by hand; it exists from the day of its first rule on.

    ``args`` are those of the kind: see the reference page of the expectations.
    """

    id: Name
    kind: CheckKind
    columns: tuple[Identifier, ...] = Field(min_length=1)
    args: Mapping[str, Any] = Field(default_factory=dict)
    text_zh: Name
    text_en: Name


class Rulebook(Model):
    """All decisions about the checks of one entry."""

    entry: EntryId
    checks: tuple[Addition, ...] = ()
    rules: tuple[RuleVersion, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        _require_once("check", (check.id for check in self.checks))
        _require_once("waiver", (waiver.id for waiver in self.waivers))
        _require_once("rule", (f"{rule.check} since {rule.since}" for rule in self.rules))
        ruled = {rule.check for rule in self.rules}
        for check in self.checks:
            if check.id not in ruled:
                raise ValueError(f"the check {check.id} has no rule that says since when and why")
        return self

    def rules_on(self, day: date) -> dict[str, CheckRule]:
        """The rules in force on a day, by check."""
        return {check: version.rule for check, version in self.versions_on(day).items()}

    def versions_on(self, day: date) -> dict[str, RuleVersion]:
        """The same with author, reason and effective date."""
        return {
            check: found
            for check in dict.fromkeys(rule.check for rule in self.rules)
            if (found := _newest((r for r in self.rules if r.check == check), day))
        }

    def additions_on(self, day: date) -> tuple[Addition, ...]:
        """The hand-written checks in force on a day."""
        ruled = self.versions_on(day)
        return tuple(check for check in self.checks if check.id in ruled)

    def waivers_on(self, day: date) -> tuple[Waiver, ...]:
        """The waivers in force on a day."""
        return tuple(waiver for waiver in self.waivers if waiver.holds_on(day))


def rulebook(entry_id: str, folder: Path = SUITES) -> Rulebook:
    """The decisions about an entry; without a file there are none.

    Raises:
        RulebookFaulty: the file cannot be read or breaks a rule; every fault is named.
    """
    path = folder / f"{entry_id}.yaml"
    if not path.exists():
        return Rulebook(entry=entry_id)
    book = _read(path, Rulebook)
    if book.entry != entry_id:
        raise _faulty(path, f"the entry {book.entry}", f"the entry {entry_id}, as the file's name")
    return book


def rulebooks(folder: Path = SUITES) -> list[Rulebook]:
    """The decisions about every entry that has any, in the order of their ids.

    Raises:
        RulebookFaulty: as `rulebook`.
    """
    # An entry's id has a dot; the other files of the folder have none in their names.
    return [rulebook(path.stem, folder) for path in sorted(folder.glob("*.*.yaml"))]


def weights(day: date, folder: Path = SUITES) -> Weights:
    """What each dimension counts for on a day.

    Raises:
        RulebookFaulty: the file is broken, or no version holds on that day yet.
    """
    path = folder / WEIGHTS_FILE
    found = _newest(_read(path, _WeightsFile).weights, day)
    if found is None:
        raise _faulty(path, f"no weights that hold on {day}", "a version with an earlier `since`")
    return found


class _WeightsFile(Model):
    weights: tuple[Weights, ...] = Field(min_length=1)


_Read = TypeVar("_Read", bound=Model)
_Dated = TypeVar("_Dated", bound=Decided)


def _newest(versions: Iterable[_Dated], day: date) -> _Dated | None:
    return max((v for v in versions if v.since <= day), key=lambda v: v.since, default=None)


def _require_once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"the {what} {name} stands there twice")
        seen.add(name)


def _read(path: Path, kind: type[_Read]) -> _Read:
    try:
        stat = path.stat()
        return cast(_Read, _parsed(path, kind, stat.st_ino, stat.st_mtime_ns, stat.st_size))
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        found = "; ".join(faults)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found = " ".join(str(error).split())
    raise _faulty(path, found, "decisions with since, author and reason")


@lru_cache(maxsize=256)
def _parsed(path: Path, kind: type[Model], *_stamp: int) -> Model:
    # Every run and every page of figures asks; the files change a few times a year.
    return kind.model_validate(yaml.safe_load(path.read_text("utf-8")))


def _faulty(path: Path, found: str, expected: str) -> RulebookFaulty:
    return RulebookFaulty(
        f"expectations/suites/{path.name}",
        found=found,
        expected=expected,
        remedy="correct the file; docs/reference/expectations.md lists kinds and arguments",
    )
