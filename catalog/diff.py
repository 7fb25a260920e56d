"""The difference of two versions of an entry, in a clerk's words.

Pure: two contents in, sentences out. Data items are told apart by their field, so moving one is no
change, and renaming its Chinese name is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from catalog import vocabulary
from catalog.origins import ORIGINS
from catalog.vocabulary import Labelled

MANAGED = frozenset({"version", "published_on", "confidentiality_review"})
"""Keys that reviewing and publishing fill in; a compiler does not write them."""

_NAMES = {
    "name": "名称", "type": "类型", "length": "长度", "scale": "小数位数", "unit": "计量单位",
    "nullable": "可为空", "format": "格式", "code_list": "代码表", "pattern": "取值格式",
    "minimum": "最小值", "maximum": "最大值", "open_ended": "允许无截止日期",
    "sensitivity": "敏感程度", "mask": "脱敏方式", "element": "数据元", "column": "源字段",
    "responsible_org": "责任部门", "share_type": "共享类型", "condition": "条件", "basis": "依据",
    "modes": "共享方式", "related_codes": "关联资源代码", "service_items": "关联政务服务事项",
    "quality": "质量规则", "retention": "保存期限", "extensions": "扩展信息", "field": "字段名",
    "format_class": "格式分类", "format_type": "格式类型", "landing_days": "落地区保存天数",
    "quarantine_days": "隔离区保存天数", "history_days": "历史版本保存天数",
    "connection": "连接", "kind": "系统类型", "table": "表", "path": "文件", "endpoint": "接口",
    "max_quarantined_share": "隔离比例上限",
}  # fmt: skip

_LABELS = {
    member.value: member.label_zh
    for kind in vars(vocabulary).values()
    if isinstance(kind, type) and issubclass(kind, Labelled)
    for member in kind
    if member.label_zh and member.value != "none"
}
"""Chinese labels of closed sets' values; ``none`` means another thing in each set."""


class ChangeKind(StrEnum):
    """What happened to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """One difference: ``text_zh`` is what a clerk reads; None stands for no value."""

    kind: ChangeKind
    path: str
    before: Any
    after: Any
    text_zh: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """All changes from one content of an entry to another, in the order of the keys."""
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in MANAGED]
    found: list[Change] = []
    for key in keys:
        old, new = before.get(key), after.get(key)
        if key == "items":
            found += _items(old or [], new or [])
        else:
            found += _values(key, _label(key), old, new)
    return tuple(found)


def _items(before: list[Any], after: list[Any]) -> Iterator[Change]:
    old, new = _by_field(before), _by_field(after)
    for field in dict.fromkeys([*old, *new]):
        path, was, now = f"items.{field}", old.get(field), new.get(field)
        if was is None and now is not None:
            text = f"新增数据项{_quoted(now.get('name', field))}（{field}）"
            yield Change(ChangeKind.ADDED, path, None, now, text)
        elif now is None and was is not None:
            text = f"删除数据项{_quoted(was.get('name', field))}（{field}）"
            yield Change(ChangeKind.REMOVED, path, was, None, text)
        elif was is not None and now is not None:
            name = f"数据项{_quoted(was.get('name', field))}的"
            for key in dict.fromkeys([*was, *now]):
                label = name + _NAMES.get(key, key)
                yield from _values(f"{path}.{key}", label, was.get(key), now.get(key))


def _values(path: str, label: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            inner = f"{label}·{_NAMES.get(key, key)}" if key != "type" else label
            yield from _values(f"{path}.{key}", inner, old.get(key), new.get(key))
    elif old is None:
        yield Change(ChangeKind.ADDED, path, old, new, f"新增{label}：{_shown(new)}")
    elif new is None:
        yield Change(ChangeKind.REMOVED, path, old, new, f"删除{label}，原为{_shown(old)}")
    else:
        text = f"{label}由{_shown(old)}改为{_shown(new)}"
        yield Change(ChangeKind.CHANGED, path, old, new, text)


def _by_field(items: list[Any]) -> dict[str, Mapping[str, Any]]:
    return {str(item.get("field", i)): item for i, item in enumerate(items)}


def _label(key: str) -> str:
    origin = ORIGINS.get(key)
    return origin.element if origin else _NAMES.get(key, key)


def _shown(value: Any) -> str:
    """A value as a clerk reads it."""
    if isinstance(value, bool):
        return "“是”" if value else "“否”"
    if isinstance(value, Mapping):
        parts = (f"{_NAMES.get(key, key)} {_plain(part)}" for key, part in value.items())
        return _quoted("，".join(parts))
    if isinstance(value, list | tuple):
        return _quoted("、".join(map(_plain, value)) or "空")
    return _quoted(_plain(value))


def _plain(value: Any) -> str:
    return _LABELS.get(value, value) if isinstance(value, str) else str(value)


def _quoted(text: Any) -> str:
    return f"“{text}”"
