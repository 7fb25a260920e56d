"""The line of duty: who is reminded when a last day comes near, and who after it has passed.

One reminder a threshold; escalation goes up from the officer to the head of the department, then
to the data authority, then to whoever supervises (S002 二（八）; the days are local choices).
"""

from dataclasses import dataclass
from functools import lru_cache

from catalog.promise import Party
from catalog.roles import Role
from catalog.vocabulary import Labelled


class Threshold(Labelled):
    """How far a last day is, in working days."""

    T_MINUS_3 = "t-3", "还剩 3 个工作日"
    T_MINUS_1 = "t-1", "还剩 1 个工作日"
    T = "t", "今日到期"
    AFTER = "t+1", "已逾期"
    AFTER_3 = "t+3", "逾期 3 个工作日"
    AFTER_5 = "t+5", "逾期 5 个工作日"


class Duty(Labelled):
    """Whose turn to hear of it; `told` says which role that is for whoever holds the file."""

    OFFICER = "officer", "经办"
    HEAD = "head", "负责人"
    AUTHORITY = "authority", "数据主管部门"
    SUPERVISOR = "supervisor", "监督"


@dataclass(frozen=True)
class Step:
    """A threshold, the working days left at which it is reached, and who then hears of it."""

    threshold: Threshold
    remaining: int
    duty: Duty


LINE = (
    Step(Threshold.T_MINUS_3, 3, Duty.OFFICER),
    Step(Threshold.T_MINUS_1, 1, Duty.OFFICER),
    Step(Threshold.T, 0, Duty.OFFICER),
    Step(Threshold.AFTER, -1, Duty.HEAD),
    Step(Threshold.AFTER_3, -3, Duty.AUTHORITY),
    Step(Threshold.AFTER_5, -5, Duty.SUPERVISOR),
)

_OFFICER = {
    Party.DEPARTMENT: Role.DEPARTMENT_OFFICER,
    Party.DATA_AUTHORITY: Role.AUTHORITY_REVIEWER,
    Party.DATA_OPERATOR: Role.CENTRE_OPERATOR,
}


@lru_cache(1024)
def reached(remaining: int) -> Step | None:
    """The last step that is reached with so many working days left; None: none is yet.

    Those before it need not be made up for: who is told that it is late need not hear that it
    would have been due.
    """
    return next((step for step in reversed(LINE) if remaining <= step.remaining), None)


def told(duty: Duty, holder: Party) -> tuple[Party, Role]:
    """Which role of which party hears of a file that a party holds."""
    if duty is Duty.OFFICER:
        return holder, _OFFICER[holder]
    if duty is Duty.HEAD:
        return holder, Role.DEPARTMENT_HEAD
    if duty is Duty.AUTHORITY:
        return Party.DATA_AUTHORITY, Role.AUTHORITY_REVIEWER
    return Party.DATA_AUTHORITY, Role.QUALITY_MONITOR
