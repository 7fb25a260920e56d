"""Expectations of identifiers: check characters, shapes, what is inside them."""

from datetime import date
from typing import Literal

import pyarrow as pa

from catalog.identifiers import CodeScheme, Leniency
from catalog.vocabulary import ItemFormat
from expectations import masks
from expectations.fields.base import ColumnExpectation, ColumnMetric


class ColumnValuesFormat(ColumnMetric):
    """Values follow the rule of an identifier or code."""

    condition_metric_name = "column_values.yishu_format"
    condition_value_keys = ("format", "not_after", "strict", "scheme")

    @staticmethod
    def predicate(
        values: pa.ChunkedArray,
        *,
        format: str,  # noqa: A002
        not_after: str | None,
        strict: bool,
        scheme: str,
    ) -> masks.Mask:
        """True where null or of the format."""
        latest = date.fromisoformat(not_after) if not_after else None
        leniency = Leniency(not_after=latest, strict=strict, scheme=CodeScheme(scheme))
        return masks.follows(values, ItemFormat(format), leniency)


class _FormatExpectation(ColumnExpectation):
    """Expect values to follow the format that the class is named after."""

    map_metric = "column_values.yishu_format"
    not_after: str | None = None
    strict: bool = True
    scheme: str = CodeScheme.NATIONAL_2018.value
    success_keys = ("format", "not_after", "strict", "scheme", "mostly")
    args_keys = ("column", "format")


class ExpectColumnValuesToBeUscc(_FormatExpectation):
    """Expect unified social credit codes (统一社会信用代码, GB 32100-2015).

    The first characters of all registrars are right, also ``N`` (rural collectives) and ``Y``
    (others). The organisation code inside is another expectation.
    """

    format: Literal["uscc"] = "uscc"


class ExpectColumnValuesToBeResidentId(_FormatExpectation):
    """Expect resident identity numbers (公民身份号码, GB 11643-1999).

    Check character, province and birth date are held to the rules; ``not_after`` (ISO) is the last
    possible birth date.
    """

    format: Literal["resident_id"] = "resident_id"


class ExpectColumnValuesToBeLicenceIdentifier(_FormatExpectation):
    """Expect electronic licence identifiers (电子证照标识, GB/T 36904-2018).

    ``strict`` holds the segments to the standard's lengths; otherwise issuers may be regions or
    GUIDs, as some systems write them. The check character is right in both.
    """

    format: Literal["licence_identifier"] = "licence_identifier"


class ExpectColumnValuesToBeBasicCode(_FormatExpectation):
    """Expect basic codes of service items (基本编码).

    12 digits; with ``scheme: legacy`` the 10 characters of older provincial schemes.
    """

    format: Literal["basic_code"] = "basic_code"


class ExpectColumnValuesToBeImplementationCode(_FormatExpectation):
    """Expect implementation codes of service items (实施编码).

    31 characters: credit code with its check character, level, basic code; with ``scheme: legacy``
    24 characters that are no cut national code.
    """

    format: Literal["implementation_code"] = "implementation_code"


class ExpectColumnValuesToBeHandlingItemCode(_FormatExpectation):
    """Expect handling item codes (业务办理项编码, 33 characters)."""

    format: Literal["handling_item_code"] = "handling_item_code"


class ExpectColumnValuesToBeMobilePhone(_FormatExpectation):
    """Expect mobile phone numbers of mainland China (移动电话)."""

    format: Literal["mobile_phone"] = "mobile_phone"


class ExpectColumnValuesToBePostcode(_FormatExpectation):
    """Expect postcodes (邮政编码, 6 digits)."""

    format: Literal["postcode"] = "postcode"


class ExpectColumnValuesToBeOrganisationCode(_FormatExpectation):
    """Expect organisation codes of nine characters (组织机构代码, GB 11714)."""

    format: Literal["organisation_code"] = "organisation_code"


class ExpectColumnValuesToBePassport(_FormatExpectation):
    """Expect passport numbers (护照号码): six to nine letters and digits (ICAO Doc 9303)."""

    format: Literal["passport"] = "passport"


class ExpectColumnValuesToBeTravelPermit(_FormatExpectation):
    """Expect numbers of permits to travel to the mainland (往来大陆（内地）通行证)."""

    format: Literal["travel_permit"] = "travel_permit"


class ExpectColumnValuesToBeResidenceCard(_FormatExpectation):
    """Expect numbers of foreigners' permanent residence cards (外国人永久居留身份证)."""

    format: Literal["residence_card"] = "residence_card"


class ExpectColumnValuesToBeFixedPhone(_FormatExpectation):
    """Expect fixed phone numbers with their area code (固定电话)."""

    format: Literal["fixed_phone"] = "fixed_phone"


class ExpectColumnValuesToBeRegionCode(_FormatExpectation):
    """Expect six-digit region codes below a known province (行政区划代码, GB/T 2260).

    Local zones have the same shape; which codes exist, and when, is the matter of a code list.
    """

    format: Literal["region_code"] = "region_code"


class ColumnValuesHaveOrganisation(ColumnMetric):
    """The organisation code inside a credit code is right."""

    condition_metric_name = "column_values.yishu_organisation"
    predicate = staticmethod(masks.has_organisation)


class ExpectUsccToHoldOrganisationCode(ColumnExpectation):
    """Expect characters 9 to 17 of a credit code to be an organisation code (GB 11714).

    A warning by default: codes that were handed out without it are in use.
    """

    map_metric = "column_values.yishu_organisation"
