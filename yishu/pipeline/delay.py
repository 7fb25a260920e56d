"""How long a department's change took to become visible: from its own stamp to the published row.

Known where an entry's rows are stamped with the moment of their change. It is the longest delay of
the pull: that of the first change that no pull before had seen.
"""

from datetime import datetime, timedelta

from catalog.model import CatalogEntry
from catalog.vocabulary import DataType
from yishu.pipeline.position import stamp_of
from yishu.pipeline.pull import PullReceipt


def longest_delay(
    entry: CatalogEntry, receipt: PullReceipt, committed_at: datetime
) -> timedelta | None:
    """The longest delay of a published pull; None where stamps are no moments, or nothing was new.

    Args:
        entry: The entry, as it was pulled.
        receipt: What the pull brought.
        committed_at: When its rows became visible, with its zone.
    """
    mark = entry.source.watermark
    if mark is None or mark.type is not DataType.TIMESTAMP or receipt.first_new is None:
        return None
    first = stamp_of(entry.source, receipt.first_new)
    if receipt.until is not None or not isinstance(first, datetime):
        # What is filled in later was not late.
        return None
    return max(committed_at - first, timedelta())
