"""The plan as an ordinary Great Expectations suite, one expectation a check, in the same order."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from catalog.collector import uncollected
from catalog.vocabulary import ItemFormat, Severity
from expectations.errors import PlanImpossible
from expectations.kinds import OF_BATCH, CheckKind
from expectations.plan import Check

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

FORMAT_CLASSES: Mapping[ItemFormat, str] = {
    ItemFormat.USCC: "ExpectColumnValuesToBeUscc",
    ItemFormat.ORGANISATION_CODE: "ExpectColumnValuesToBeOrganisationCode",
    ItemFormat.RESIDENT_ID: "ExpectColumnValuesToBeResidentId",
    ItemFormat.PASSPORT: "ExpectColumnValuesToBePassport",
    ItemFormat.TRAVEL_PERMIT: "ExpectColumnValuesToBeTravelPermit",
    ItemFormat.RESIDENCE_CARD: "ExpectColumnValuesToBeResidenceCard",
    ItemFormat.LICENCE_IDENTIFIER: "ExpectColumnValuesToBeLicenceIdentifier",
    ItemFormat.BASIC_CODE: "ExpectColumnValuesToBeBasicCode",
    ItemFormat.IMPLEMENTATION_CODE: "ExpectColumnValuesToBeImplementationCode",
    ItemFormat.HANDLING_ITEM_CODE: "ExpectColumnValuesToBeHandlingItemCode",
    ItemFormat.REGION_CODE: "ExpectColumnValuesToBeRegionCode",
    ItemFormat.MOBILE_PHONE: "ExpectColumnValuesToBeMobilePhone",
    ItemFormat.FIXED_PHONE: "ExpectColumnValuesToBeFixedPhone",
    ItemFormat.POSTCODE: "ExpectColumnValuesToBePostcode",
}

COLUMN_CLASSES: Mapping[CheckKind, str] = {
    CheckKind.PRESENT: "ExpectColumnValuesToNotBeNull",
    CheckKind.READABLE: "ExpectColumnValuesToHaveBeenRead",
    CheckKind.LENGTH: "ExpectColumnValuesNotToBeLonger",
    CheckKind.CODE_LIST: "ExpectColumnValuesToBeInCodeList",
    CheckKind.ORGANISATION: "ExpectUsccToHoldOrganisationCode",
    CheckKind.PATTERN: "ExpectColumnValuesToMatchPattern",
    CheckKind.RANGE: "ExpectColumnValuesToBeWithin",
    CheckKind.DATE_TEXT: "ExpectColumnValuesToBeDates",
    CheckKind.MONEY_TEXT: "ExpectColumnValuesToBeMoney",
    CheckKind.NOT_FUTURE: "ExpectColumnValuesNotToBeInTheFuture",
    CheckKind.EXISTS: "ExpectColumnValuesToExistInTable",
    CheckKind.UNCLASSIFIED: "ExpectColumnValuesToBeUnclassified",
    CheckKind.CLEAR_WORDING: "ExpectColumnValuesToBeClearlyWorded",
    CheckKind.GUIDE: "ExpectColumnGuideRuleToHold",
    CheckKind.DRIFT: "ExpectDistributionNotToDrift",
}

ROW_CLASSES: Mapping[CheckKind, str] = {
    CheckKind.ORDERED: "ExpectColumnNotToBeAfter",
    CheckKind.SUM: "ExpectSumNotToExceedColumn",
    CheckKind.SEX: "ExpectSexToAgreeWithResidentId",
    CheckKind.ID_BY_TYPE: "ExpectIdNumberToFitType",
    CheckKind.VALID_ON: "ExpectCodeToBeInForceOn",
    CheckKind.GUIDE: "ExpectGuideRuleToHold",
}

LONG_LIST = 1_000
"""Texts of a list above which they go into a suite as one, a line each."""

DELIVERY_CLASSES: Mapping[CheckKind, str] = {
    CheckKind.TIMELY: "ExpectDeliveryToBeTimely",
    CheckKind.VOLUME: "ExpectRowCountToFitHistory",
}


def suite(checks: Sequence[Check], name: str = "checks") -> "ExpectationSuite":
    """An ordinary suite of the checks; it runs on the frame that ``expectations.run.frame`` makes.

    ``severity`` becomes Great Expectations' critical or warning, a threshold becomes ``mostly``,
    the check's id is in ``meta`` and its sentences in ``notes`` and ``description``.
    """
    great_expectations_classes()
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - seconds

    return ExpectationSuite(name, expectations=[expectation(check) for check in checks])


def expectation(check: Check) -> "Expectation":
    """One check as a Great Expectations expectation.

    Raises:
        PlanImpossible: the arguments are not those of the kind.
    """
    kind, kwargs = _class_and_kwargs(check)
    about: dict[str, Any] = {
        "severity": "critical" if check.severity is Severity.FAIL else "warning",
        "meta": {"check_id": check.id, "dimension": check.dimension.value},
        "notes": check.text_zh,
        "description": check.text_en,
    }
    if check.kind not in OF_BATCH:
        about |= {"mostly": 1 - (check.threshold or 0), "result_format": "BOOLEAN_ONLY"}
    build: type[Expectation] = great_expectations_classes().CLASSES[kind]
    try:
        return build(**kwargs, **about)
    except (TypeError, ValueError) as error:
        faults: list[Any] = getattr(error, "errors", list)()
        where = ", ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
        raise PlanImpossible(
            check.id,
            found=f"arguments that {kind} does not take: {where or error}",
            expected=f"those of {kind} in docs/reference/expectations.md",
            remedy="correct `args` of the check in expectations/suites/",
        ) from None


def read_column(field: str) -> str:
    """Name of the column that says how the reading of another one went.

    In it is True for read, False for unreadable, null where no value was given.
    """
    return f"{field}__read"


def needs_read_column(check: Check) -> bool:
    """Whether a check looks at how the reading went instead of at the values.

    An unreadable value is null in the values, but it was given, so it is not missing.
    """
    typed = check.kind is CheckKind.PRESENT and bool(check.args.get("typed"))
    return typed or check.kind is CheckKind.READABLE


@cache
def great_expectations_classes() -> ModuleType:
    """The module ``expectations.fields``, imported on first use: that takes seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with uncollected():
        from expectations import fields  # noqa: PLC0415 - seconds, so only when it is needed
    return fields


