"""pydantic's errors in the words of the catalog: what is missing and which text demands it."""

import difflib
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from catalog.faults import Finding, KeyPath
from catalog.kinds import Kind
from catalog.origins import ORIGINS

Problem = Mapping[str, Any]
"""One error of pydantic's: type, loc, input, msg, ctx."""

_LONGEST_SHOWN = 60
_EMPTY: tuple[Any, ...] = (None, "", [], {})

_SECRECY_EXPECTED = "`none`: state and work secrets are out of scope (S004 Art.2, Decree 809 Art.3)"
_SECRECY_REMEDY = "keep secret data out of this system; if the data are not secret, write `none`"


def finding_of(kind: Kind, id_: str, model: type[BaseModel], error: Problem) -> Finding:
    """The finding that one pydantic error means."""
    path: KeyPath = tuple(step for step in error["loc"] if step != "[key]")
    value = error["input"]
    key = ".".join(str(step) for step in path)
    if error["type"] == "extra_forbidden":
        return _unknown(kind, id_, path, model)
    if error["type"] == "missing" or value in _EMPTY:
        return _missing(kind, id_, path, "nothing" if error["type"] == "missing" else "no value")
    if kind is Kind.ENTRY and key == "secrecy":
        return secret(id_, path, f"`{value}`")
    allowed = _members(error)
    if kind is Kind.ENTRY and key == "update_cycle":
        return Finding(
            kind,
            id_,
            path,
            "CAT_CYCLE_UNSCHEDULABLE",
            found=f"`{value}`, for which there is no schedule",
            expected=allowed,
            remedy="choose the cycle in which the source system really changes",
        )
    return _invalid(kind, id_, path, error, allowed)


def secret(id_: str, path: KeyPath, found: str) -> Finding:
    """The finding that refuses an entry because of its secrecy."""
    return Finding(
        Kind.ENTRY,
        id_,
        path,
        "CAT_SECRET",
        found=found,
        expected=_SECRECY_EXPECTED,
        remedy=_SECRECY_REMEDY,
    )


def shown(value: object) -> str:
    """A value of a catalog file, short enough for one line."""
    text = str(value)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
    return f"`{text}`"


def _missing(kind: Kind, id_: str, path: KeyPath, found: str) -> Finding:
    key = ".".join(str(step) for step in path)
    origin = ORIGINS.get(key) if kind is Kind.ENTRY else None
    return Finding(
        kind,
        id_,
        path,
        "CAT_ELEMENT_MISSING" if origin else "CAT_VALUE_MISSING",
        found=found,
        expected=f"the element `{key}` ({origin})"
        if origin
        else f"a value for `{path[-1]}`"
        if path
        else "keys with values",
        remedy=f"add `{path[-1]}: …` and fill it in" if path else "fill it in",
    )


def _unknown(kind: Kind, id_: str, path: KeyPath, model: type[BaseModel]) -> Finding:
    owner = _model_at(model, path[:-1])
    known = sorted(owner.model_fields) if owner else []
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    remedy = f"write `{close[0]}` if that is meant, else remove it" if close else "remove it"
    if kind is Kind.ENTRY:
        remedy += "; what the department adds of its own goes under `extensions`"
    return Finding(
        kind,
        id_,
        path,
        "CAT_KEY_UNKNOWN",
        found=f"the key `{path[-1]}`",
        expected=f"a key among {', '.join(known)}",
        remedy=remedy,
    )


def _invalid(kind: Kind, id_: str, path: KeyPath, error: Problem, allowed: str) -> Finding:
    value = error["input"]
    is_unquoted = error["type"] == "string_type" and not isinstance(value, list | dict)
    return Finding(
        kind,
        id_,
        path,
        "CAT_VALUE_INVALID",
        found=f"{shown(value)}, which YAML reads as {type(value).__name__}"
        if is_unquoted
        else shown(value),
        expected="text" if is_unquoted else allowed or _sentence(error["msg"]),
        remedy=f'put it in quotes: "{value}"' if is_unquoted else "correct the value",
    )


def _members(error: Problem) -> str:
    """What a closed set allows; empty for other errors."""
    expected = error.get("ctx", {}).get("expected", "")
    return (
        f"one of {expected.replace(chr(39), '')}"
        if error["type"].endswith("enum") or (error["type"] == "literal_error")
        else ""
    )


def _sentence(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("Value error, ")


def _model_at(model: Any, path: KeyPath) -> type[BaseModel] | None:
    """The model of the value at a path, through lists, mappings and optional values."""
    for step in path:
        model = _inner(model)
        if isinstance(model, type) and issubclass(model, BaseModel):
            info = model.model_fields.get(str(step))
            model = info.annotation if info else None
        elif get_origin(model) is tuple:
            model = get_args(model)[0]
        elif get_origin(model) is Mapping:
            model = get_args(model)[1]
    model = _inner(model)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """The type inside ``X | None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation
