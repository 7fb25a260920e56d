"""The areas of the portal: each a module with a ``router``, and ``LINKS`` for the navigation.

An area is added by its line in ``AREAS``; see ``docs/explanation/portal.md``.
"""

from types import ModuleType

from yishu.portal.areas import (
    account,
    administration,
    api,
    api_office,
    catalog,
    clocks,
    compiling,
    demands,
    exchange,
    home,
    item_lists,
    items,
    journal,
    lineage,
    objections,
    protection,
    quality,
    quality_rows,
    rates,
    register,
    reviewing,
    rules,
    share_changes,
    sharing,
    sign_in,
    supervision,
)

AREAS: tuple[ModuleType, ...] = (
    sign_in,
    home,
    catalog,
    compiling,
    register,
    items,
    item_lists,
    lineage,
    reviewing,
    clocks,
    supervision,
    exchange,
    quality,
    quality_rows,
    rates,
    objections,
    journal,
    administration,
    protection,
    rules,
    demands,
    share_changes,
    sharing,
    account,
    api,
    api_office,
)
