"""What will be checked: an entry's promises as plain records, before any engine is involved.

Separate from the engine so that a plan can be read, listed on a page and tested without importing
Great Expectations. Every check has a dimension of GB/T 36344-2018 and a sentence in Chinese and
in English that names the item.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic import ValidationError as PydanticError

from catalog.model import CatalogEntry, CatalogView, CodeList, DataItem, code_list_of
from catalog.vocabulary import (
    DataKind,
    DataType,
    ItemFormat,
    QualityDimension,
    Sensitivity,
    Severity,
    UpdateCycle,
)
from expectations import masks
from expectations.errors import PlanImpossible
from expectations.guide_rules import guide_checks
from expectations.history import FIRST_RUN, History, hours
from expectations.kinds import DIMENSIONS, OF_BATCH, CheckKind
from expectations.rulebook import Addition, CheckRule, Rulebook, RuleVersion, Waiver

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


OWN_RULES: Mapping[CheckKind, CheckRule] = {
    CheckKind.UNCLASSIFIED: CheckRule(threshold=0),
    **dict.fromkeys(
        (
            CheckKind.ORGANISATION,
            CheckKind.CLEAR_WORDING,
            CheckKind.GUIDE,
            *sorted(OF_BATCH),
        ),
        CheckRule(severity=Severity.WARN),
    ),
}
"""How strict a kind is where nobody says otherwise: the others are ``fail`` without a threshold.

