"""Build subjects that must move together, and let readers see them together: a library release."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from catalog.model import Subject
from yishu.library import subject_table
from yishu.library.errors import SubjectGateClosed
from yishu.library.links import check_links
from yishu.library.release import LibraryRelease, publish_release
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
    for one in subject_ids:
        _require_links(ctx.release.subjects[one], ctx)
    release: LibraryRelease = publish_release(
        ctx.settings.library_dir, versions, run_id=run_id, released_at=ctx.clock()
    )
    return asdict(release)


def _require_links(subject: Subject, ctx: PipelineContext) -> None:
    allowed = {link.name: link.max_dangling_share for link in subject.links}
    for found in check_links(ctx.settings.library_dir, subject, ctx.release):
        points = found.linked + found.dangling
        if found.dangling > allowed[found.link] * points:
            raise SubjectGateClosed(
                subject_table(subject.id),
                found=f"{found.dangling} of {points} rows whose {found.link} is not in "
                f"{found.target}",
                expected=f"at most {allowed[found.link]:.1%}",
                remedy=f"see `yishu library links {subject.id}`; nothing was released",
            )
