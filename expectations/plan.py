"""What will be checked: an entry's promises as plain records, before any engine is involved.

Separate from the engine so that a plan can be read, listed on a page and tested without importing
Great Expectations. Every check has a dimension of GB/T 36344-2018 and a sentence in Chinese and
in English that names the item.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import Field, TypeAdapter
from pydantic import ValidationError as PydanticError

from catalog.model import CatalogEntry, CatalogView, DataItem, Model
from catalog.vocabulary import DataType, ItemFormat, QualityDimension, Severity
from expectations.errors import PlanImpossible

STANDARDS: Mapping[ItemFormat, str] = {
    ItemFormat.USCC: "GB 32100-2015",
    ItemFormat.RESIDENT_ID: "GB 11643-1999",
    ItemFormat.LICENCE_IDENTIFIER: "GB/T 36904-2018",
    ItemFormat.BASIC_CODE: "GB/T 39554.1-2020",
    ItemFormat.IMPLEMENTATION_CODE: "GB/T 39554.1-2020",
    ItemFormat.HANDLING_ITEM_CODE: "GB/T 39554.1-2020",
}
"""The standard that fixes a format, quoted in the reason; the others have none."""

NUMBERS = frozenset({DataType.INTEGER, DataType.DECIMAL, DataType.MONEY})


class CheckKind(StrEnum):
    """The kinds of checks; the dimension of each is in ``DIMENSIONS``."""

    PRESENT = "present"
    READABLE = "readable"
    LENGTH = "length"
    CODE_LIST = "code_list"
    FORMAT = "format"
    PATTERN = "pattern"
    RANGE = "range"
    UNIQUE = "unique"
    ORDERED = "ordered"
    UNCLASSIFIED = "unclassified"
    TIMELY = "timely"


DIMENSIONS: Mapping[CheckKind, QualityDimension] = {
    CheckKind.PRESENT: QualityDimension.COMPLETENESS,
    CheckKind.READABLE: QualityDimension.ACCURACY,
    CheckKind.LENGTH: QualityDimension.ACCURACY,
    CheckKind.CODE_LIST: QualityDimension.CONFORMITY,
    CheckKind.FORMAT: QualityDimension.CONFORMITY,
    CheckKind.PATTERN: QualityDimension.CONFORMITY,
    CheckKind.RANGE: QualityDimension.ACCURACY,
    CheckKind.UNIQUE: QualityDimension.ACCURACY,
    CheckKind.ORDERED: QualityDimension.CONSISTENCY,
    CheckKind.UNCLASSIFIED: QualityDimension.CONFORMITY,
    CheckKind.TIMELY: QualityDimension.TIMELINESS,
}
"""After GB/T 36344-2018: type, length, range and uniqueness are sub-indices of accuracy; standards
and reference data (code lists) of conformity; agreement of related data of consistency."""


class CheckRule(Model):
    """What an entry may say about one check under ``extensions.checks.<check id>``.

    ``threshold`` is the largest failing share (0 to 1) that still lets the batch pass; None leaves
    the decision to the entry's ``max_quarantined_share``.
    """

    severity: Severity = Severity.FAIL
    threshold: float | None = Field(default=None, ge=0, le=1)


@dataclass(frozen=True)
class Check:
    """One check of one entry.

    Attributes:
        id: Unique within the entry, e.g. ``registered_on.ordered.expires_on``.
        kind: What is checked.
        columns: Field names that the check reads, in order.
        args: What the kind needs besides: ``codes``, ``format``, ``maximum_length``, ...
        dimension: Quality dimension that the check scores.
        severity: ``fail`` quarantines the failing rows, ``warn`` only counts them.
        threshold: Largest failing share that the gate lets pass; None: the check has no gate.
        text_zh: What is demanded, for a clerk.
        text_en: The same in English, naming fields instead of items.
    """

    id: str
    kind: CheckKind
    columns: tuple[str, ...]
    dimension: QualityDimension
    text_zh: str
    text_en: str
    args: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.FAIL
    threshold: float | None = None


def plan(entry: CatalogEntry, catalog: CatalogView) -> tuple[Check, ...]:
    """All checks of an entry, column by column, then those over several columns.

    An item without a format or code list of its own has that of its data element. A code list or a
    format of fixed width settles the length, so that a value too long has one reason, not two.

    Raises:
        PlanImpossible: a code list is unknown, two ordered items differ in type, or a rule under
            ``extensions.checks`` names no check of this entry or is not a rule.
    """
    rules = _rules(entry)
    drafts = [*_item_checks(entry, catalog), *_unique_checks(entry), *_order_checks(entry)]
    unknown = sorted(set(rules) - {draft["id"] for draft in drafts})
    if unknown:
        raise PlanImpossible(
            entry.id,
            found=f"rules for {', '.join(unknown)} under extensions.checks",
            expected=f"one of {', '.join(str(draft['id']) for draft in drafts)}",
            remedy="correct the check id or delete the rule",
        )
    return tuple(_check(draft, rules.get(draft["id"], _own_rule(draft))) for draft in drafts)


def _own_rule(draft: Mapping[str, Any]) -> CheckRule:
    """One row with a secrecy mark blocks the batch; other checks leave that to the entry."""
    return CheckRule(threshold=0 if draft["kind"] is CheckKind.UNCLASSIFIED else None)


def _check(draft: Mapping[str, Any], rule: CheckRule) -> Check:
    return Check(
        **draft,
        dimension=DIMENSIONS[draft["kind"]],
        severity=rule.severity,
        threshold=rule.threshold,
    )


def _rules(entry: CatalogEntry) -> Mapping[str, CheckRule]:
    try:
        return TypeAdapter(dict[str, CheckRule]).validate_python(entry.extensions.get("checks", {}))
    except PydanticError as error:
        where = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise PlanImpossible(
            entry.id,
            found=f"faulty rules under extensions.checks: {where}",
            expected="severity fail or warn, threshold from 0 to 1",
            remedy="correct the rules in the entry",
        ) from error


def _draft(
    kind: CheckKind, columns: tuple[str, ...], texts: tuple[str, str], **args: object
) -> dict[str, Any]:
    first, *others = columns
    return {
        "id": ".".join((first, kind.value, *others)),
        "kind": kind,
        "columns": columns,
        "args": args,
        "text_zh": texts[0],
        "text_en": texts[1],
    }


def _item_checks(entry: CatalogEntry, catalog: CatalogView) -> Iterator[dict[str, Any]]:
    for item in entry.items:
        if not item.nullable or item.field in entry.key:
            texts = f"{item.name}不得为空", f"{item.field} must not be empty"
            yield _draft(CheckKind.PRESENT, (item.field,), texts, typed=_is_typed(item))
        if _is_typed(item):
            label = item.type.label_zh
            texts = f"{item.name}必须能读作{label}", f"{item.field} must be readable as {item.type}"
            yield _draft(CheckKind.READABLE, (item.field,), texts)
        if item.type in NUMBERS:
            yield from _range(item)
        yield from _text_checks(entry, item, catalog)


def _is_typed(item: DataItem) -> bool:
    """Any text can be read as text, so only the other types can be unreadable."""
    return item.type is not DataType.STRING


def _text_checks(
    entry: CatalogEntry, item: DataItem, catalog: CatalogView
) -> Iterator[dict[str, Any]]:
    element = catalog.elements.get(item.element) if item.element else None
    shape = item.format or (element.format if element else None)
    list_id = item.code_list or (element.code_list if element else None)
    columns = (item.field,)
    settles_length = list_id is not None or shape not in {None, ItemFormat.LICENCE_IDENTIFIER}
    if item.length is not None and not _is_typed(item) and not settles_length:
        texts = (
            f"{item.name}不得超过{item.length}个字符",
            f"{item.field} must not be longer than {item.length} characters",
        )
        yield _draft(CheckKind.LENGTH, columns, texts, maximum_length=item.length)
    if list_id is not None:
        yield _code_list(entry, item, list_id, catalog)
    if shape is not None:
        standard = STANDARDS.get(shape)
        texts = (
            f"{item.name}必须符合{shape.label_zh}规则" + (f"（{standard}）" if standard else ""),
            f"{item.field} must be a valid {shape}" + (f" ({standard})" if standard else ""),
        )
        yield _draft(CheckKind.FORMAT, columns, texts, format=shape)
    if item.pattern is not None:
        texts = f"{item.name}必须符合规定格式", f"{item.field} must match its pattern"
        yield _draft(CheckKind.PATTERN, columns, texts, pattern=item.pattern)
    elif not _is_typed(item) and not settles_length:
        texts = f"{item.name}不得含有国家秘密标志", f"{item.field} must carry no secrecy mark"
        yield _draft(CheckKind.UNCLASSIFIED, columns, texts)


def _code_list(
    entry: CatalogEntry, item: DataItem, list_id: str, catalog: CatalogView
) -> dict[str, Any]:
    code_list = catalog.code_lists.get(list_id)
    if code_list is None:
        raise PlanImpossible(
            f"{entry.id}.{item.field}",
            found=f"code list {list_id}, which the catalog does not have",
            expected="a code list of the catalog",
            remedy="add the code list or correct its id in the entry or data element",
        )
    texts = (
        f"{item.name}必须是《{code_list.name}》中的代码",
        f"{item.field} must be a code of {list_id}",
    )
    return _draft(CheckKind.CODE_LIST, (item.field,), texts, codes=tuple(sorted(code_list.codes)))


def _range(item: DataItem) -> Iterator[dict[str, Any]]:
    low, high = item.minimum, item.maximum
    if low is None and high is None:
        return
    unit = item.unit or ""
    zh = [f"不得小于{_plain(low)}{unit}"] if low is not None else []
    en = [f"not be below {_plain(low)}"] if low is not None else []
    zh += [f"不得大于{_plain(high)}{unit}"] if high is not None else []
    en += [f"not be above {_plain(high)}"] if high is not None else []
    texts = f"{item.name}{'且'.join(zh)}", f"{item.field} must {' and '.join(en)}"
    yield _draft(CheckKind.RANGE, (item.field,), texts, minimum=low, maximum=high)


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)


def _unique_checks(entry: CatalogEntry) -> Iterator[dict[str, Any]]:
    names = "、".join(entry.item(field).name for field in entry.key)
    texts = f"主键{names}不得为空且不得重复", f"key {', '.join(entry.key)} must be given and unique"
    yield _draft(CheckKind.UNIQUE, entry.key, texts, is_key=True)
    for columns in entry.quality.unique:
        if columns == entry.key:
            continue
        names = "、".join(entry.item(field).name for field in columns)
        texts = f"{names}不得重复", f"{', '.join(columns)} must be unique"
        yield _draft(CheckKind.UNIQUE, columns, texts, is_key=False)


def _order_checks(entry: CatalogEntry) -> Iterator[dict[str, Any]]:
    for order in entry.quality.ordered:
        earlier, later = entry.item(order.earlier), entry.item(order.later)
        if earlier.type is not later.type:
            raise PlanImpossible(
                f"{entry.id}: {order.earlier} and {order.later}",
                found=f"types {earlier.type} and {later.type}",
                expected="two items of one type",
                remedy="correct quality.ordered or the types of the items",
            )
        is_time = earlier.type in {DataType.DATE, DataType.TIMESTAMP}
        texts = (
            f"{earlier.name}不得{'晚' if is_time else '大'}于{later.name}",
            f"{earlier.field} must not be {'after' if is_time else 'above'} {later.field}",
        )
        yield _draft(CheckKind.ORDERED, (order.earlier, order.later), texts)
