"""Digests: one notice a recipient instead of one mail a clock."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from catalog.promise import Party
from catalog.roles import Role
from yishu.clocks import beijing_day
from yishu.clocks.duty import Duty, Step, told
from yishu.governance.clock_rules import ClockRules
from yishu.governance.notices import Notice
from yishu.governance.promises import Standing

_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Reminder:
    """A threshold that a clock has reached."""

    standing: Standing
    step: Step

    @property
    def key(self) -> tuple[str, date, str]:
        """What a reminder is there once for."""
        return self.standing.row.clock_id, self.standing.status.due_on, self.step.threshold.value

    @property
    def order(self) -> tuple[date, str]:
        """The nearest or longest passed last day first."""
        return self.standing.status.due_on, self.standing.row.clock_id


def digests(reminders: Sequence[Reminder], rules: ClockRules, now: datetime) -> Iterator[Notice]:
    """One notice for each role of a body that hears of something."""
    by_recipient: dict[tuple[str, Role], list[Reminder]] = {}
    known: dict[tuple[Duty, Party, str], list[tuple[str, Role]]] = {}
    for reminder in reminders:
        one = reminder.standing
        whose = (reminder.step.duty, one.status.holder, one.row.holder_org)
        if whose not in known:
            known[whose] = sorted(set(_recipients(*whose, rules)))
        for recipient in known[whose]:
            by_recipient.setdefault(recipient, []).append(reminder)
    for (org, role), items in by_recipient.items():
        yield _digest(org, role, items, rules, now)


def _recipients(
    duty: Duty, holder: Party, holder_org: str, rules: ClockRules
) -> Iterator[tuple[str, Role]]:
    duties = {duty, Duty.OFFICER}
    if holder_org not in rules.departments:
        # Whoever held it does not exist any more: the authority has to find a successor.
        duties = {Duty.AUTHORITY}
    for each in sorted(duties):
        party, role = told(each, holder)
        yield rules.org_of(party, holder_org), role


def _digest(
    org: str, role: Role, items: Sequence[Reminder], rules: ClockRules, now: datetime
) -> Notice:
    day = beijing_day(now)
    lines = [_line(item, rules) for item in items[:_MOST_LINES]]
    if len(items) > _MOST_LINES:
        lines.append(f"其余 {len(items) - _MOST_LINES} 项见计时看板。")
    keys = "\n".join(str(item.key) for item in items)
    fingerprint = hashlib.sha256(keys.encode()).hexdigest()[:16]
    late = sum(item.standing.status.remaining < 0 for item in items)
    return Notice(
        key=f"digest:{day}:{org}:{role.value}:{fingerprint}",
        org=org,
        role=role,
        subject=f"办理期限提醒 {day}：{len(items)} 项，其中逾期 {late} 项",
        text="\n".join(lines),
        at=now,
        object_kind="clock_digest",
        object_id=f"{day}",
    )


def _line(item: Reminder, rules: ClockRules) -> str:
    row, status = item.standing.row, item.standing.status
    holder = rules.departments.get(row.holder_org, row.holder_org)
    marks = "（暂定）" if status.is_provisional else ""
    return (
        f"{item.step.threshold.label_zh}｜{item.standing.promise.name}｜{row.object_id}｜{holder}｜"
        f"截止 {status.due_on}{marks}"
    )
