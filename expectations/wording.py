"""The dictionary of vague wording and catch-all clauses (模糊语言、兜底条款, S002 二(一)1(2))."""

from functools import cache

import yaml
from pydantic import Field

from catalog.base import Model, Name
from expectations.rulebook import SUITES

DICTIONARY = SUITES / "vague_wording.yaml"


class VagueWord(Model):
    """A wording that leaves open what is asked for.

    ``pattern`` is a regular expression (RE2 syntax); ``instead`` says how to write it.
    """

    pattern: Name
    meaning: Name
    instead: Name


class _Dictionary(Model):
    words: tuple[VagueWord, ...] = Field(min_length=1)


@cache
def dictionary() -> tuple[VagueWord, ...]:
    """All vague words, in the order of the file."""
    return _Dictionary.model_validate(yaml.safe_load(DICTIONARY.read_text("utf-8"))).words


def vague_words() -> list[str]:
    """Their patterns alone."""
    return [word.pattern for word in dictionary()]
