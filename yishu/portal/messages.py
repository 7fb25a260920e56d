"""What pages say, in two languages: Chinese is written in templates and code, English is looked up.

``messages/<area>.yaml`` maps each Chinese text to its English. A text without English is shown in
Chinese; a test lists those.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

from catalog.vocabulary import Labelled

FOLDER = Path(__file__).parent / "messages"
_TEXTS = Path(__file__).parent / "problems.yaml"


class Language(StrEnum):
    """Languages of the pages."""

    CHINESE = "zh"
    ENGLISH = "en"


@cache
def english() -> Mapping[str, str]:
    """Chinese text -> English text, of all areas."""
    texts: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        texts |= yaml.safe_load(path.read_text("utf-8")) or {}
    return texts


def speaker(language: Language) -> Callable[[str], str]:
    """What turns a Chinese text into the text of a language."""
    if language is Language.CHINESE:
        return lambda text: text
    return lambda text: english().get(text, text)


def label(value: object, language: Language) -> str:
    """A value of a closed set as people read it: its Chinese label, or its English words."""
    if language is Language.CHINESE and isinstance(value, Labelled):
        return value.label_zh
    return str(value).replace("_", " ")


@cache
def _texts() -> Mapping[str, dict[str, str]]:
    return yaml.safe_load(_TEXTS.read_text("utf-8"))  # type: ignore[no-any-return]


def words_of(code: str, status: int) -> Mapping[str, str]:
    """What a code means, ``zh`` and ``en``, and what to ``do``; else that of the status."""
    texts = _texts()
    of_status = texts.get(str(status)) or texts["500"]
    return of_status | texts.get(code, {})


def code_text(code: str, language: Language) -> str:
    """What the code of a fault means; the code itself when nobody wrote that down."""
    words = _texts().get(code)
    return words["zh" if language is Language.CHINESE else "en"] if words else code
