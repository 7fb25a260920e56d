"""The page of the expectation classes, from their docstrings and fields."""

import inspect
from collections.abc import Iterator
from typing import Any

from expectations.fields import OWN
from expectations.kinds import DIMENSIONS, CheckKind
from expectations.plan import OWN_RULES
from expectations.rulebook import CheckRule
from expectations.suite import COLUMN_CLASSES, DELIVERY_CLASSES, FORMAT_CLASSES, ROW_CLASSES

INTRODUCTION = """
# Expectations of the field

Great Expectations classes of our own, in `expectations/fields/`. A plan is made from the catalog
entry (`yishu quality plan ENTRY`), so nobody has to write these by hand; `expectations/suites/`
takes what a bureau adds. A suite (`yishu quality suite ENTRY --out FILE`) loads in plain Great
Expectations after `import expectations.fields`. Results hold counts, never values. Another engine
is added at the metric classes: see `expectations/fields/base.py`.
"""

KINDS = """
## Kinds of checks

The `kind` of a check in `expectations/suites/<entry>.yaml`, its class, and what it is where nobody
decides otherwise. `args` are the arguments of the class.

| kind | class | dimension | severity | threshold |
|---|---|---|---|---|
"""

_SHARED = {"mostly", "column", "column_list", "ignore_row_if", "batch_id"}


def page() -> str:
    """The whole page below the mark of a generated file."""
    return "".join([INTRODUCTION, KINDS, *_kinds(), "\n## Classes\n", *_classes()])


def _kinds() -> Iterator[str]:
    for kind in CheckKind:
        rule = OWN_RULES.get(kind, CheckRule())
        threshold = "that of the entry" if rule.threshold is None else f"{rule.threshold:g}"
        classes = ", ".join(f"`{name}`" for name in _classes_of(kind))
        dimension = DIMENSIONS[kind]
        yield (
            f"| `{kind.value}` | {classes} | {dimension.label_zh} `{dimension.value}` | "
            f"`{rule.severity.value}` | {threshold} |\n"
        )


def _classes_of(kind: CheckKind) -> list[str]:
    if kind is CheckKind.FORMAT:
        return list(FORMAT_CLASSES.values())
    if kind is CheckKind.UNIQUE:
        return ["ExpectColumnKeyToBeUnique", "ExpectCompoundKeyToBeUnique"]
    tables = (COLUMN_CLASSES, ROW_CLASSES, DELIVERY_CLASSES)
    return [table[kind] for table in tables if kind in table]


def _classes() -> Iterator[str]:
    for name, kind in OWN.items():
        prose = inspect.cleandoc(kind.__doc__ or "").replace("``", "`")
        yield f"\n### {name}\n\n{prose}\n"
        arguments = [*_arguments(kind)]
        if arguments:
            yield "\n| argument | if left out |\n|---|---|\n"
            yield from arguments


def _arguments(kind: Any) -> Iterator[str]:
    for name in kind.success_keys:
        field = kind.__fields__[name]
        is_of_another_format = "format" in kind.__fields__ and name not in (kind.__doc__ or "")
        if name in _SHARED or is_of_another_format:
            continue
        default = "**must be there**" if field.required else f"`{_plain(field)}`"
        yield f"| `{name}` | {default} |\n"


def _plain(field: Any) -> str:
    made = field.default_factory is not None
    return "the dictionary" if made else str(field.default)
