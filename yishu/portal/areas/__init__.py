"""The areas of the portal: each a module with a ``router``, and ``LINKS`` for the navigation.

An area is added by its line in ``AREAS``; see ``docs/explanation/portal.md``.
"""

from types import ModuleType

from yishu.portal.areas import (
    account,
    api,
    catalog,
    compiling,
    exchange,
    home,
    reviewing,
    sharing,
    sign_in,
)

AREAS: tuple[ModuleType, ...] = (
    sign_in,
    home,
    catalog,
    compiling,
    reviewing,
    exchange,
    sharing,
    account,
    api,
)
