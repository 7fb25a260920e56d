"""Between an entry's content and the text of its cells: one way out, one way in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from yishu.interchange.columns import COLUMNS, JOINT, NO, YES, Column

Content = Mapping[str, Any]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""How a cell begins that a spreadsheet takes for a formula, or that was kept from being one."""


class Unreadable(ValueError):
    """A cell's text that its column does not understand; the text says what would be."""


def rows_of(content: Content) -> Iterator[list[str]]:
    """The rows of an entry: the first has its keys, each has one item."""
    items = content.get("items") or [{}]
    for number, item in enumerate(items):
        yield [_cell(column, content, item, first=number == 0) for column in COLUMNS]


def _cell(column: Column, content: Content, item: Content, *, first: bool) -> str:
    if column.path == "id":
        return str(content.get("id", ""))
    if not column.of_item and not first:
        return ""
    value: Any = item if column.of_item else content
    for step in column.path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return text_of(column, value)


def behind_apostrophe(cell: str) -> str:
    """A cell of a CSV that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def without_apostrophe(cell: str) -> str:
    """A cell as it was before `behind_apostrophe`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def text_of(column: Column, value: Any) -> str:
    """A value as its cell shows it; nothing is the empty text."""
    if value is None:
        return ""
    if column.shape == "parts":
        return _flow(value) if value else ""
    if column.shape == "list":
        return JOINT.join(_labelled(column, one) for one in value)
    if column.shape == "flag":
        return YES if value else NO
    if column.shape == "number":
        return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)
    return _labelled(column, value)


def _labelled(column: Column, value: Any) -> str:
    return column.choices(value).label_zh if column.choices else str(value)


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=1_000_000)
    return str(text).strip()


def value_of(column: Column, text: str) -> Any:
    """What a cell's text means; None for an empty one.

    Raises:
        Unreadable: the column does not understand it.
    """
    text = text.strip()
    if not text:
        return None
    if column.shape == "list":
        parts = text.replace("，", JOINT).replace(",", JOINT).replace(";", JOINT).split(JOINT)
        return [_chosen(column, part.strip()) for part in parts if part.strip()]
    if column.shape == "flag":
        return _flag(text)
    if column.shape == "number":
        return _number(text)
    if column.shape == "parts":
        return _parts(text)
    return _chosen(column, text)


def _chosen(column: Column, text: str) -> str:
    if column.choices is None:
        return text
    for member in column.choices:
        if text in (member.value, member.label_zh):
            return str(member.value)
    raise Unreadable(JOINT.join(member.label_zh for member in column.choices))


def _flag(text: str) -> bool:
    if text in (YES, "true", "TRUE", "1"):
        return True
    if text in (NO, "false", "FALSE", "0"):
        return False
    raise Unreadable(f"{YES} 或 {NO}")


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            raise Unreadable("数字") from None


def _parts(text: str) -> dict[str, Any]:
    try:
        value = yaml.load(text, _LOADER)  # noqa: S506 - a safe loader, in C where there is one
    except yaml.YAMLError:
        value = None
    if not isinstance(value, dict):
        raise Unreadable("YAML 形式的 {键: 值}")
    return value
