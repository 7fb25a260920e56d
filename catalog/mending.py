"""A faulty object with placeholders where its faults are, so that the rest can be checked too.

Without it one misspelt key would hide every other fault of its file until the next run.
"""

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from catalog.faults import KeyPath
from catalog.model import (
    CatalogEntry,
    CodeList,
    DataElement,
    Department,
    Model,
    RuleProfile,
    Subject,
    System,
)

M = TypeVar("M", bound=Model)

_ITEM: dict[str, Any] = {"name": "x", "field": "x", "type": "string", "sensitivity": "none"}

_PLACEHOLDERS: dict[type[Model], dict[str, Any]] = {
    CatalogEntry: {
        "id": "x.x",
        "version": 1,
        "resource_code": "100000/1",
        "name": "x",
        "summary": "x",
        "category_path": ["x", "x"],
        "data_kind": "service_item",
        "provider_org": "x",
        "data_source": "x",
        "format": {"format_class": "x", "format_type": "x"},
        "items": [_ITEM],
        "key": ["x"],
        "share": {"type": "conditional", "condition": "x", "modes": ["api"]},
        "open": {"type": "not_open"},
        "update_cycle": "on_demand",
        "published_on": "2000-01-01",
        "data_grade": "general_1",
        "secrecy": "none",
        "use_condition": "x",
        "source": {"connection": "x", "kind": "sql", "table": "x"},
        "confidentiality_review": {
            "reviewer_org": "x",
            "reviewed_on": "2000-01-01",
            "verdict": "may_be_shared",
            "basis": "x",
        },
    },
    DataElement: {
        "id": "x.x",
        "name": "x",
        "type": "string",
        "meaning": "x",
        "sensitivity": "none",
        "sources": [{"entry": "x.x"}],
    },
    Department: {
        "id": "x",
        "name": "x",
        "uscc": "x",
        "org_kind": "organ",
        "region_code": "x",
        "contact": "x",
    },
    CodeList: {"id": "x", "name": "x", "standard": "x", "codes": {}},
    Subject: {
        "id": "x",
        "name": "x",
        "family": "service_item",
        "meaning": "x",
        "key": ["x"],
        "columns": [{"field": "x", "element": "x.x"}],
    },
    RuleProfile: {
        "id": "x",
        "name": "x",
        "reply_by": "provider_org",
        "onward_transfer": "forbidden",
        "promises": {},
    },
    System: {"id": "x", "name": "x", "department": "x"},
}


_RESTING_ON_ITEMS: set[KeyPath] = {("key",), ("quality",)}
"""What speaks of items by name says nothing while a name is a placeholder."""


def mend(
    model: type[M], data: dict[str, Any], *, unknown: Iterable[KeyPath], bad: Iterable[KeyPath]
) -> tuple[M | None, tuple[KeyPath, ...]]:
    """The object without its unknown keys and with placeholders where values are bad.

    Returns:
        The object and the paths that were filled; None and no paths when it is beyond mending.
    """
    mended = copy.deepcopy(data)
    for path in unknown:
        _drop(mended, path)
    filled = {_fill(model, mended, path) for path in bad if path}
    if any(path[0] == "items" and path[2:] in ((), ("field",)) for path in filled):
        filled |= _RESTING_ON_ITEMS
    try:
        return model.model_validate(mended), tuple(filled)
    except ValidationError:
        return None, ()


def _drop(data: Any, path: KeyPath) -> None:
    *parents, key = path
    for step in parents:
        data = data[step]
    del data[key]


def _fill(model: type[Model], data: dict[str, Any], path: KeyPath) -> KeyPath:
    """Put a placeholder for the top-level value of the path, or for the value of one item."""
    if model is CatalogEntry and path[0] == "items" and len(path) > 1:
        items, position = data["items"], path[1]
        if len(path) > 2 and isinstance(items[position], dict):  # noqa: PLR2004 - items, 0, key
            _replace(items[position], path[2], _ITEM)
            return path[:3]
        items[position] = copy.deepcopy(_ITEM)
        return path[:2]
    _replace(data, path[0], _PLACEHOLDERS[model])
    return path[:1]


def _replace(data: dict[str, Any], key: Any, placeholders: dict[str, Any]) -> None:
    if key in placeholders:
        data[key] = copy.deepcopy(placeholders[key])
    else:
        data.pop(key, None)
