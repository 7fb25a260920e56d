"""Clocks: working days, promises and their status; pure, time and calendar are arguments."""

from yishu.clocks.promise import others_of, promise_of, strictest
from yishu.clocks.status import (
    CLOSING,
    ClockEvent,
    ClockState,
    ClockStatus,
    EventKind,
    Leg,
    earlier_elsewhere,
    legs,
    status,
    statuses,
)
from yishu.clocks.working_days import BEIJING, WorkingDays, beijing_day

__all__ = [
    "BEIJING",
    "CLOSING",
    "ClockEvent",
    "ClockState",
    "ClockStatus",
    "EventKind",
    "Leg",
    "WorkingDays",
    "beijing_day",
    "earlier_elsewhere",
    "legs",
    "others_of",
    "promise_of",
    "status",
    "statuses",
    "strictest",
]
