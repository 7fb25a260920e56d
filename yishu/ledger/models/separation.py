"""Separation of duties as a constraint: who does the second thing did not do the first.

A table that holds both acts names the columns ``<act>_person`` and ``<act>_org``. Where the first
act stands in another table, carry its person and organisation along in the foreign key, so that
the constraint sees both.
"""

from sqlalchemy import CheckConstraint


def separated(first: str, second: str, *, by_org: bool = True) -> CheckConstraint:
    """Two acts are done by different people, and with ``by_org`` for different organisations."""
    sides = ["person", "org"] if by_org else ["person"]
    different = " and ".join(f"{first}_{side} <> {second}_{side}" for side in sides)
    return CheckConstraint(
        f"{first}_person is null or {second}_person is null or ({different})",
        name=f"{second}_is_not_{first}",
    )
