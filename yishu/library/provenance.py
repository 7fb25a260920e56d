"""The columns by which every row of the library says where it came from."""

from collections.abc import Iterable

PROVIDER_ORG = "_provider_org"
ENTRY_ID = "_entry_id"
RUN_ID = "_run_id"
LANDED_ROW = "_landed_row"

JOINED_RUN = "_run_id__"
"""Prefix of a subject's columns that name the run of each joined entry."""


def joined_run(entry_id: str) -> str:
    """The column of a subject that names the run of a joined entry's row."""
    return JOINED_RUN + entry_id.replace(".", "__")


def is_run_fact(column: str) -> bool:
    """Whether a column tells which run brought a row, and so is no content of it."""
    return column in (RUN_ID, LANDED_ROW) or column.startswith(JOINED_RUN)


def content_columns(columns: Iterable[str]) -> list[str]:
    """The columns that are content: business values, department and entry."""
    return [column for column in columns if not is_run_fact(column)]
