"""The limit: SQL written by hand for exactly these checks, one pass for rows, one for keys.

https://duckdb.org/docs/stable/guides/performance/how_to_tune_workloads: threads as many as cores,
insertion order not kept. Both check digits are sums of table look-ups, written out.
"""

from typing import Any

import duckdb
from common import told
from landed import CHECKS

_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_RESIDENT = {"weights": [pow(2, 17 - i, 11) for i in range(17)], "check": "10X98765432"}


def find(path: str) -> dict[str, Any]:
    """Row numbers of the failing rows, by check."""
    rows = f"read_parquet('{path}', file_row_number = true)"
    tests = {check["id"]: _fails(check) for check in CHECKS if check["kind"] != "unique"}
    with duckdb.connect(":memory:") as session:
        session.execute("SET preserve_insertion_order = false")
        named = ", ".join(
            f"coalesce({test}, false) AS c{n}" for n, test in enumerate(tests.values())
        )
        any_fails = " OR ".join(f"c{n}" for n in range(len(tests)))
        bad = session.sql(
            f"SELECT * FROM (SELECT file_row_number AS r, {named} FROM {rows}) WHERE {any_fails}"
        ).to_arrow_table()
        doubled = session.sql(
            f"SELECT file_row_number FROM {rows} WHERE uscc IN "
            f"(SELECT uscc FROM {rows} WHERE uscc IS NOT NULL GROUP BY uscc HAVING count(*) > 1)"
        ).to_arrow_table()
    numbers = bad.column("r").to_numpy()
    found = {name: numbers[bad.column(f"c{n}").to_numpy()] for n, name in enumerate(tests)}
    return {**found, "uscc.unique": doubled.column(0).to_numpy()}


def _fails(check: dict[str, Any]) -> str:
    first, *others = check["columns"]
    match check["kind"]:
        case "present":
            found = f"{first} IS NULL"
        case "format":
            found = f"NOT ({_credit(first) if check['format'] == 'uscc' else _person(first)})"
        case "length":
            found = f"length({first}) > {check['most']}"
        case "code_list":
            found = f"{first} NOT IN ({', '.join(repr(code) for code in check['codes'])})"
        case "pattern":
            found = f"NOT regexp_full_match({first}, '{check['pattern']}')"
        case "range":
            found = f"{first} < {check['least']}"
        case "ordered":
            found = f"{first} > {others[0]}"
        case _:
            raise ValueError(check["kind"])
    return found


def _credit(column: str) -> str:
    value = f"instr('{_CREDIT}', {column}[{{}}]) - 1"
    total = " + ".join(f"({value.format(i + 1)}) * {pow(3, i, 31)}" for i in range(17))
    shape = f"regexp_full_match({column}, '[{_CREDIT}]{{2}}[0-9]{{6}}[{_CREDIT}]{{10}}')"
    return f"{shape} AND (({total}) + {value.format(18)}) % 31 = 0"


def _person(column: str) -> str:
    weights = _RESIDENT["weights"]
    digits = " + ".join(
        f"(ascii({column}[{i + 1}]) - 48) * {weight}" for i, weight in enumerate(weights)
    )
    shape = f"regexp_full_match({column}, '[1-8][0-9]{{16}}[0-9X]')"
    birth = f"try_strptime({column}[7:14], '%Y%m%d') IS NOT NULL"
    return f"{shape} AND {birth} AND {column}[18] = '{_RESIDENT['check']}'[({digits}) % 11 + 1]"


if __name__ == "__main__":
    told(find)
