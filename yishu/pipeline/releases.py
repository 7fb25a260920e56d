"""Let readers see subjects that must move together at the same moment: library releases."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from catalog.model import Subject
from yishu.library import subject_table
from yishu.library.errors import SubjectGateClosed, SubjectNotReady
from yishu.library.links import check_links
from yishu.library.place import newest_version
from yishu.library.release import publish_release
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.run import run_subject


def run_release(subject_ids: Sequence[str], run_id: str, ctx: PipelineContext) -> dict[str, Any]:
    """Build these subjects and release the versions that came of it.

    Killed anywhere and started again, the same run builds from the same versions and makes the same
    release. If one subject fails nothing is released: readers by release see none of it.

    Raises:
        SubjectUnknown: the catalog release has no such subject.
        SubjectGateClosed: links between the subjects lead nowhere more often than allowed.
    """
    versions = {
        subject_table(one): int(run_subject(one, run_id, ctx, is_due=True)["version"])
        for one in subject_ids
    }
    return _release(versions, run_id, ctx)


def release_library(run_id: str, ctx: PipelineContext) -> dict[str, Any]:
    """Release the newest version of every subject as it stands; nothing is built.

    Raises:
        SubjectNotReady: no subject was published yet.
        SubjectGateClosed: links between the subjects lead nowhere more often than allowed.
    """
    tables = map(subject_table, ctx.release.subjects)
    newest = {one: newest_version(ctx.settings.library_dir, one) for one in tables}
    versions = {table: version for table, version in newest.items() if version is not None}
    if not versions:
        raise SubjectNotReady(
            "library release",
            found="no published subject",
            expected="at least one",
            remedy="wait for the first subject to be built; `yishu runs` shows how far it is",
        )
    return _release(versions, run_id, ctx)


def _release(versions: Mapping[str, int], run_id: str, ctx: PipelineContext) -> dict[str, Any]:
    for subject in ctx.release.subjects.values():
        if subject_table(subject.id) in versions:
            _require_links(subject, versions, ctx)
    library = ctx.settings.library_dir
    return asdict(publish_release(library, versions, run_id=run_id, released_at=ctx.clock()))


def _require_links(subject: Subject, versions: Mapping[str, int], ctx: PipelineContext) -> None:
    allowed = {link.name: link.max_dangling_share for link in subject.links}
    for found in check_links(ctx.settings.library_dir, subject, ctx.release, versions):
        points = found.linked + found.dangling
        if found.dangling > allowed[found.link] * points:
            raise SubjectGateClosed(
                subject_table(subject.id),
                found=f"{found.dangling} of {points} rows whose {found.link} is not in "
                f"{found.target}",
                expected=f"at most {allowed[found.link]:.1%}",
                remedy=f"see `yishu library links {subject.id}`; nothing was released",
            )