One row with a secrecy mark blocks the batch. Codes without a right inner organisation code are in
use, and the judgements on a whole delivery are a question to a person, so those only warn."""

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone whose day decides which rules and codes are in force."""


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
        decided: The decision that severity and threshold come from; None: entry or default.
        waivers: The waivers in force; their rows pass, and stay counted.
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
    decided: RuleVersion | None = None
    waivers: tuple[Waiver, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """Field names that must be at hand: those of the check and of its waivers' scopes."""
        scopes = (waiver.scope.by for waiver in self.waivers if waiver.scope)
        return tuple(dict.fromkeys([*self.columns, *scopes]))


def plan(
    entry: CatalogEntry,
    catalog: CatalogView,
    *,
    at: datetime | None = None,
    history: History = FIRST_RUN,
    book: Rulebook | None = None,
) -> tuple[Check, ...]:
    """All checks of an entry, column by column, then those over several columns and deliveries.

    An item without a format or code list of its own has that of its data element. A code list or a
    format of fixed width settles the length, so that a value too long has one reason, not two.

    Args:
        entry: The entry.
        catalog: Its code lists and data elements.
        at: When the rows were delivered (with its zone); None: nothing depends on the date, so
            births may be in the future, all codes are valid and no decision of ``book`` holds.
        history: Earlier deliveries.
        book: What the bureau decided about the entry's checks.

    Raises:
        PlanImpossible: a code list is unknown, two ordered items differ in type, a pattern is none,
            or a rule, waiver or addition means no check or item of this entry.
    """
    day = at.astimezone(LOCAL_ZONE).date() if at else None
    book = book or Rulebook(entry=entry.id)
    drafts = [
        *_item_checks(entry, catalog, day),
        *_unique_checks(entry),
        *_order_checks(entry),
        *_in_force_checks(entry, catalog),
        *(guide_checks(entry) if entry.data_kind is DataKind.SERVICE_ITEM else ()),
        *(_added(entry, one) for one in (book.additions_on(day) if day else ())),
        *(_batch_checks(entry, at, history) if at else ()),
    ]
    own = _rules(entry)
    decided = book.versions_on(day) if day else {}
    waivers = book.waivers_on(day) if day else ()
    named = {*own, *decided, *(one.check for one in waivers)}
    _require_known(entry, named, [str(draft["id"]) for draft in drafts])
    return tuple(_check(draft, own, decided, waivers) for draft in drafts)


def _require_known(entry: CatalogEntry, named: set[str], known: list[str]) -> None:
    # A check against history is planned from the second delivery on, but may be ruled before.
    later = tuple(f".{kind}" for kind in OF_BATCH)
    unknown = sorted(name for name in named - set(known) if not name.endswith(later))
    if unknown:
        raise PlanImpossible(
            entry.id,
            found=f"rules for {', '.join(unknown)}, in the entry or in expectations/suites/",
            expected=f"one of {', '.join(known)}",
            remedy="correct the check id or delete the rule",
        )


def _check(
    draft: Mapping[str, Any],
    own: Mapping[str, CheckRule],
    decided: Mapping[str, RuleVersion],
    waivers: Sequence[Waiver],
) -> Check:
    id_, kind = draft["id"], draft["kind"]
    version = decided.get(id_)
    rule = version.rule if version else own.get(id_, OWN_RULES.get(kind, CheckRule()))
    return Check(
        **draft,
        dimension=DIMENSIONS[kind],
        severity=rule.severity,
        threshold=rule.threshold,
        decided=version,
        waivers=tuple(one for one in waivers if one.check == id_),
    )


def _added(entry: CatalogEntry, addition: Addition) -> dict[str, Any]:
    unknown = [name for name in addition.columns if name not in entry.fields]
    if unknown:
        raise PlanImpossible(
            f"{entry.id}: {addition.id}",
            found=f"no item {', '.join(unknown)}",
            expected=f"items among {', '.join(entry.fields)}",
            remedy=f"correct the columns in expectations/suites/{entry.id}.yaml",
        )
    return {
        "id": addition.id,
        "kind": addition.kind,
        "columns": addition.columns,
        "args": dict(addition.args),
        "text_zh": addition.text_zh,
        "text_en": addition.text_en,
    }


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


def _item_checks(
    entry: CatalogEntry, catalog: CatalogView, day: date | None
) -> Iterator[dict[str, Any]]:
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
        yield from _text_checks(entry, item, catalog, day)


def _is_typed(item: DataItem) -> bool:
    """Any text can be read as text, so only the other types can be unreadable."""
    return item.type is not DataType.STRING


def _text_checks(
    entry: CatalogEntry, item: DataItem, catalog: CatalogView, day: date | None
) -> Iterator[dict[str, Any]]:
    element = catalog.elements.get(item.element) if item.element else None
    shape = item.format or (element.format if element else None)
    list_id = code_list_of(item, catalog)
    columns = (item.field,)
    settles_length = list_id is not None or shape not in {None, ItemFormat.LICENCE_IDENTIFIER}
    if item.length is not None and not _is_typed(item) and not settles_length:
        texts = (
            f"{item.name}不得超过{item.length}个字符",
            f"{item.field} must not be longer than {item.length} characters",
        )
        yield _draft(CheckKind.LENGTH, columns, texts, maximum_length=item.length)
    if list_id is not None:
        yield _code_list(entry, item, list_id, catalog, day)
    if shape is not None:
        yield from _format(item, shape, day)
    if item.pattern is not None:
        _require_pattern(entry, item, item.pattern)
        texts = f"{item.name}必须符合规定格式", f"{item.field} must match its pattern"
        yield _draft(CheckKind.PATTERN, columns, texts, pattern=item.pattern)
    elif not _is_typed(item) and not settles_length:
        texts = f"{item.name}不得含有国家秘密标志", f"{item.field} must carry no secrecy mark"
        yield _draft(CheckKind.UNCLASSIFIED, columns, texts)


def _format(item: DataItem, shape: ItemFormat, day: date | None) -> Iterator[dict[str, Any]]:
    standard = STANDARDS.get(shape)
    texts = (
        f"{item.name}必须符合{shape.label_zh}规则" + (f"（{standard}）" if standard else ""),
        f"{item.field} must be a valid {shape}" + (f" ({standard})" if standard else ""),
    )
    born = {"not_after": day} if shape is ItemFormat.RESIDENT_ID else {}
    yield _draft(CheckKind.FORMAT, (item.field,), texts, format=shape, **born)
    if shape is ItemFormat.USCC:
        inner = (
            f"{item.name}第9至17位应为有效的组织机构代码（GB 11714）",
            f"characters 9 to 17 of {item.field} should be an organisation code (GB 11714)",
        )
        yield _draft(CheckKind.ORGANISATION, (item.field,), inner)


def _require_pattern(entry: CatalogEntry, item: DataItem, pattern: str) -> None:
    fault = masks.pattern_fault(pattern)
    if fault:
        raise PlanImpossible(
            f"{entry.id}.{item.field}",
            found=f"a pattern that cannot be used: {fault}",
            expected="a regular expression in RE2 syntax: no look-around, no back-references",
            remedy="rewrite the pattern; RE2 is used because its time is bounded for any text",
        )


def _code_list(
    entry: CatalogEntry, item: DataItem, list_id: str, catalog: CatalogView, day: date | None
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
    if item.field in {rule.code for rule in entry.quality.in_force}:
        day = None
    return _draft(CheckKind.CODE_LIST, (item.field,), texts, codes=_codes_on(code_list, day))


def _codes_on(code_list: CodeList, day: date | None) -> tuple[str, ...]:
    """Codes in force on a day; None: all that ever were."""
    periods = code_list.periods if day else {}
    return tuple(
        code
        for code in sorted(code_list.codes)
        if code not in periods or (day and periods[code].holds_on(day))
    )


def _in_force_checks(entry: CatalogEntry, catalog: CatalogView) -> Iterator[dict[str, Any]]:
    for rule in entry.quality.in_force:
        code, day = entry.item(rule.code), entry.item(rule.day)
        code_list = catalog.code_lists[code_list_of(code, catalog) or ""]
        periods = {
            value: (period.since and str(period.since), period.until and str(period.until))
            for value, period in code_list.periods.items()
        }
        if periods:
            texts = (
                f"{code.name}应在{day.name}当日有效（《{code_list.name}》）",
                f"{code.field} must have been in force on {day.field} ({code_list.id})",
            )
            yield _draft(CheckKind.VALID_ON, (rule.code, rule.day), texts, periods=periods)


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


def _batch_checks(entry: CatalogEntry, at: datetime, history: History) -> Iterator[dict[str, Any]]:
    """What only a comparison with earlier deliveries shows; a first run has nothing to compare."""
    limit = entry.update_cycle.freshness
    if limit is not None and history.last_delivery is not None:
        cycle = entry.update_cycle
        texts = (
            f"{entry.name}应按更新周期（{cycle.label_zh}）更新",
            f"{entry.id} must be updated in its cycle ({cycle})",
        )
        # A tenth of the cycle is grace: a pull may begin some minutes later than the one before it.
        limit += limit / 10
        age = at - history.last_delivery
        yield _of_batch("delivery", CheckKind.TIMELY, texts, age=hours(age), limit=hours(limit))
    if history.volumes:
        season = 7 if entry.update_cycle is UpdateCycle.DAILY else 1
        texts = f"{entry.name}的行数应与历史相符", f"the rows of {entry.id} must fit its history"
        args = {"history": history.volumes, "season": season}
        yield _of_batch("delivery", CheckKind.VOLUME, texts, **args)
    for item in entry.items:
        shares = history.shares.get(item.field)
        if shares and item.sensitivity is Sensitivity.NONE:
            texts = f"{item.name}的分布不应突变", f"the distribution of {item.field} must not jump"
            draft = _of_batch(item.field, CheckKind.DRIFT, texts, reference=dict(shares))
            yield {**draft, "columns": (item.field,)}


def _of_batch(
    about: str, kind: CheckKind, texts: tuple[str, str], **args: object
) -> dict[str, Any]:
    return {
        "id": f"{about}.{kind}",
        "kind": kind,
        "columns": (),
        "args": args,
        "text_zh": texts[0],
        "text_en": texts[1],
    }
