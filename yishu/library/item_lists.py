"""What special lists and charged items promise, checked against the items and cases themselves."""

from dataclasses import dataclass
from pathlib import Path

from yishu.library.place import subject_table
from yishu.library.read import read, relation, session

NO_MEETING, ONE_MEETING, ONE_VISIT = "no_meeting", "one_meeting", "one_visit"
MOST_VISITS = {NO_MEETING: 0, ONE_MEETING: 1, ONE_VISIT: 1}
"""How often an item on a list may ask its applicant to come (S000 二(二)3)."""


@dataclass(frozen=True)
class ListConflict:
    """An item on a list that it does not fit.

    Attributes:
        reason: ``too_many_visits``, or the other list that excludes this one.
    """

    implementation_code: str
    service_list: str
    reason: str


def list_conflicts(root: Path) -> list[ListConflict]:
    """Items that are on a list against its rule, sorted (SUB-11).

    Raises:
        TableMissing: lists or items are not published.
    """
    columns = ["implementation_code", "visit_count"]
    items = read(root, subject_table("service_item"), columns=columns)
    visits = dict(zip(*(column.to_pylist() for column in items.columns), strict=True))
    lists: dict[str, set[str]] = {}
    columns = ["implementation_code", "service_list"]
    for row in read(root, subject_table("service_list"), columns=columns).to_pylist():
        lists.setdefault(row["implementation_code"], set()).add(row["service_list"])
    found = []
    for item, on in sorted(lists.items()):
        for name, most in MOST_VISITS.items():
            if name in on and (visits.get(item) or 0) > most:
                found.append(ListConflict(item, name, "too_many_visits"))
        if {NO_MEETING, ONE_MEETING} <= on:
            found.append(ListConflict(item, NO_MEETING, ONE_MEETING))
    return found


def unpaid_cases(root: Path) -> list[tuple[str, str]]:
    """Accepted cases of charged items without any payment on record (SUB-18).

    Returns:
        Case number and implementation code, sorted.

    Raises:
        TableMissing: cases, items or payments are not published.
    """
    with session() as connection:
        for subject in ("case_application", "service_item", "case_payment"):
            relation(connection, root, subject_table(subject)).create_view(subject)
        return connection.sql(
            "SELECT case_no, implementation_code "
            "FROM case_application JOIN service_item USING (implementation_code) "
            "WHERE is_charged AND accepted_at IS NOT NULL "
            "AND case_no NOT IN (SELECT case_no FROM case_payment WHERE case_no IS NOT NULL) "
            "ORDER BY case_no"
        ).fetchall()
