"""Charts of quality: the heat map of departments by dimensions, and the days of a month.

The same figures stand in a table below each chart: colour and pointer are never the only way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from catalog.vocabulary import QualityDimension
from yishu.governance.months import MonthScore
from yishu.governance.scores import DayOfRows, Scores

PIECES = (
    {"gte": 99.9, "label": "≥ 99.9", "color": "#63b3ed"},
    {"gte": 99, "lt": 99.9, "label": "99 – 99.9", "color": "#bee3f8"},
    {"gte": 95, "lt": 99, "label": "95 – 99", "color": "#fefcbf"},
    {"gte": 80, "lt": 95, "label": "80 – 95", "color": "#f6ad55"},
    {"lt": 80, "label": "< 80", "color": "#fc8181"},
)
"""Colours of scores, worst red; blue instead of green, which many men cannot tell from red."""

_ROW, _AROUND, _LEAST = 28, 80, 220
"""Pixels of a department's row, of what stands around all rows, and of the legend of colours."""


def department_path(org: str, period: str, dimension: str = "") -> str:
    """Where the failing rules of a department are, of one dimension or of all."""
    chosen = f"&dimension={dimension}" if dimension else ""
    return f"/quality/departments/{quote(org)}?period={period}{chosen}"


def heat_height(scores: Scores) -> int:
    """How many pixels the heat map needs."""
    return max(_LEAST, _AROUND + _ROW * len(scores.departments))


def heat_map(
    scores: Scores,
    org_name: Callable[[str], str],
    say: Callable[[str], str],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Departments by total and dimensions; a cell leads to the rules that failed there.

    Args:
        scores: The figures of a month.
        org_name: Names a body.
        say: A Chinese text in the reader's language.
        labels: Names of the dimensions, by value.
    """
    columns = [say("总分"), *(labels[one.value] for one in QualityDimension)]
    return {
        "title": {"text": say("部门与维度得分"), "textStyle": {"fontSize": 13}},
        "tooltip": {"formatter": "{b}"},
        "grid": {"left": 170, "right": 110, "top": 64, "bottom": 8},
        "xAxis": {
            "type": "category", "data": columns, "position": "top", "axisLine": {"show": False},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [org_name(org) for org in scores.departments],
            "axisLabel": {"width": 150, "overflow": "truncate"},
        },
        "visualMap": {
            "type": "piecewise", "pieces": list(PIECES), "dimension": 2,
            "right": 0, "top": 64, "orient": "vertical",
        },
        "series": [
            {
                "type": "heatmap",
                "data": list(_cells(scores, org_name, columns)),
                "label": {"show": True, "formatter": "{@[2]}", "color": "#182433"},
                "itemStyle": {"borderColor": "#fff", "borderWidth": 2},
            }
        ],
    }  # fmt: skip


def _cells(
    scores: Scores, org_name: Callable[[str], str], columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for row, (org, own) in enumerate(scores.departments.items()):
        figures = {"": scores.total(own)}
        figures |= {name: figure.percent for name, figure in own.items()}
        for place, name in enumerate(("", *(one.value for one in QualityDimension))):
            if (percent := figures.get(name)) is not None:
                yield {
                    "name": f"{org_name(org)} · {columns[place]}: {percent}",
                    "value": [place, row, _short(percent)],
                    "href": department_path(org, scores.period, name),
                }


def _short(percent: Decimal) -> float:
    # Cut, never rounded up: 99.999 must not be shown as perfection.
    return int(percent * 100) / 100


def months_chart(scores: Sequence[MonthScore], say: Callable[[str], str]) -> dict[str, Any]:
    """The total of each month; a month without one is a gap, never a line through it."""
    totals = [None if one.total is None else _short(one.total) for one in scores]
    return {
        "title": {"text": say("各月总分"), "textStyle": {"fontSize": 13}},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 56, "right": 24, "top": 40, "bottom": 24},
        "xAxis": {"type": "category", "data": [one.month for one in scores]},
        "yAxis": {"type": "value", "max": 100, "scale": True},
        "series": [
            {
                "type": "line",
                "name": say("总分"),
                "color": "#2b6cb0",
                "symbolSize": 8,
                "connectNulls": False,
                "data": totals,
            }
        ],
    }


def days_chart(days: Sequence[DayOfRows], say: Callable[[str], str]) -> dict[str, Any]:
    """Rows of each day as bars, the share that was not quarantined as a line."""
    return {
        "title": {"text": say("每日检查行次与合格率"), "textStyle": {"fontSize": 13}},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 72, "right": 56, "top": 40, "bottom": 24},
        "xAxis": {"type": "category", "data": [f"{one.day:%m-%d}" for one in days]},
        "yAxis": [
            {"type": "value"},
            {"type": "value", "max": 100, "scale": True, "splitLine": {"show": False}},
        ],
        "series": [
            {
                "type": "bar",
                "name": say("检查行次"),
                "barMaxWidth": 28,
                "color": "#90cdf4",
                "data": [one.rows for one in days],
            },
            {
                "type": "line",
                "name": say("合格率"),
                "yAxisIndex": 1,
                "color": "#c05621",
                "data": [None if one.share is None else round(100 * one.share, 2) for one in days],
            },
        ],
    }
