"""The report as one HTML file: no script, nothing fetched, good on paper."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from catalog.vocabulary import QualityDimension
from yishu.clocks import BEIJING
from yishu.governance.rates import Rate
from yishu.governance.report.gather import Report

_HEAT = (60, 80, 90, 95, 98, Decimal("99.5"))
"""Bounds of the heat map's colours, in per cent."""


def render(report: Report) -> str:
    """The report as a whole HTML document."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["figure"] = _figure
    made.filters |= {"weight": lambda text: f"{float(Fraction(text)):.1%}"}
    made.filters |= {"moment": _moment, "number": "{:,}".format, "score": _score, "heat": _heat}
    template = made.get_template("report.html")
    dimensions = list(QualityDimension)
    return str(template.render(report=report, dimensions=dimensions, line=_line(report.trend)))


def _moment(value: datetime) -> str:
    return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def _figure(name: str) -> str:
    named = {one.value: one.label_zh for one in (*QualityDimension, *Rate)}
    return str(named.get(name, "总分"))


def _score(value: Decimal | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _heat(value: Decimal | None) -> str:
    """Which colour a percentage has: ``h0``, the worst, to ``h6``; ``none`` where it is unknown."""
    return "none" if value is None else f"h{sum(value >= bound for bound in _HEAT)}"


def _line(trend: Sequence[tuple[str, Decimal | None]]) -> list[tuple[int, int, str, Decimal]]:
    """Points of the trend in a box of 600 x 120, from 0 at its lowest to the top at 100."""
    known = [total for _, total in trend if total is not None]
    low = min(known, default=Decimal(0)) - 1
    span = 100 - low
    step = 520 // max(len(trend) - 1, 1)
    return [
        (40 + place * step, round(100 - 80 * (total - low) / span), month, total)
        for place, (month, total) in enumerate(trend)
        if total is not None
    ]
