"""Working days: the table against two other calendars, golden values, years without a notice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yishu.clocks import WorkingDays, beijing_day
from yishu.clocks.errors import CalendarFaulty, MomentWithoutZone, OutsideCalendar
from yishu.clocks.table import DayKind, LocalDay, LocalKind, NoticeDay, read_local, read_notice

EVERY_DAY = [
    date(2004, 1, 1) + timedelta(n) for n in range((date(2027, 1, 1) - date(2004, 1, 1)).days)
]


@pytest.mark.requirement("SUP-05")
def test_every_day_of_2004_to_2026_is_what_chinesecalendar_says(calendar):
    wrong = [d for d in EVERY_DAY if calendar.is_working(d) is not chinese_calendar.is_workday(d)]

    assert wrong == []


def test_every_day_but_one_is_what_holidays_says(calendar):
    china = holidays.China(years=range(2004, 2027))
    wrong = [d for d in EVERY_DAY if calendar.is_working(d) is not china.is_working_day(d)]

    assert wrong == [date(2005, 12, 31)]


@pytest.mark.requirement("SUP-05")
@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-09-24", 1, "2026-09-28"),
        ("2026-09-24", 2, "2026-09-29"),
        ("2026-09-24", 5, "2026-10-09"),
        ("2026-09-24", 10, "2026-10-15"),
        ("2026-09-24", 15, "2026-10-22"),
        ("2026-09-24", 20, "2026-10-29"),
        ("2026-09-19", 10, "2026-10-09"),
        ("2026-02-12", 10, "2026-03-04"),
        ("2026-04-29", 10, "2026-05-15"),
        ("2026-02-11", 10, "2026-03-03"),
        # Received on a Saturday before a make-up Sunday, on a holiday, on a Sunday.
        ("2026-09-19", 1, "2026-09-20"),
        ("2026-10-01", 1, "2026-10-08"),
        ("2026-11-22", 10, "2026-12-04"),
    ],
)
def test_golden_values(calendar, received, days, due):
    assert calendar.add(date.fromisoformat(received), days) == date.fromisoformat(due)


def test_the_year_has_so_many_working_days(calendar):
    counted = [calendar.count(date(y - 1, 12, 31), date(y, 12, 31)) for y in (2024, 2025, 2026)]

    assert counted == [251, 248, 248]


@given(
    day=st.dates(date(2005, 1, 1), date(2026, 12, 31)), days=st.integers(min_value=1, max_value=300)
)
def test_adding_and_counting_undo_each_other(calendar, day, days):
    due = calendar.add(day, days)

    assert calendar.is_working(due)
    assert calendar.count(day, due) == days
    assert calendar.count(due, day) == -days


def test_no_days_end_on_the_next_working_day(calendar):
    assert calendar.add(date(2026, 10, 1), 0) == date(2026, 10, 8)
    assert calendar.add(date(2026, 9, 20), 0) == date(2026, 9, 20)


@pytest.mark.parametrize("received", ["2026-12-04", "2026-12-11", "2026-12-18", "2026-12-31"])
def test_a_limit_that_reaches_into_a_year_without_notice_is_provisional(calendar, received):
    start = date.fromisoformat(received)
    due = calendar.add(start, 20)

    assert due.year == 2027
    assert calendar.is_provisional(start, due)
    assert not calendar.is_provisional(start, date(2026, 12, 31))


def test_statutory_days_of_a_year_without_notice_are_off(calendar):
    assert not calendar.is_working(date(2027, 1, 1))
    assert calendar.add(date(2026, 12, 11), 15) == date(2027, 1, 4)


def test_a_loaded_notice_changes_version_and_days(table, calendar):
    days = [
        NoticeDay(2027, date(2027, 1, 1), DayKind.HOLIDAY, "元旦", "n"),
        NoticeDay(2027, date(2027, 1, 2), DayKind.MAKE_UP_WORKDAY, "元旦", "n"),
    ]
    loaded = WorkingDays(replace(table, notices={**table.notices, 2027: days}))

    assert loaded.add(date(2026, 12, 31), 1) == date(2027, 1, 2)
    assert calendar.add(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert loaded.version != calendar.version
    assert not loaded.is_provisional(date(2026, 12, 31), date(2027, 1, 2))


def test_a_day_off_for_a_typhoon_moves_a_limit_on(table, calendar):
    typhoon = LocalDay(date(2026, 11, 25), LocalKind.DAY_OFF, "台风停工", "锡应急〔2026〕1号")
    local = WorkingDays(replace(table, local=[typhoon]))

    assert local.add(date(2026, 11, 24), 1) == date(2026, 11, 26)
    assert calendar.add(date(2026, 11, 24), 1) == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("today", "missing"),
    [("2026-10-31", None), ("2026-11-01", 2027), ("2027-03-01", 2027), ("2025-11-01", None)],
)
def test_a_missing_notice_is_noticed_from_november(calendar, today, missing):
    assert calendar.missing_year(date.fromisoformat(today)) == missing


def test_a_moment_lies_on_its_day_in_beijing():
    late = datetime(2026, 9, 24, 15, 59, 59, tzinfo=UTC)

    assert beijing_day(late) == date(2026, 9, 24)
    assert beijing_day(late + timedelta(seconds=1)) == date(2026, 9, 25)
    with pytest.raises(MomentWithoutZone):
        beijing_day(late.replace(tzinfo=None))


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2051, 1, 1)])
def test_days_of_which_nothing_is_known_are_refused(calendar, day):
    with pytest.raises(OutsideCalendar) as refused:
        calendar.add(day, 1)
    assert "2004-01-01 to 2050-12-31" in refused.value.expected


HEADER = "year,date,kind,name,notice\n"
WHOLE = "".join(
    f"2027,2027-{md},holiday,节日,国办发明电〔2026〕9号\n"
    for md in ("01-01", "05-01", "10-01", "10-02", "10-03")
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_notice_is_read_as_a_clerk_saved_it(encoding):
    extra = "2027,2026-12-26,make_up_workday,元旦,国办发明电〔2026〕9号\n"
    days = read_notice("n.csv", (HEADER + WHOLE + extra).encode(encoding), 2027)

    assert len(days) == 6
    assert days[0].notice == "国办发明电〔2026〕9号"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("date,kind\n", "columns"),
        (HEADER + WHOLE + "2027,2027-02-30,holiday,x,n\n", "line 7"),
        (HEADER + WHOLE + "2027,2027-02-03,feast,x,n\n", "feast"),
        (HEADER + WHOLE + "2027,2027-05-01,holiday,x,n\n", "a second time"),
        (HEADER + WHOLE + "2026,2026-02-03,holiday,x,n\n", "notice for 2026"),
        (HEADER + WHOLE + "2027,2027-02-03,make_up_workday,x,n\n", "no weekend"),
        (HEADER + WHOLE.replace("2027-10-03", "2027-10-04"), "2027-10-03 is no holiday"),
        (HEADER + WHOLE + "2027,2027-06-09,holiday,端午,\n", "no number"),
    ],
)
def test_a_faulty_notice_is_refused_with_what_is_wrong(text, named):
    with pytest.raises(CalendarFaulty) as refused:
        read_notice("n.csv", text.encode(), 2027)
    assert named in refused.value.found


def test_a_local_day_needs_the_document_that_orders_it():
    with pytest.raises(CalendarFaulty, match="no document"):
        read_local("l.csv", "date,kind,name,document\n2026-11-25,day_off,台风,\n".encode())
