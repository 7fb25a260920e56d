"""The library: the unified database and the subject library, as versioned Delta tables.

A table is ``unified/<department>.<entry>`` or ``subject/<subject>``. Every publication is one
atomic Delta commit that carries its run and its counts; every row names its department, entry,
run and landed row. Writers go through ``publish_snapshot``, readers through ``yishu.library.read``.

A part is loaded when it is asked for: a pull of changes asks how far the library is, and starts
sooner without the engine that compares and merges.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yishu.library.commit import POSITION, Commit, commits, strays
    from yishu.library.compare import Changes
    from yishu.library.digest import content_digest
    from yishu.library.errors import LibrarySuperseded, SubjectNotReady
    from yishu.library.maintenance import Upkeep, maintain
    from yishu.library.place import subject_table, unified_table
    from yishu.library.publish import publish_changes, publish_snapshot
    from yishu.library.subject import SubjectCommit, build_subject
    from yishu.library.writing import Step

__all__ = [
    "POSITION",
    "Changes",
    "Commit",
    "LibrarySuperseded",
    "Step",
    "SubjectCommit",
    "SubjectNotReady",
    "Upkeep",
    "build_subject",
    "commits",
    "content_digest",
    "maintain",
    "publish_changes",
    "publish_snapshot",
    "strays",
    "subject_table",
    "unified_table",
]

_MODULES = {
    "POSITION": "commit",
    "Changes": "compare",
    "Commit": "commit",
    "LibrarySuperseded": "errors",
    "Step": "writing",
    "SubjectCommit": "subject",
    "SubjectNotReady": "errors",
    "Upkeep": "maintenance",
    "build_subject": "subject",
    "commits": "commit",
    "content_digest": "digest",
    "maintain": "maintenance",
    "publish_changes": "publish",
    "publish_snapshot": "publish",
    "strays": "commit",
    "subject_table": "place",
    "unified_table": "place",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
