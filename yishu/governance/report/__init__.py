"""The quality report of a month: gathered from the ledger, shown as one page that needs nothing.

It holds counts, names of departments, entries and checks, and masked keys; no value of a row.
"""

from yishu.governance.report.gather import Report, gather
from yishu.governance.report.page import render

__all__ = ["Report", "gather", "render"]
