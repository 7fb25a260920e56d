"""Values at the edges of what carries them: lengths of MySQL's protocol, digits of PostgreSQL."""

import random
import secrets
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from yishu.sources import Connection, SourceUnreadable, open_source

LENGTHS = [0, 1, 250, 251, 252, 65_535, 65_536, 2**24 - 20, 2**24 - 1, 2**24, 2**24 + 5]
"""A length is told in 1, 3, 4 or 9 bytes, and a row of more than 16 MB takes several packets."""


def test_values_of_every_length_of_the_protocol_arrive_whole(mariadb: Any) -> None:
    name = f"l{secrets.token_hex(5)}"
    url = mariadb.fresh(name)
    filled = [
        f"insert into t values ({number}, repeat('{number % 10}', {length}), null)"
        for number, length in enumerate(LENGTHS)
    ]
    mariadb.run("create table t (n int, v longtext, w text)", *filled, database=name)
    spec = SourceSpec(connection="d", kind=SystemKind.SQL, table="t")

    with open_source(spec, Connection("d", spec.kind, url)) as source:
        rows = [row for batch in source.read(["n", "w", "v"]) for row in batch.to_pylist()]

    assert [(row["n"], len(row["v"]), row["w"]) for row in rows] == [
        (number, length, None) for number, length in enumerate(LENGTHS)
    ]
    assert all(set(row["v"]) <= {str(row["n"] % 10)} for row in rows)


def amounts(precision: int, scale: int) -> list[Decimal | None]:
    """Smallest, largest, and many between them, none among them."""
    rng = random.Random(precision * 100 + scale)  # noqa: S311  values of a test
    most = 10**precision - 1
    whole = [most, -most, 0, 1, -1, *(rng.randint(-most, most) for _ in range(200))]
    found: list[Decimal | None] = [Decimal(f"{number}e-{scale}") for number in whole]
    return [None, *found, None]


@pytest.mark.parametrize(
    ("precision", "scale"), [(1, 0), (9, 9), (18, 0), (18, 2), (18, 18), (19, 2), (38, 10)]
)
def test_numbers_of_any_precision_arrive_exactly_in_their_declared_type(
    fresh_database: str, precision: int, scale: int
) -> None:
    """Up to 18 digits they travel as whole numbers, beyond that as text."""
    expected = amounts(precision, scale)
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute(f"create table t (n int, v numeric({precision}, {scale}))")
        with owner.cursor() as cursor:
            cursor.executemany("insert into t values (%s, %s)", list(enumerate(expected)))
    spec = SourceSpec(connection="d", kind=SystemKind.POSTGRESQL, table="t")

    with open_source(spec, Connection("d", spec.kind, fresh_database)) as source:
        (batch,) = source.read(["v"])

    assert str(batch.schema.field("v").type) == f"decimal128({precision}, {scale})"
    assert batch.column(0).to_pylist() == expected


def test_of_several_columns_the_one_that_holds_no_number_is_named(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as owner:
        owner.execute("create table t (a numeric(9, 2), b numeric(9, 2), c numeric(9, 2))")
        owner.execute("insert into t values (1, 2, 3), (1, 'NaN', 3)")
    spec = SourceSpec(connection="d", kind=SystemKind.POSTGRESQL, table="t")

    with (
        open_source(spec, Connection("d", spec.kind, fresh_database)) as source,
        pytest.raises(SourceUnreadable, match="column b:"),
    ):
        list(source.read(["a", "b", "c"]))
