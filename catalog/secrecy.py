"""The mark by which a state secret is known; what carries it stays out (S004 Art.2)."""

import re
from collections.abc import Iterator
from typing import Any

MARK_PATTERN = r"(绝密|机密|秘密)[ \t　]*★"
"""Degree and star, as the rules on marking state secrets prescribe; valid for ``re`` and RE2."""

_MARK = re.compile(MARK_PATTERN)

Path = tuple[str | int, ...]


def marks(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every mark in the texts of a nested record of mappings, lists and plain values.

    Yields:
        The path to the text, and the mark itself.
    """
    if isinstance(value, str):
        if found := _MARK.search(value):
            yield path, found.group()
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from marks(part, (*path, key))
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from marks(part, (*path, i))
