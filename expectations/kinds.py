"""The kinds of checks and the quality dimension that each scores (GB/T 36344-2018)."""

from collections.abc import Mapping
from enum import StrEnum

from catalog.vocabulary import QualityDimension


class CheckKind(StrEnum):
    """The kinds of checks; the dimension of each is in ``DIMENSIONS``."""

    PRESENT = "present"
    READABLE = "readable"
    LENGTH = "length"
    CODE_LIST = "code_list"
    FORMAT = "format"
    ORGANISATION = "organisation"
    PATTERN = "pattern"
    RANGE = "range"
    DATE_TEXT = "date_text"
    MONEY_TEXT = "money_text"
    NOT_FUTURE = "not_future"
    UNIQUE = "unique"
    ORDERED = "ordered"
    SUM = "sum_within"
    SEX = "sex_agrees"
    ID_BY_TYPE = "id_by_type"
    VALID_ON = "valid_on"
    EXISTS = "exists"
    UNCLASSIFIED = "unclassified"
    CLEAR_WORDING = "clear_wording"
    GUIDE = "guide"
    TIMELY = "timely"
    VOLUME = "volume"
    DRIFT = "drift"


DIMENSIONS: Mapping[CheckKind, QualityDimension] = {
    CheckKind.PRESENT: QualityDimension.COMPLETENESS,
    CheckKind.READABLE: QualityDimension.ACCURACY,
    CheckKind.LENGTH: QualityDimension.ACCURACY,
    CheckKind.CODE_LIST: QualityDimension.CONFORMITY,
    CheckKind.FORMAT: QualityDimension.CONFORMITY,
    CheckKind.ORGANISATION: QualityDimension.CONFORMITY,
    CheckKind.PATTERN: QualityDimension.CONFORMITY,
    CheckKind.RANGE: QualityDimension.ACCURACY,
    CheckKind.DATE_TEXT: QualityDimension.CONFORMITY,
    CheckKind.MONEY_TEXT: QualityDimension.CONFORMITY,
    CheckKind.NOT_FUTURE: QualityDimension.ACCURACY,
    CheckKind.UNIQUE: QualityDimension.ACCURACY,
    CheckKind.ORDERED: QualityDimension.CONSISTENCY,
    CheckKind.SUM: QualityDimension.CONSISTENCY,
    CheckKind.SEX: QualityDimension.CONSISTENCY,
    CheckKind.ID_BY_TYPE: QualityDimension.CONFORMITY,
    CheckKind.VALID_ON: QualityDimension.CONFORMITY,
    CheckKind.EXISTS: QualityDimension.CONSISTENCY,
    CheckKind.UNCLASSIFIED: QualityDimension.CONFORMITY,
    CheckKind.CLEAR_WORDING: QualityDimension.CONFORMITY,
    CheckKind.GUIDE: QualityDimension.COMPLETENESS,
    CheckKind.TIMELY: QualityDimension.TIMELINESS,
    CheckKind.VOLUME: QualityDimension.COMPLETENESS,
    CheckKind.DRIFT: QualityDimension.CONSISTENCY,
}
"""After GB/T 36344-2018: type, length, range and uniqueness are sub-indices of accuracy; standards
and reference data (code lists) of conformity; agreement of related data of consistency."""

OF_BATCH = frozenset({CheckKind.TIMELY, CheckKind.VOLUME, CheckKind.DRIFT})
"""Kinds that judge a delivery as a whole: they count one, and point at no row."""

OF_ALL_ROWS = OF_BATCH | {CheckKind.UNIQUE}
"""Kinds whose result over all rows is not that over some and over the others together."""
