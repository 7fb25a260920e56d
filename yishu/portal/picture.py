"""A picture of a flow: boxes in columns from left to right, lines between them; pure geometry.

A box stands right of everything that flows into it. In each column boxes are ordered by where
their neighbours stand, so that few lines cross; 300 boxes make a tall picture, not a knot.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

BOX_WIDTH, BOX_HEIGHT = 190, 40
COLUMN_GAP, ROW_GAP, MARGIN = 70, 12, 10
_ROUNDS = 4

Line = tuple[str, str]


@dataclass(frozen=True)
class Box:
    """A box of the picture: where its upper left corner is, in pixels."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Picture:
    """Boxes, lines as pairs of boxes, and the size in pixels."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[Box, Box], ...]
    width: int
    height: int


def picture(lines: Collection[Line], alone: Iterable[str] = ()) -> Picture:
    """The picture of a flow.

    Args:
        lines: From a name to a name.
        alone: Names that are drawn though no line touches them.
    """
    names = sorted({name for line in lines for name in line} | set(alone))
    columns = _columns(names, lines)
    boxes = _placed(_ordered(columns, lines), lines)
    lowest = max((box.y for box in boxes.values()), default=MARGIN)
    return Picture(
        tuple(boxes.values()),
        tuple((boxes[one], boxes[two]) for one, two in sorted(lines)),
        2 * MARGIN + max(len(columns), 1) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP,
        lowest + BOX_HEIGHT + MARGIN,
    )


def _placed(columns: list[list[str]], lines: Collection[Line]) -> dict[str, Box]:
    """Each box at the height of what flows into it, or below the box above it."""
    before = defaultdict(set)
    for one, two in lines:
        before[two].add(one)
    boxes: dict[str, Box] = {}
    for column, held in enumerate(columns):
        x, free = MARGIN + column * (BOX_WIDTH + COLUMN_GAP), MARGIN
        for name in held:
            heights = [boxes[one].y for one in before[name] if one in boxes]
            y = max(free, round(fmean(heights)) if heights else free)
            boxes[name] = Box(name, x, y)
            free = y + BOX_HEIGHT + ROW_GAP
    return boxes


def _columns(names: Sequence[str], lines: Collection[Line]) -> list[list[str]]:
    """Names by the longest way that leads to them; a cycle ends where it began."""
    before = defaultdict(set)
    for one, two in lines:
        if one != two:
            before[two].add(one)
    depth = dict.fromkeys(names, 0)
    for _ in names:
        deeper = {name: max((depth[one] + 1 for one in before[name]), default=0) for name in names}
        if deeper == depth or max(deeper.values()) >= len(names):
            break
        depth = deeper
    levels = sorted(set(depth.values()))
    return [[name for name in names if depth[name] == level] for level in levels]


def _ordered(columns: list[list[str]], lines: Collection[Line]) -> list[list[str]]:
    near = defaultdict(set)
    for one, two in lines:
        near[one].add(two)
        near[two].add(one)
    for _ in range(_ROUNDS):
        place = {name: row for held in columns for row, name in enumerate(held)}
        columns = [
            sorted(held, key=lambda name: (_middle(near[name], place, place[name]), name))
            for held in columns
        ]
    return columns


def _middle(neighbours: Collection[str], place: dict[str, int], own: int) -> float:
    return fmean(place[one] for one in neighbours) if neighbours else float(own)
