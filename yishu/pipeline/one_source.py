"""What one source per datum shows up: differing copies, masked, ready to become objections."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.masks import mask
from catalog.model import CatalogView
from yishu.library.copies import CopyDifference
from yishu.library.subject import copy_differences
from yishu.pipeline.context import PipelineContext
from yishu.pipeline.peek import column_masks

RULE = "S004 第十五条：一数一源，以来源部门的数据为准"


@dataclass(frozen=True)
class SourceDifference:
    """A copy that says something else than the source, as it may be shown.

    Attributes:
        key: The row, masked as the subject's columns are.
        right: The entry that is right by ``rule``.
        source_org: Who answers for the source's value, and is asked by an objection.
        holder_org: Who answers for the copy.
    """

    subject_id: str
    element: str
    column: str
    key: Mapping[str, str]
    source_value: str
    copy_value: str
    right: str
    rule: str
    source_org: str
    holder_entry: str
    holder_org: str


def source_differences(
    ctx: PipelineContext, subject_id: str, limit: int = 20
) -> list[SourceDifference]:
    """Differing copies of a subject's elements, at most ``limit`` for each copy and source.

    Raises:
        SubjectUnknown: the release has no such subject.
        SubjectUnbuildable: the catalog does not fit the subject.
    """
    subject = ctx.subject(subject_id)
    found = copy_differences(ctx.settings.library_dir, subject, ctx.release, limit=limit)
    return [_shown(one, subject_id, ctx.release) for one in found]


def _shown(one: CopyDifference, subject_id: str, catalog: CatalogView) -> SourceDifference:
    masks = column_masks(catalog, subject_id)
    source, holder = catalog.entries[one.source_entry_id], catalog.entries[one.entry_id]
    how = masks[one.column]
    return SourceDifference(
        subject_id,
        one.element,
        one.column,
        {name: mask(value, masks[name]) for name, value in one.key.items()},
        mask(one.source_value or "", how),
        mask(one.copy_value, how),
        source.id,
        RULE,
        _responsible(catalog, source.id, one.element),
        holder.id,
        _responsible(catalog, holder.id, one.element),
    )


def _responsible(catalog: CatalogView, entry_id: str, element: str) -> str:
    entry = catalog.entries[entry_id]
    field = next(item.field for item in entry.items if item.element == element)
    return entry.responsible_org(field)
