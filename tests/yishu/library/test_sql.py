"""SQL over the library sees its tables, hidden as told, and nothing else."""

import pytest

from catalog.vocabulary import Mask
from yishu.library.errors import StatementRefused
from yishu.library.sql import run_sql

ABC = {"A": "甲公司", "B": "乙公司", "C": "丙公司"}
OPEN = {"uscc": Mask.NONE, "capital": Mask.NONE}


@pytest.fixture
def ask(publish, root, table):
    """Ask two versions of one table; names are hidden but for their first character."""
    publish("r1", ABC)
    publish("r2", {"A": "甲公司"})

    def run(statement, **more):
        masks = {**OPEN, "name": Mask.NAME}
        facts = {"masks": lambda _: masks, "limit": 10, **more}
        return run_sql(root, statement.format(t=f'"{table}"'), **facts).to_pylist()

    return run


def test_a_select_joins_groups_and_counts(ask, table):
    assert ask("select count(*) as n from {t}") == [{"n": 1}]
    assert ask("with x as (select * from {t}) select x.uscc from x join {t} y using (uscc)") == [
        {"uscc": "A"}
    ]
    assert ask("select count(*) as n from {t}", versions={table: 0}) == [{"n": 3}]
    assert len(ask("select * from {t}", versions={table: 0}, limit=2)) == 2


def test_a_hidden_column_stays_hidden_whatever_is_asked_of_it(ask):
    assert ask("select name from {t}") == [{"name": "甲**"}]
    assert ask("select uscc from {t} where name = '甲公司'") == []
    assert ask("select substr(name, 2, 1) as c from {t}") == [{"c": "*"}]


@pytest.mark.parametrize(
    "statement",
    [
        "select 1; select 2",
        "drop table {t}",
        "copy {t} to 'x.csv'",
        "attach 'x.db'",
        "set memory_limit = '1GB'",
        "select * from read_parquet('/etc/passwd')",
        "select * from 'file.parquet'",
        'select * from "subject/nobody"',
        "select (select content from read_text('/etc/passwd'))",
        "select * from {t} where uscc in (select x from glob('*') g(x))",
        "select from where",
        "select nobody from {t}",
    ],
)
def test_anything_else_is_refused(ask, statement):
    with pytest.raises(StatementRefused):
        ask(statement)
