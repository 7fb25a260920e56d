"""The tables of ratings (好差评): on line and at the windows of the service hall."""

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index, spread
from example.services import (
    WINDOWS_EACH,
    Cases,
    approval_cases,
    labour_cases,
    only_where,
    window_ids,
)
from example.table import Facts, Place, Table, columns
from example.world import LAST_DAY, City, seconds

_RATING_FAULTS = (
    faults.duplicate("rating_no"),
    faults.missing("case_no"),
    faults.unknown_code("satisfaction", "6"),
    faults.unknown_code("rating_channel", "tablet"),
    faults.null_spelling("comment", nullable=True),
    faults.null_spelling("rater_name", nullable=True),
    faults.no_such("case_no"),
)


def _rating_facts(
    city: City, cases: Cases, mark: str, index: Index, case: Index
) -> dict[str, pa.Array]:
    dice = city.dice
    level = np.digitize(dice.below(f"{mark}.level", index, 100), (70, 92, 97, 99))
    words = ("办事很快", "态度很好", "等候时间较长", "材料要求不清楚")
    said = names.chosen(words, np.minimum(level, 3))
    later = cases.applied_second(city, case) + dice.below(f"{mark}.later", index, 864_000)
    day = np.minimum(cases.applied_day(case), LAST_DAY - 12)
    who = names.person_names(dice, f"{mark}.rater", index)
    return {
        "rating_no": codes.strings(
            np.concatenate([codes.repeated(mark, len(index)), codes.digits(index + 1, 12)])
        ),
        "case_no": codes.strings(cases.numbers(case)),
        "satisfaction": names.chosen(("1", "2", "3", "4", "5"), level),
        "service_round": pa.array(1 + dice.below(f"{mark}.round", index, 2)),
        "rater_name": only_where(pa.array(dice.often(f"{mark}.named", index, 60)), who),
        "rated_at": seconds(day, later),
        "comment": only_where(pa.array(dice.often(f"{mark}.said", index, 40)), said),
        "reported_at": seconds(day, later + 1 + dice.below(f"{mark}.reported", index, 600)),
    }


def _ratings(city: City, cases: Cases, mark: str, channels: tuple[str, ...]) -> Facts:
    def facts(index: Index) -> dict[str, pa.Array]:
        case = spread(index, cases.count)
        channel = city.dice.below(f"{mark}.channel", index, len(channels))
        found = _rating_facts(city, cases, mark, index, case)
        place = cases.items.region[cases.item(case)]
        window = place + len(names.REGIONS) * city.dice.below(f"{mark}.window", index, WINDOWS_EACH)
        at_window = pa.array(np.array([name == "hall" for name in channels])[channel])
        return {
            **found,
            "rating_channel": names.chosen(channels, channel),
            "window_id": only_where(at_window, window_ids(window)),
        }

    return facts


def online_rating(city: City) -> Table:
    """Ratings of approval cases, given on line, by code, by phone or by message."""
    cases = approval_cases(city)
    return Table(
        "administrative_approval.online_rating",
        "rating_no",
        Place("administrative_approval_db", "hcp_evaluate", typed=True),
        columns("""
            rating_no assess_no
            case_no project_no
            rating_channel pf
            satisfaction satisfaction
            service_round assess_number integer
            rater_name user_name
            rated_at assess_time datetime
            comment write_evaluation
            window_id window_no
            reported_at report_time datetime
        """),
        cases.count * 2 // 5,
        _ratings(city, cases, "XS", ("pc", "mobile", "qr_code", "phone", "sms")),
        (
            *_RATING_FAULTS,
            faults.out_of_scope("rating_channel", "hall"),
        ),
    )


def hall_rating(city: City) -> Table:
    """Ratings of the labour department's cases, given at the windows of the service hall."""
    cases = labour_cases(city)
    return Table(
        "service_hall.hall_rating",
        "rating_no",
        Place("service_hall_api", "hall_ratings"),
        columns("""
            rating_no ratingNo
            case_no projectNo
            rating_channel channel
            satisfaction satisfaction
            service_round serviceNumber integer
            rater_name userName
            rated_at ratingTime datetime
            comment comment
            window_id windowId
            reported_at reportTime datetime
        """),
        min(cases.count, city.share(20)),
        _ratings(city, cases, "DT", ("hall",)),
        (*_RATING_FAULTS, faults.impossible_date("rated_at")),
    )
