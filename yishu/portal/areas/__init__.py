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
    journal,
    lineage,
    objections,
    quality,
    quality_rows,
    register,
    reviewing,
    rules,
    share_changes,
    sharing,
    sign_in,
    supervision,
    trace,
    waivers,
)

AREAS: tuple[ModuleType, ...] = (
    sign_in,
    home,
    catalog,
    compiling,
    register,
    lineage,
    trace,
    reviewing,
    clocks,
    supervision,
    exchange,
    quality,
    quality_rows,
    objections,
    journal,
    administration,
    rules,
    waivers,
    demands,
    share_changes,
    sharing,
    account,
    api,
    api_office,
)
