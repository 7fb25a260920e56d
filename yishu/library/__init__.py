"""The library: the unified database and the subject library, as versioned Delta tables.

A table is ``unified/<department>.<entry>`` or ``subject/<subject>``. Every publication is one
atomic Delta commit that carries its run and its counts; every row names its department, entry,
run and landed row. Writers go through ``publish_snapshot``, readers through ``yishu.library.read``.
"""

from yishu.library.commit import Commit, commits, strays
from yishu.library.compare import Changes
from yishu.library.digest import content_digest
from yishu.library.errors import LibrarySuperseded, SubjectNotReady
from yishu.library.maintenance import Upkeep, maintain
from yishu.library.place import subject_table, unified_table
from yishu.library.publish import POSITION, publish_changes, publish_snapshot
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
