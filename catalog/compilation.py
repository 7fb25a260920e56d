"""Compilation rules: what the data authority asks of entries, as versioned files (S004 Art.14).

``compilation_rules/v<n>.yaml`` holds one version; files are added and never changed, so that the
version an entry was checked against can still be read. A rule states one thing about the values
at one path; the check is pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from catalog.base import Identifier, Model, Name
from catalog.errors import CatalogError
from catalog.faults import Finding, KeyPath
from catalog.kinds import Kind
from catalog.wording import shown

FOLDER = "compilation_rules"

_EVERY = "[]"


class RulesetUnreadable(CatalogError):
    """A version of the compilation rules is missing or faulty."""

    code = "CAT_RULESET_UNREADABLE"


class CompilationRule(Model):
    """One demand on the values at a path; exactly one of the conditions is given.

    ``is_required``: there is a value. The others say something about values that are there.
    """

    id: Identifier
    text_zh: Name
    path: str
    is_required: bool | None = None
    minimum_length: int | None = Field(default=None, ge=1)
    maximum_length: int | None = Field(default=None, ge=1)
    pattern: str | None = None
    forbidden_words: tuple[str, ...] | None = None
    forbidden_values: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _states_one_thing(self) -> Self:
        conditions = self.model_dump(exclude={"id", "text_zh", "path"}, exclude_none=True)
        if len(conditions) != 1:
            raise ValueError("exactly one condition")
        if self.pattern is not None:
            re.compile(self.pattern)
        return self

    def holds(self, value: Any) -> bool:
        """Whether a value, None where there is none, satisfies the rule."""
        if self.is_required:
            return value not in (None, "", [], {})
        if value is None:
            return True
        text = str(value)
        return (
            len(text) >= (self.minimum_length or 0)
            and (self.maximum_length is None or len(text) <= self.maximum_length)
            and (self.pattern is None or re.search(self.pattern, text) is not None)
            and not any(word in text for word in self.forbidden_words or ())
            and text.strip() not in (self.forbidden_values or ())
        )


class CompilationRuleset(Model):
    """One version of the compilation rules, in force from a day."""

    version: int = Field(ge=1)
    effective_on: date
    issued_by: Identifier
    basis: Name
    rules: tuple[CompilationRule, ...] = Field(min_length=1)


def load_rulesets(root: Path) -> tuple[CompilationRuleset, ...]:
    """All versions of the rules below the catalog's root, oldest first.

    Raises:
        RulesetUnreadable: a file is faulty, named after another version, or there is none.
    """
    found = [_read(path) for path in (root / FOLDER).glob("v*.yaml")]
    if not found:
        raise _unreadable(root / FOLDER, "no version of the rules")
    return tuple(sorted(found, key=lambda ruleset: ruleset.version))


def in_force(rulesets: Sequence[CompilationRuleset], on: date) -> CompilationRuleset:
    """The newest version that is in force on a day; before the first one, the first."""
    effective = [ruleset for ruleset in rulesets if ruleset.effective_on <= on]
    return (effective or rulesets[:1])[-1]


def check_rules(
    entry_id: str, content: Mapping[str, Any], ruleset: CompilationRuleset
) -> Iterator[Finding]:
    """Where an entry's content breaks the rules."""
    for rule in ruleset.rules:
        for path, value in _values(content, rule.path.split(".")):
            if not rule.holds(value):
                yield Finding(
                    Kind.ENTRY,
                    entry_id,
                    path,
                    "CAT_RULE_BROKEN",
                    found=shown(value) if value is not None else "nothing",
                    expected=f"{rule.text_zh} ({rule.id}, version {ruleset.version})",
                    remedy="change the value as the rule says",
                )


def _values(value: Any, steps: Sequence[str], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value at a path such as ``items[].name``; None where a key is missing."""
    if not steps:
        yield path, value
        return
    key, rest = steps[0].removesuffix(_EVERY), steps[1:]
    inner = value.get(key) if isinstance(value, Mapping) else None
    if not steps[0].endswith(_EVERY):
        yield from _values(inner, rest, (*path, key))
        return
    for i, one in enumerate(inner if isinstance(inner, Sequence) else ()):
        yield from _values(one, rest, (*path, key, i))


def _read(path: Path) -> CompilationRuleset:
    try:
        ruleset = CompilationRuleset.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise _unreadable(path, str(error).splitlines()[0]) from error
    if path.stem != f"v{ruleset.version}":
        raise _unreadable(path, f"version {ruleset.version} under another name")
    return ruleset


def _unreadable(path: Path, found: str) -> RulesetUnreadable:
    return RulesetUnreadable(
        str(path),
        found=found,
        expected="files v1.yaml, v2.yaml, … with version, effective_on, issued_by, basis and rules",
        remedy="mend the file, or take it back from version control",
    )
