"""Lineage: questions to the graph of a city of 10,000 data sets and 200,000 columns.

2,500 entries of 20 columns through four layers, all joined to one key, so that one question walks
the whole graph. ``--size`` is the number of entries.
"""

import time
from itertools import pairwise

from harness import Options, Section, markdown

from yishu.lineage.facts import ColumnRef
from yishu.lineage.graph import Graph
from yishu.lineage.naming import DatasetName

TITLE = "Lineage queries"
LAYERS = ("source", "landing", "unified", "subject")
COLUMNS = 20
GOAL_MS = 200


def run(options: Options) -> Section:
    """Ask every kind of question as often as asked; the slowest counts."""
    entries = options.size or 2_500
    hub, graph = make_graph(entries)
    near, far = column("source/7", "c3"), column("subject/7", "c3")
    questions = {
        "downstream of everything": lambda: graph.downstream(hub),
        "upstream of one column": lambda: graph.upstream(far),
        "path between two columns": lambda: graph.path(near, far),
    }
    lines = []
    for name, ask in questions.items():
        slowest = max(_milliseconds(ask) for _ in range(options.rounds))
        lines.append([name, f"{len(ask()):,}", f"{slowest:.0f}", f"under {GOAL_MS}"])
    about = f"{entries * len(LAYERS):,} data sets, {entries * len(LAYERS) * COLUMNS:,} columns."
    return Section(
        TITLE, f"{about}\n\n{markdown(['question', 'columns', 'slowest ms', 'wanted'], lines)}"
    )


def column(name: str, field: str) -> ColumnRef:
    """A column of our own namespace."""
    return ColumnRef(DatasetName("yishu", name), field)


def make_graph(entries: int) -> tuple[ColumnRef, Graph]:
    """The key that everything is joined to, and the graph."""
    hub = column("unified/hub", "key")
    edges = []
    for entry in range(entries):
        for number in range(COLUMNS):
            way = [column(f"{layer}/{entry}", f"c{number}") for layer in LAYERS]
            edges += [(hub, way[0]), *pairwise(way)]
    return hub, Graph(edges)


def _milliseconds(ask: object) -> float:
    began = time.perf_counter()
    ask()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1_000