def _class_and_kwargs(check: Check) -> tuple[str, dict[str, Any]]:
    args = _plain(check.args)
    if check.kind in DELIVERY_CLASSES:
        return DELIVERY_CLASSES[check.kind], args
    if check.kind in ROW_CLASSES and len(check.columns) > 1:
        return ROW_CLASSES[check.kind], {"column_list": list(check.columns), **args}
    if check.kind is CheckKind.UNIQUE:
        return _unique(check)
    (field,) = check.columns
    column = {"column": read_column(field) if needs_read_column(check) else field}
    if check.kind is CheckKind.FORMAT:
        return FORMAT_CLASSES[ItemFormat(args.pop("format"))], {**column, **args}
    if check.kind in {CheckKind.PRESENT, CheckKind.READABLE}:
        return COLUMN_CLASSES[check.kind], column
    return COLUMN_CLASSES[check.kind], {**column, **args}


def _unique(check: Check) -> tuple[str, dict[str, Any]]:
    is_key = bool(check.args.get("is_key"))
    if len(check.columns) == 1:
        return "ExpectColumnKeyToBeUnique", {"column": check.columns[0], "nulls_fail": is_key}
    absent = "never" if is_key else "any_value_is_missing"
    columns = {"column_list": list(check.columns), "ignore_row_if": absent}
    return "ExpectCompoundKeyToBeUnique", columns


def _plain(args: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON has them, since suites are stored as JSON."""
    return {key: _json(part) for key, part in args.items() if part is not None}


def _json(part: Any) -> Any:
    if isinstance(part, date):
        return part.isoformat()
    if isinstance(part, tuple) and len(part) > LONG_LIST:
        return "\n".join(part)
    return list(part) if isinstance(part, tuple) else part
