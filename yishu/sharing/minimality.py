"""Relevance and minimum necessity (关联和最小够用, S004 Art.18): what a request really needs."""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.vocabulary import Sensitivity
from yishu.sharing.form import RequestForm
from yishu.sharing.objects import SharedObject
from yishu.sharing.vocabulary import PERSONAL, ApprovalLevel, Treatment

_TOO_SHORT = 4
"""Characters; a shorter use ("需要", "备用") justifies nothing."""

_EMPTY_WORDS = ("备用", "其他", "其它", "全部", "需要", "工作需要", "待定", "无")


@dataclass(frozen=True)
class Finding:
    """What the check says of one element.

    Attributes:
        verdict: ``needed`` by a material, ``justified`` by its use, ``struck`` by neither.
        why_zh: The reason, for both sides.
    """

    field: str
    verdict: str
    why_zh: str


def check(
    form: RequestForm, object_: SharedObject, needed: Collection[str] | None
) -> list[Finding]:
    """Judge every element that is asked for.

    Args:
        form: The form, complete.
        object_: What it asks for.
        needed: Data elements in the materials of the form's service items; None: not known.
    """
    return [_judge(field, form, object_, needed) for field in form.fields]


def _judge(
    field: str, form: RequestForm, object_: SharedObject, needed: Collection[str] | None
) -> Finding:
    column = object_.columns[field]
    use = next(one.use.strip() for one in form.elements if one.field == field)
    if needed is not None and column.element in needed:
        return Finding(field, "needed", "办事材料所需")
    if needed is None and field in object_.key and use:
        return Finding(field, "needed", "用于定位记录的主键")
    if use in _EMPTY_WORDS or len(use) < _TOO_SHORT:
        return Finding(field, "struck", f"用途“{use}”不足以说明必要性")
    is_beyond = needed is not None and column.sensitivity in PERSONAL
    if is_beyond and form.treatment(field, object_) is Treatment.CLEAR:
        return Finding(field, "struck", "关联事项的材料不需要该项个人信息明文")
    return Finding(field, "justified", f"用途：{use}")


def smallest(object_: SharedObject, needed: Collection[str] | None) -> tuple[str, ...]:
    """The smallest set to propose: key and what the items' materials carry; empty: not known."""
    if needed is None:
        return ()
    fields = (one.field for one in object_.columns.values() if one.element in needed)
    return tuple(dict.fromkeys([*object_.key, *fields]))


def approval_level(form: RequestForm, object_: SharedObject) -> ApprovalLevel:
    """Which level decides: sensitive personal information in clear needs both seats."""
    is_high = any(
        object_.columns[field].sensitivity is Sensitivity.SENSITIVE_PERSONAL
        and form.treatment(field, object_) is Treatment.CLEAR
        for field in form.fields
    )
    return ApprovalLevel.DOUBLE if is_high else ApprovalLevel.SINGLE
