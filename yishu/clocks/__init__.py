"""Clocks: working days, promises and their status; pure, time and calendar are arguments."""

from yishu.clocks.working_days import BEIJING, WorkingDays, beijing_day

__all__ = ["BEIJING", "WorkingDays", "beijing_day"]
