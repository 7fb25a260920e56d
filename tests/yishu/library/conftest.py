"""Tiny tables of the library, and tiny catalogs whose tables feed subjects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.model import (
    Catalog,
    CatalogEntry,
    DataElement,
    DataItem,
    ElementSource,
    Scope,
    Subject,
    SubjectColumn,
)
from transforms.types import arrow_type
from yishu.library import Commit, build_subject, publish_snapshot, unified_table
from yishu.library.read import read

SCHEMA = pa.schema(
    [
        ("uscc", pa.string()),
        ("name", pa.string()),
        ("capital", pa.decimal128(18, 2)),
        pa.field("_provider_org", pa.string(), nullable=False),
        pa.field("_entry_id", pa.string(), nullable=False),
        pa.field("_run_id", pa.string(), nullable=False),
        pa.field("_landed_row", pa.int64(), nullable=False),
    ]
)


@pytest.fixture
def schema() -> pa.Schema:
    """Columns of the enterprises' table."""
    return SCHEMA


@pytest.fixture
def table() -> str:
    """Name of the enterprises' table."""
    return "unified/market_regulation.enterprise"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty library, in a folder whose name is not plain ASCII."""
    return tmp_path / "数据 库"


@pytest.fixture
def moment() -> datetime:
    """When the first run publishes; run ``r2`` a day later, and so on."""
    return datetime(2026, 1, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def enterprises() -> Callable[..., list[pa.RecordBatch]]:
    """Make batches of enterprises out of ``uscc=name`` pairs; one batch a row."""

    def make(run_id: str, names: dict[str, str | None]) -> list[pa.RecordBatch]:
        rows = [
            {
                "uscc": uscc,
                "name": name,
                "capital": None,
                "_provider_org": "market_regulation",
                "_entry_id": "market_regulation.enterprise",
                "_run_id": run_id,
                "_landed_row": position,
            }
            for position, (uscc, name) in enumerate(names.items())
        ]
        return [pa.RecordBatch.from_pylist([row], schema=SCHEMA) for row in rows]

    return make


@pytest.fixture
def publish(
    root: Path, table: str, moment: datetime, enterprises: Callable[..., list[pa.RecordBatch]]
) -> Callable[..., Commit]:
    """Publish enterprises by run ``r1``, ``r2``, ...; read from an iterator that ends for good."""

    def run(run_id: str, names: dict[str, str | None], **more: Any) -> Commit:
        facts = {
            "key": ["uscc"],
            "run_id": run_id,
            "committed_at": moment + timedelta(days=int(run_id.removeprefix("r")) - 1),
            "read": len(names),
            "metadata": {"entry_version": "4"},
        }
        return publish_snapshot(
            root, table, SCHEMA, iter(enterprises(run_id, names)), **(facts | more)
        )

    return run


WHEN = datetime(2026, 1, 1, tzinfo=UTC)
ENTERPRISE, SOCIETY, TAXPAYER = "market.enterprise", "civil.society", "tax.taxpayer"


def entry(entry_id, *items, key=()):
    """An entry with items given as ``field``, ``field=element`` or ``field=element:type``."""
    made = []
    for item in items:
        given, _, kind = item.partition(":")
        field, _, element = given.partition("=")
        facts = {"name": field, "field": field, "type": kind or "string", "sensitivity": "none"}
        made.append(DataItem(**facts, element=element or None))
    return CatalogEntry.model_construct(
        id=entry_id,
        version=1,
        provider_org=entry_id.partition(".")[0],
        items=tuple(made),
        key=tuple(key) or (made[0].field,),
    )


def element(element_id, *sources, kind="string"):
    """An element with sources given as ``entry`` or ``(entry, discriminator, value...)``."""
    made = []
    for source in sources:
        if isinstance(source, str):
            made.append(ElementSource(entry=source))
        else:
            made.append(
                ElementSource(entry=source[0], scope=Scope(by=source[1], values=source[2:]))
            )
    return DataElement(
        id=element_id, name="元素", type=kind, meaning="含义", sensitivity="none", sources=made
    )


def subject(subject_id, key, **columns):
    return Subject(
        id=subject_id,
        name="主题库",
        family="subject_applicant",
        meaning="含义",
        key=key,
        columns=[SubjectColumn(field=field, element=one) for field, one in columns.items()],
    )


def catalog(entries, elements):
    return Catalog.model_construct(
        entries={one.id: one for one in entries}, elements={one.id: one for one in elements}
    )


REGISTERED = [(ENTERPRISE, "registrar", "9"), (SOCIETY, "registrar", "5")]
LEGAL_ENTITY = subject(
    "legal_entity", ["uscc"], uscc="legal.uscc", name="legal.name", grade="legal.grade"
)
CITY = catalog(
    [
        entry(ENTERPRISE, "uscc=legal.uscc", "name=legal.name", "registrar"),
        entry(SOCIETY, "code=legal.uscc", "title=legal.name", "registrar"),
        entry(TAXPAYER, "uscc=legal.uscc", "taxpayer_name=legal.name", "grade=legal.grade"),
    ],
    [
        element("legal.uscc", *REGISTERED),
        element("legal.name", *REGISTERED),
        element("legal.grade", TAXPAYER),
    ],
)


class City:
    """A library whose unified tables are filled row by row."""

    def __init__(self, root: Path, rules: Catalog = CITY) -> None:
        self.root = root
        self.rules = rules

    def publish(self, entry_id, *rows, run="r1"):
        """Rows are ``a b c``; ``_`` is null."""
        one = self.rules.entries[entry_id]
        schema = pa.schema(
            [
                *((item.field, arrow_type(item)) for item in one.items),
                *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
                ("_landed_row", pa.int64()),
            ]
        )
        made = []
        for position, row in enumerate(rows):
            cells = zip(row.split(), schema.types, strict=False)
            values = [_cell(text, kind) for text, kind in cells]
            origin = [one.provider_org, one.id, run, position]
            made.append(dict(zip(schema.names, [*values, *origin], strict=True)))
        batch = pa.RecordBatch.from_pylist(made, schema=schema)
        return publish_snapshot(
            self.root,
            unified_table(entry_id),
            schema,
            [batch],
            key=["_landed_row"],
            run_id=run,
            committed_at=WHEN,
            read=len(rows),
        )

    def build(self, what=LEGAL_ENTITY, run="s1", **more):
        return build_subject(self.root, what, self.rules, run_id=run, committed_at=WHEN, **more)

    def rows(self, what=LEGAL_ENTITY, columns=None):
        table = read(self.root, f"subject/{what.id}", columns=columns or list(_fields(what)))
        return sorted((tuple(row.values()) for row in table.to_pylist()), key=str)


def _cell(text, kind):
    if text == "_":
        return None
    return Decimal(text) if pa.types.is_decimal(kind) else text


def _fields(what):
    return [column.field for column in what.columns]


def given(commit):
    return {
        one.entry_id: (one.rows_in, one.contributed, dict(one.reasons))
        for one in commit.contributions
    }


def not_linked(commit):
    rows = pq.read_table(commit.not_linked_path).to_pylist()
    return sorted((tuple(row.values()) for row in rows), key=str)


@pytest.fixture
def make() -> SimpleNamespace:
    """Makers of catalogs, of libraries after them, and readers of what a build did."""
    return SimpleNamespace(
        City=City,
        catalog=catalog,
        element=element,
        entry=entry,
        given=given,
        legal_entity=LEGAL_ENTITY,
        not_linked=not_linked,
        subject=subject,
    )


@pytest.fixture
def city(tmp_path):
    return City(tmp_path / "library")


@pytest.fixture
def three_sources(city):
    city.publish(ENTERPRISE, "E1 甲公司 9", "E2 乙公司 9", run="market-1")
    city.publish(SOCIETY, "S1 丙学会 5", run="civil-1")
    city.publish(TAXPAYER, "E1 甲公司 A", "S1 丙学会 B", run="tax-1")
    return city
