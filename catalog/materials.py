"""Which data elements the materials of a service item need: the measure of minimum necessity.

A material of a service item (S004 Art.7) that shared data can stand in for names the data elements
it carries. A request for that item gets no more than these, unless it says what else is for what
(最小够用, S004 Art.18).
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import yaml

from catalog.base import ElementId, Model, Name

_BASIC = slice(19, 31)
"""Where the basic code stands in an implementation or handling code (18 + 1 + 12 digits)."""


class Material(Model):
    """A material of a service item and the data elements that it carries."""

    name: Name
    elements: tuple[ElementId, ...]


class ItemMaterials(Model):
    """The materials of one service item, by its basic code (GB/T 39554)."""

    basic_code: Name
    materials: tuple[Material, ...]


def load_materials(path: Path) -> dict[str, ItemMaterials]:
    """Materials by basic code, from ``service_materials.yaml``; none when there is no such file."""
    if not path.exists():
        return {}
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _loaded(path: Path, _changed: int) -> dict[str, ItemMaterials]:
    # Every page of a request asks.
    listed = yaml.safe_load(path.read_text("utf-8"))["service_materials"]
    items = [ItemMaterials.model_validate(one) for one in listed]
    return {one.basic_code: one for one in items}


def needed(materials: dict[str, ItemMaterials], items: Iterable[str]) -> frozenset[str] | None:
    """The elements that materials of these items carry; None when no item's materials are known.

    Items may be named by basic, implementation or handling code.
    """
    basic = {item[_BASIC] if len(item) > _BASIC.stop - 1 else item for item in items}
    known = [one for code, one in materials.items() if code in basic]
    if not known:
        return None
    return frozenset(e for one in known for material in one.materials for e in material.elements)
