"""Lineage: which table and column comes from which, up to the grants of consumers, as a picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from fastapi import APIRouter, Response
from sqlalchemy import Connection, Engine, func, select

from catalog.release import Release
from yishu.ledger.models import LineageEvent, ShareGrant
from yishu.lineage.facts import ColumnRef
from yishu.lineage.graph import Graph
from yishu.pipeline.impact import column_named, recorded_graph
from yishu.portal.depends import Db
from yishu.portal.navigation import Link
from yishu.portal.pages import Page, Reading
from yishu.portal.picture import Line, Picture, picture
from yishu.portal.world import World

router = APIRouter(prefix="/lineage", include_in_schema=False)
LINKS = (Link("数据血缘", "/lineage", 56),)

_LAYERS = {"landing": "落地", "unified": "统一库", "subject": "主题库", "share": "共享授权"}


@dataclass(frozen=True)
class Node:
    """What a box says: a name for people, what it is, and where a click leads."""

    title: str
    kind: str
    path: str


@router.get("")
def look(page: Reading, db: Db, data_set: str = "", column: str = "") -> Response:
    """The flow between tables: of the whole city, around one table, or of one column."""
    graph = graph_of(page.world, db)
    consumers = dict(db.execute(select(ShareGrant.grant_id, ShareGrant.consumer_org)).all())
    drawn = flow_of(graph, data_set, column)
    titles = page.world.names()
    columns = sorted({one.field for one in graph.named(data_set)}) if data_set else []
    return page.render(
        "lineage/lineage.html",
        drawn=drawn,
        nodes={box.name: _node(page, box.name, titles, consumers) for box in drawn.boxes},
        shown=_node(page, data_set, titles, consumers) if data_set else None,
        data_set=data_set,
        column=column,
        columns=columns,
        about=_page_of(page.world.release(), data_set),
    )


def graph_of(world: World, db: Connection) -> Graph:
    """What flows into what, as far as it is on record."""
    last = db.scalar(select(func.max(LineageEvent.number))) or 0
    return _graph(world.engine, last)


def flow_of(graph: Graph, data_set: str, column: str) -> Picture:
    """The flow between tables: of the whole city, around one table, or of one column."""
    if data_set and column:
        return _of_column(graph, f"{data_set}#{column}")
    return around(graph, data_set)


@lru_cache(maxsize=2)
def _graph(engine: Engine, last: int) -> Graph:
    del last  # only there so that new events are read
    with engine.connect() as connection:
        return recorded_graph(connection)


def around(graph: Graph, data_set: str) -> Picture:
    """Tables that flow into a table and those that it flows into; of all where none is named."""
    flows = {(one.dataset.name, two.dataset.name) for one, two in graph.edges}
    flows = {(one, two) for one, two in flows if one != two}
    if not data_set:
        return picture(flows)
    kept = _reached(flows, data_set) | _reached({(two, one) for one, two in flows}, data_set)
    return picture({(one, two) for one, two in flows if {one, two} <= kept}, [data_set])


def _reached(flows: Iterable[Line], start: str) -> set[str]:
    after: dict[str, set[str]] = {}
    for one, two in flows:
        after.setdefault(one, set()).add(two)
    found, edge = {start}, {start}
    while edge:
        edge = set().union(*(after.get(name, set()) for name in edge)) - found
        found |= edge
    return found


def _of_column(graph: Graph, text: str) -> Picture:
    """The columns that a column comes from and those that get its values."""
    start = column_named(graph, text)
    found = {one.column for one in (*graph.upstream(start), *graph.downstream(start))} | {start}
    lines = {(_named(one), _named(two)) for one, two in graph.edges if {one, two} <= found}
    return picture(lines, [_named(start)])


def _named(column: ColumnRef) -> str:
    return f"{column.dataset.name}#{column.field}"


def _node(page: Page, name: str, titles: Mapping[str, str], consumers: dict[str, str]) -> Node:
    table, _, column = name.partition("#")
    layer, _, rest = table.partition("/")
    if layer == "share":
        title = page.world.org_name(consumers.get(rest, rest))
        kind = f"{page.say('共享授权')} {rest}"
    else:
        title = titles.get(rest, table) if layer in _LAYERS else table
        kind = page.say(_LAYERS.get(layer, "部门系统"))
    if column:
        title, kind = column, f"{title} · {kind}"
    query = f"data_set={quote(table)}" + (f"&column={quote(column)}" if column else "")
    return Node(title, kind, f"/lineage?{query}")


def _page_of(release: Release, data_set: str) -> str | None:
    """Where the thing itself is looked at: an entry's page, a grant's channel."""
    layer, _, rest = data_set.partition("/")
    if layer == "share":
        return f"/sharing/channel/{rest}"
    return f"/catalog/entries/{rest}" if rest in release.entries else None
