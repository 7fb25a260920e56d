"""Service cases of the library, as supervision follows them: without applicants and handlers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from catalog.model import CatalogView
from yishu.governance.cases import Case
from yishu.governance.procedures import Procedure
from yishu.library.place import subject_table
from yishu.library.provenance import ENTRY_ID
from yishu.library.read import read, relation, session, tables

_PARTS = {
    "case_result": "select null::varchar as case_no, null::date as decided_on where false",
    "case_process": "select null::varchar as case_no, null::varchar as process_step, "
    "null::varchar as process_no, null::timestamptz as started_at, "
    "null::timestamptz as ended_at where false",
    "service_item": "select null::varchar as implementation_code, null::integer as promised_days, "
    "null::integer as statutory_days where false",
}
"""What stands in for a subject that is not published yet."""

_CLOSED = "4"
"""办结 in the code list of steps."""

_SPECIAL = "6"
"""特别程序 in the code list of steps."""

_CASES = f"""
    with ends as (
        select case_no, min(moment) as ended_at
        from (
            select case_no, decided_on::timestamp at time zone 'Asia/Shanghai' as moment
            from case_result
            union all
            select case_no, ended_at from case_process where process_step = '{_CLOSED}'
        )
        group by case_no
    ), special as (
        select case_no, list(struct_pack(process_no, started_at, ended_at)) as procedures
        from case_process
        where process_step = '{_SPECIAL}' and started_at is not null
        group by case_no
    )
    select
        a.case_no, a.{ENTRY_ID} as entry_id, a.applied_at, a.accepted_at, ended_at,
        promised_days, promised_on, statutory_days, procedures,
        count(ended_at) over (partition by a.{ENTRY_ID}) > 0 as is_end_told
    from case_application a
    left join ends using (case_no)
    left join special using (case_no)
    left join service_item using (implementation_code)
    where a.applied_at is not null
    order by a.case_no
"""


@dataclass(frozen=True)
class Step:
    """A step of a case; who handled it and what was said stay where they are."""

    step: str
    started_at: datetime
    ended_at: datetime | None


def cases_of(root: Path, catalog: CatalogView) -> Iterator[Case]:
    """Every case that is published, by number; none where no cases are."""
    published = set(tables(root))
    if subject_table("case_application") not in published:
        return
    with session() as connection:
        relation(connection, root, subject_table("case_application")).create_view(
            "case_application"
        )
        for subject, nothing in _PARTS.items():
            _view(connection, root, subject, published, nothing)
        found = connection.sql(_CASES).to_arrow_table()
    for batch in found.to_batches():
        for row in batch.to_pylist():
            told = tuple(Procedure(**one) for one in row.pop("procedures") or ())
            holder = catalog.entries[row["entry_id"]].provider_org
            yield Case(holder_org=holder, procedures=told, **row)


def _view(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    subject: str,
    published: set[str],
    nothing: str,
) -> None:
    table = subject_table(subject)
    found = relation(connection, root, table) if table in published else connection.sql(nothing)
    found.create_view(subject)


def steps_of(root: Path, catalog: CatalogView, case_no: str) -> list[Step]:
    """The steps of a case as the library has them, in order; none where none are published."""
    table = subject_table("case_process")
    if table not in tables(root):
        return []
    names = catalog.code_lists["process_step"].codes
    rows = read(
        root,
        table,
        columns=["process_step", "started_at", "ended_at"],
        where={"case_no": case_no},
    ).to_pylist()
    steps = [
        Step(
            names.get(row["process_step"], row["process_step"]), row["started_at"], row["ended_at"]
        )
        for row in rows
    ]
    return sorted(steps, key=lambda step: step.started_at)
