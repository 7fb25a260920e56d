"""What a change of a column would touch: subjects, their columns, and open grants."""

from dataclasses import dataclass

from sqlalchemy import Connection

from yishu.ledger.lineage import recorded_events
from yishu.ledger.statements import query
from yishu.lineage.facts import ColumnRef
from yishu.lineage.graph import Graph, graph_of
from yishu.lineage.naming import DatasetName

_SHARED = ("unified/", "subject/")


@dataclass(frozen=True)
class Touched:
    """A published column that gets values from the changed one, and who is served it.

    Attributes:
        table: ``unified/<entry>`` or ``subject/<subject>``.
        grants: Ids of grants in force that name the column.
        consumers: The bodies that hold them.
    """

    table: str
    column: str
    steps: int
    grants: tuple[str, ...]
    consumers: tuple[str, ...]


def recorded_graph(connection: Connection) -> Graph:
    """The graph of all events in the ledger."""
    return graph_of(recorded_events(connection))


def impact(connection: Connection, graph: Graph, column: ColumnRef) -> list[Touched]:
    """The published columns downstream of a column, nearest first, with the grants on each.

    The column itself is told too where it is a published one.

    Raises:
        ColumnUnknown: no event tells of the column.
    """
    grants = connection.execute(query("grants_in_force")).all()
    found = [(column, 0), *((one.column, one.steps) for one in graph.downstream(column))]
    touched = []
    for reached, steps in found:
        if reached.dataset.name.startswith(_SHARED):
            table = reached.dataset.name
            served = [
                one
                for one in grants
                if one.object_id == table.partition("/")[2] and reached.field in one.columns
            ]
            touched.append(
                Touched(
                    table,
                    reached.field,
                    steps,
                    tuple(one.grant_id for one in served),
                    tuple(sorted({one.consumer_org for one in served})),
                )
            )
    return touched


def column_named(graph: Graph, text: str) -> ColumnRef:
    """The column of ``data set name`` and ``field``, separated by ``#``: ``subject/x#name``.

    Raises:
        ColumnUnknown: when it is asked for and no event tells of it.
    """
    name, _, field = text.rpartition("#")
    for column in graph.named(name):
        if column.field == field:
            return column
    return ColumnRef(DatasetName("yishu", name), field)
