"""A draft as the entry it would become: every fault of it in one go, before anybody reviews it.

A draft's content lacks what the process fills in (version, date of publication, confidentiality
review). The candidate has it, so that the same checks run on drafts and on files.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalog.check import findings
from catalog.compilation import CompilationRuleset, check_rules, in_force, load_rulesets
from catalog.diff import MANAGED
from catalog.faults import CatalogFaults, Fault, Finding, KeyPath, in_order
from catalog.kinds import Kind
from catalog.load import load_registers
from catalog.mending import mend
from catalog.model import Catalog, CatalogEntry
from catalog.positions import Positions
from catalog.vocabulary import Sensitivity
from catalog.wording import finding_of
from yishu.clocks.working_days import BEIJING

_PERSONAL = {Sensitivity.PERSONAL.value, Sensitivity.SENSITIVE_PERSONAL.value}
_UNKNOWN_REVIEW = {"verdict": "may_be_shared", "basis": "待审查"}
_ANY_DAY = date(2000, 1, 1)
ANY_REVIEW = {"reviewer_org": "x", "reviewed_on": "2000-01-01", **_UNKNOWN_REVIEW}
"""A review in due form, for contents that are looked at before anybody could review them."""


@dataclass(frozen=True)
class Rules:
    """What entries are compiled against: registers without entries, and the rules in force."""

    registers: Catalog
    ruleset: CompilationRuleset


def load_rules(root: Path, on: date) -> Rules:
    """The rules of a catalog folder on a day.

    Raises:
        CatalogFaults: a register is faulty.
        RulesetUnreadable: a version of the compilation rules is faulty.
    """
    registers, faults = load_registers(root)
    if faults:
        raise CatalogFaults.of(str(root), faults)
    return Rules(registers, in_force(load_rulesets(root), on))


def day_of(at: datetime) -> date:
    """The day in the city of a moment."""
    return at.astimezone(BEIJING).date()


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content as the ledger keeps it: JSON, without what the process fills in.

    A sound content is kept in one form, without values that are the default anyway, so that writing
    a default out is no change.
    """
    kept = {key: value for key, value in content.items() if key not in MANAGED}
    stored: dict[str, Any] = json.loads(json.dumps(kept, ensure_ascii=False, default=str))
    try:
        entry = CatalogEntry.model_validate(completed(stored, 1, _ANY_DAY, ANY_REVIEW))
    except ValidationError:
        return stored
    dumped = entry.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {key: value for key, value in dumped.items() if key not in MANAGED}


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of a content, in hex: an assessment of another content does not count."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def holds_personal_information(content: Mapping[str, Any]) -> bool:
    """Whether a data item is personal, so that an impact assessment is due (Decree 809 Art.13)."""
    items = content.get("items")
    return isinstance(items, list) and any(
        isinstance(item, Mapping) and item.get("sensitivity") in _PERSONAL for item in items
    )


def completed(
    content: Mapping[str, Any], version: int, on: date, review: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The content with what the process fills in.

    ``review`` holds ``reviewer_org``, ``reviewed_on``, ``verdict`` and ``basis``; None: none yet.
    """
    filled = review or {"reviewer_org": "", "reviewed_on": on.isoformat(), **_UNKNOWN_REVIEW}
    return {
        **content,
        "version": version,
        "published_on": on.isoformat(),
        "confidentiality_review": dict(filled),
    }


def faults_of(entry_id: str, candidate: Mapping[str, Any], rules: Rules) -> list[Fault]:
    """Every fault of a candidate: of form, between it and the registers, of the compilation rules.

    A review that is missing is not among them; `yishu.governance.assessment` tells that.
    """
    return faults_of_all({entry_id: candidate}, rules)[entry_id]


def faults_of_all(
    candidates: Mapping[str, Mapping[str, Any]], rules: Rules
) -> dict[str, list[Fault]]:
    """The faults of many candidates by id, those between them included, in one pass."""
    read = {id_: _read(id_, dict(one)) for id_, one in candidates.items()}
    entries = {id_: one.entry for id_, one in read.items() if one.entry is not None}
    between = _between(rules.registers.model_copy(update={"entries": entries}))
    positions = Positions(mended={(Kind.ENTRY, id_): one.mended for id_, one in read.items()})
    found = {}
    for id_, one in read.items():
        own = [*one.found, *check_rules(id_, candidates[id_], rules.ruleset)]
        placed = positions.locate(between.get(id_, []))
        found[id_] = in_order([*placed, *(each.at("", 0) for each in own)])
    return found


def _between(catalog: Catalog) -> Mapping[str, list[Finding]]:
    """What the rules find in a catalog of candidates, by each entry that it concerns."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for one in findings(catalog):
        for entry_id in _concerned(one) & catalog.entries.keys():
            found[entry_id].append(one)
    return found


@dataclass(frozen=True)
class _Read:
    """An entry, with placeholders where its faults are; ``entry`` None: it cannot be mended."""

    entry: CatalogEntry | None
    mended: tuple[KeyPath, ...]
    found: list[Finding]


def _read(entry_id: str, candidate: dict[str, Any]) -> _Read:
    try:
        return _Read(CatalogEntry.model_validate(candidate), (), [])
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=True)
    found = [finding_of(Kind.ENTRY, entry_id, CatalogEntry, dict(one)) for one in problems]
    unknown = [one.path for one in found if one.code == "CAT_KEY_UNKNOWN"]
    bad = [one.path for one in found if one.code != "CAT_KEY_UNKNOWN"]
    entry, filled = mend(CatalogEntry, candidate, unknown=unknown, bad=bad)
    own = [one for one in found if one.path[:1] != ("confidentiality_review",)]
    return _Read(entry, (*filled, *_PROCESS), own)


_PROCESS: tuple[KeyPath, ...] = (("confidentiality_review",),)


def _concerned(finding: Finding) -> set[str]:
    """The entries that a finding is about, or whose content it rests on."""
    if finding.path[:1] == ("confidentiality_review",):
        return set()
    known = [(finding.kind, finding.id)]
    if finding.other is not None:
        known.append(finding.other[:2])
    return {id_ for kind, id_ in known if kind is Kind.ENTRY}


def remarks_of(faults: list[Fault]) -> Iterator[dict[str, str]]:
    """Faults as remarks of a version: where, and what to do."""
    for fault in faults:
        text = f"{fault.code}: {fault.found}; expected {fault.expected}. {fault.remedy}"
        yield {"path": fault.obj.partition(" ")[2], "text": text}
