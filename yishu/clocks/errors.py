"""Errors of working days and clocks.

ClockError (YishuError)
├── OutsideCalendar    a day before the first notice or beyond the last statutory day on file
├── CalendarFaulty     a notice or an order that cannot be what was published
├── MomentWithoutZone  a moment whose Beijing day is unknown
└── PromiseUnknown     no profile has a promise of that name
"""

from catalog.errors import YishuError


class ClockError(YishuError):
    """A time limit cannot be computed as asked."""

    code = "CLOCK_ERROR"


class OutsideCalendar(ClockError):
    """Nothing is known about the working days around that day."""

    code = "CLOCK_OUTSIDE_CALENDAR"


class CalendarFaulty(ClockError):
    """Rows that cannot be what the State Council or the city published."""

    code = "CLOCK_CALENDAR_FAULTY"


class MomentWithoutZone(ClockError):
    """A moment without its zone could lie on another day in Beijing."""

    code = "CLOCK_MOMENT_WITHOUT_ZONE"


class PromiseUnknown(ClockError):
    """A promise that no profile makes."""

    code = "CLOCK_PROMISE_UNKNOWN"
