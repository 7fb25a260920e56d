"""The Chinese of errors and findings, for pages and workbooks.

Where an error is raised it speaks English, and so do logs, terminals and records of runs. People
on pages read Chinese: ``<area>.yaml`` maps each sentence, with ``{}`` for every value put into it,
to its Chinese, where ``{0}``, ``{1}`` … are the values in the order of the English and
``{0:label}`` the Chinese label of a value such as ``sensitive_personal``. A sentence is found
again by its fixed words, so that also one which comes from a record can be translated.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import yaml

from catalog.vocabulary import Labelled

GAP = "{}"
LONGEST = 2_000
"""Characters of a sentence; finding its gaps takes longer than its length grows."""

_CHINESE = re.compile("[\u4e00-\u9fff]")
_SEVERAL = re.compile(", | or | and ")
_WORD = re.compile("[A-Za-z]{2,}")
_FOLDER = Path(__file__).parent


@cache
def known() -> Mapping[str, str]:
    """English sentence with gaps -> its Chinese, of all areas."""
    return {text: zh for area in areas().values() for text, zh in area.items()}


def areas() -> Mapping[str, Mapping[str, str]]:
    """The same by area; ``pydantic`` holds what no code of ours says as a whole."""
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in _FOLDER.glob("*.yaml")}


class _Value(str):
    """What stands in a gap: a sentence of its own, or as ``{0:label}`` values of a closed set."""

    __slots__ = ()

    def __format__(self, how: str) -> str:
        if how != "label":
            return _translated(str(self))
        return "、".join(labels().get(value, value) for value in _SEVERAL.split(self))


def labels() -> Mapping[str, str]:
    """Value -> its Chinese label, of all closed sets that are loaded and mean the same by it."""
    found: dict[str, set[str]] = {}
    kinds = Labelled.__subclasses__()
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        for one in kind:
            found.setdefault(str(one), set()).add(one.label_zh)
    return {value: texts.pop() for value, texts in found.items() if len(texts) == 1}


@lru_cache(4096)
def chinese(text: str) -> str:
    """A sentence of an error in Chinese; as it is if it has none.

    Of several that fit, the one with the most fixed words is meant. Values of closed sets alone,
    e.g. roles, are told by their labels.
    """
    values = _SEVERAL.split(text)
    # Values are single words, and hardly a sentence is one.
    if not any(" " in value for value in values) and labels().keys() >= set(values):
        return f"{_Value(text):label}"
    return _translated(text)


def _translated(text: str) -> str:
    if text in known():
        return known()[text]
    if len(text) > LONGEST:
        return text
    for pattern, translation in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return translation.format(*map(_Value, found.groups()))
    return text


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese in it."""
    return bool(_CHINESE.search(text))


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    with_gaps = [text for text in known() if GAP in text]
    with_gaps.sort(key=lambda text: len(text) - len(GAP) * text.count(GAP), reverse=True)
    return tuple((_pattern(text), known()[text]) for text in with_gaps)


def _pattern(text: str) -> re.Pattern[str]:
    # Few fixed words fit much that was not meant, unless the gap is one word too.
    gap = r"(.+?)" if len(_WORD.findall(text)) > 1 else r"(\S+?)"
    return re.compile(gap.join(map(re.escape, text.split(GAP))), re.DOTALL)
