"""The plan as an ordinary Great Expectations suite, one expectation a check, in the same order."""

import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from catalog.vocabulary import ItemFormat, Severity
from expectations.plan import Check, CheckKind

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import (
        ColumnMapExpectation,
        MulticolumnMapExpectation,
    )

FORMAT_CLASSES: Mapping[ItemFormat, str] = {
    ItemFormat.USCC: "ExpectColumnValuesToBeUscc",
    ItemFormat.RESIDENT_ID: "ExpectColumnValuesToBeResidentId",
    ItemFormat.LICENCE_IDENTIFIER: "ExpectColumnValuesToBeLicenceIdentifier",
    ItemFormat.BASIC_CODE: "ExpectColumnValuesToBeBasicCode",
    ItemFormat.IMPLEMENTATION_CODE: "ExpectColumnValuesToBeImplementationCode",
    ItemFormat.HANDLING_ITEM_CODE: "ExpectColumnValuesToBeHandlingItemCode",
    ItemFormat.MOBILE_PHONE: "ExpectColumnValuesToBeMobilePhone",
    ItemFormat.POSTCODE: "ExpectColumnValuesToBePostcode",
}

COLUMN_CLASSES: Mapping[CheckKind, str] = {
    CheckKind.PRESENT: "ExpectColumnValuesToNotBeNull",
    CheckKind.READABLE: "ExpectColumnValuesToHaveBeenRead",
    CheckKind.LENGTH: "ExpectColumnValuesNotToBeLonger",
    CheckKind.CODE_LIST: "ExpectColumnValuesToBeInCodeList",
    CheckKind.PATTERN: "ExpectColumnValuesToMatchPattern",
    CheckKind.RANGE: "ExpectColumnValuesToBeWithin",
    CheckKind.UNCLASSIFIED: "ExpectColumnValuesToBeUnclassified",
}


def suite(checks: Sequence[Check], name: str = "checks") -> "ExpectationSuite":
    """An ordinary suite of the checks; it runs on the frame that ``expectations.run.frame`` makes.

    ``severity`` becomes Great Expectations' critical or warning, a threshold becomes ``mostly``,
    the check's id is in ``meta`` and its sentences in ``notes`` and ``description``.
    """
    great_expectations_classes()
    from great_expectations import ExpectationSuite  # noqa: PLC0415 - seconds

    return ExpectationSuite(name, expectations=[expectation(check) for check in checks])


def expectation(check: Check) -> "ColumnMapExpectation | MulticolumnMapExpectation":
    """One check as a Great Expectations expectation."""
    kind, kwargs = _class_and_kwargs(check)
    build: type[ColumnMapExpectation | MulticolumnMapExpectation] = getattr(
        great_expectations_classes(), kind
    )
    about: dict[str, Any] = {
        "mostly": 1 - (check.threshold or 0),
        "severity": "critical" if check.severity is Severity.FAIL else "warning",
        "result_format": "BOOLEAN_ONLY",
        "meta": {"check_id": check.id},
        "notes": check.text_zh,
        "description": check.text_en,
    }
    return build(**kwargs, **about)


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


def great_expectations_classes() -> ModuleType:
    """The module ``expectations.fields``, imported on first use: that takes seconds."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from expectations import fields  # noqa: PLC0415 - seconds, so only when it is needed

    return fields


def _class_and_kwargs(check: Check) -> tuple[str, dict[str, Any]]:
    if check.kind is CheckKind.UNIQUE and len(check.columns) > 1:
        absent = "never" if check.args["is_key"] else "any_value_is_missing"
        columns = {"column_list": list(check.columns), "ignore_row_if": absent}
        return "ExpectCompoundKeyToBeUnique", columns
    if check.kind is CheckKind.ORDERED:
        return "ExpectColumnNotToBeAfter", {"column_list": list(check.columns)}
    (field,) = check.columns
    column = {"column": read_column(field) if needs_read_column(check) else field}
    if check.kind is CheckKind.FORMAT:
        return FORMAT_CLASSES[check.args["format"]], column
    if check.kind is CheckKind.UNIQUE:
        return "ExpectColumnKeyToBeUnique", {**column, "nulls_fail": check.args["is_key"]}
    if check.kind in {CheckKind.PRESENT, CheckKind.READABLE}:
        return COLUMN_CLASSES[check.kind], column
    return COLUMN_CLASSES[check.kind], {**column, **_plain(check.args)}


def _plain(args: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(part) if isinstance(part, tuple) else part for key, part in args.items()}
