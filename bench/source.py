"""The source of the governed run: one department database with faults that nobody can mend.

The example city makes the rows; the faults are put in by SQL afterwards, because the city's own
faults include odd spellings that Yishu repairs and its peers would have to set aside. Here every
contender must find the same rows.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg

from example.city import Systems, build, connections
from yishu.embedded import EmbeddedPostgres

ENTRY = "market_regulation.enterprise_registration"
CONNECTION = "market_regulation_db"
DATABASE = "yishu_market"
TABLE = "e_baseinfo"

_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NEXT_DIGITS = _DIGITS[1:] + _DIGITS[0]
_WRONG_CHECK = f"translate(right(uniscid, 1), '{_DIGITS}', '{_NEXT_DIGITS}')"
_FAULTS = (
    ("uniscid", f"left(uniscid, 17) || {_WRONG_CHECK}"),
    ("uniscid", "null"),
    ("uniscid", "left(uniscid, 17)"),
    ("entname", "null"),
    ("entname", "repeat('无', 201)"),
    ("lerep", "null"),
    ("reg_dept", "'Z'"),
    ("regcap", "-regcap"),
    ("estdate", "null"),
    ("apprdate", "null"),
    ("apprdate", "estdate - 1"),
    ("opto", "estdate - 1"),
    ("domdistrict", "'329999'"),
    ("industryphy", "'Z'"),
    ("regstate", "null"),
)
"""Column and the expression of its fault; one fault a row."""

_DUPLICATED = len(_FAULTS)
_ONE_IN = 200 * (len(_FAULTS) + 1)
"""Each fault hits one row in so many, all of them together one in 200."""


@dataclass(frozen=True)
class Source:
    """The source as it stands.

    Attributes:
        url: For a role that may only read.
        rows: Rows of the table, doubled ones included.
        faulty: Rows that must be set aside.
    """

    url: str
    rows: int
    faulty: int


def make_source(
    server: EmbeddedPostgres, folder: Path, size: int, *, is_compact: bool = True
) -> Source:
    """Build the table of so many legal entities and put the faults in.

    Args:
        server: A running server; an earlier source on it is replaced.
        folder: For what else the example city writes.
        size: Number of legal entities, at least 1,000.
        is_compact: The table is written once more without gaps, which takes its room twice.
    """
    password = secrets.token_urlsafe(16)
    where = Systems(server.url(), folder)
    build(where, size, reader_password=password, faults=False, only=[ENTRY])
    with psycopg.connect(server.url(DATABASE), autocommit=True) as session:
        faulty = _put_faults_in(session)
        # So that nobody pays for row versions, hint bits or statistics that are not there yet.
        session.execute(f"vacuum ({'full, ' if is_compact else ''}freeze, analyze) {TABLE}")
        session.execute("checkpoint")
        (rows,) = session.execute(f"select count(*) from {TABLE}").fetchone() or (0,)
    return Source(connections(where, "", password)[CONNECTION], rows, faulty)


def _put_faults_in(session: psycopg.Connection) -> int:
    session.execute(
        "create temp table chosen as select uniscid as key, (hashtext(uniscid)::bigint + 2^31)"
        f"::bigint % {_ONE_IN} as fault from {TABLE} "
        f"where (hashtext(uniscid)::bigint + 2^31)::bigint % {_ONE_IN} <= {_DUPLICATED}"
    )
    columns = dict.fromkeys(column for column, _ in _FAULTS)
    settings = ", ".join(f"{column} = {_case(column)}" for column in columns)
    spoilt = session.execute(
        f"update {TABLE} set {settings} from chosen where uniscid = key and fault < {_DUPLICATED}"
    ).rowcount
    doubled = session.execute(
        f"insert into {TABLE} select {TABLE}.* from {TABLE} join chosen on uniscid = key "
        f"where fault = {_DUPLICATED}"
    ).rowcount
    return int(spoilt + 2 * doubled)


def _case(column: str) -> str:
    cases = " ".join(
        f"when {number} then {expression}"
        for number, (name, expression) in enumerate(_FAULTS)
        if name == column
    )
    return f"case fault {cases} else {column} end"
