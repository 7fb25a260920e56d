"""Which kinds of items a text is about: each picks six of the ten kinds of power.

The picks are code lists named after the profile, so that a bureau edits them like any other.
"""

from catalog.model import CatalogView


def picked_types(catalog: CatalogView, profile: str) -> frozenset[str]:
    """Codes of item types in scope under a profile, e.g. ``wuxi_2022``; public service is one.

    Raises:
        KeyError: no list of that profile.
    """
    return frozenset(catalog.code_lists[f"item_type_{profile}"].codes)
