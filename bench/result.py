"""What a contender left behind, in common terms, read outside the timed part.

Facts that must be equal before two contenders are compared: the number of rows kept and set aside,
the content digest of the rows kept, and for each check the keys of its failing rows.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from deltalake import DeltaTable

FIELDS = {
    "uscc": "uniscid",
    "name": "entname",
    "registrar": "reg_dept",
    "legal_representative": "lerep",
    "registered_capital": "regcap",
    "established_on": "estdate",
    "term_end_on": "opto",
    "approved_on": "apprdate",
    "region_code": "domdistrict",
    "industry_code": "industryphy",
    "status": "regstate",
    "address": "dom",
}
"""The business columns as the catalog names them, and as the source does."""

_TYPES = {
    "registered_capital": "DECIMAL(18, 2)",
    "established_on": "DATE",
    "term_end_on": "DATE",
    "approved_on": "DATE",
}
_UNIQUE = "uscc.unique"
_LIMBS = 4


@dataclass(frozen=True)
class Leftovers:
    """Where a contender's rows are.

    Attributes:
        kept: Parquet files of the result.
        aside: Parquet file of the rows set aside, with a list column ``_reasons``.
        is_ours: Columns have the catalog's names, and each reason is a record with a ``check_id``.
    """

    kept: list[str]
    aside: Path
    is_ours: bool = False


def delta_files(folder: Path) -> list[str]:
    """The Parquet files of a Delta table's newest version."""
    return [uri.removeprefix("file://") for uri in DeltaTable(folder).file_uris()]


def facts(left: Leftovers) -> dict[str, Any]:
    """What two contenders must have in common."""
    with duckdb.connect(":memory:") as session:
        rows, digest = _digest(session, _named(left, left.kept))
        aside = session.execute(f"SELECT count(*) FROM {_files([str(left.aside)])}").fetchone()
        return {
            "kept": rows,
            "digest": digest,
            "aside": aside[0] if aside else 0,
            "failing": _failing(session, left),
        }


def _digest(session: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, str]:
    """Rows and SHA-256 of their content: the sum of the rows' own SHA-256, so in any order."""
    texts = ", ".join(f"coalesce({name}::VARCHAR, chr(0))" for name in FIELDS)
    sums = ", ".join(
        f"sum(('0x' || substr(h, {1 + 16 * limb}, 16))::UBIGINT)" for limb in range(_LIMBS)
    )
    hashes = f"SELECT sha256(concat_ws(chr(31), {texts})) AS h FROM {rows}"
    found = session.execute(f"SELECT count(*), {sums} FROM ({hashes})").fetchone()
    assert found is not None
    return found[0], hashlib.sha256(repr(found).encode()).hexdigest()


def _named(left: Leftovers, files: list[str]) -> str:
    columns = ", ".join(
        f"{name if left.is_ours else source}::{_TYPES.get(name, 'VARCHAR')} AS {name}"
        for name, source in FIELDS.items()
    )
    return f"(SELECT {columns} FROM {_files(files)})"


def _files(files: list[str]) -> str:
    return f"read_parquet([{', '.join(repr(file) for file in files)}])"


def _failing(session: duckdb.DuckDBPyConnection, left: Leftovers) -> dict[str, list[Any]]:
    """Number and key digest of each check's failing rows.

    Great Expectations' uniqueness passes over missing keys, Yishu's does not, and both report
    them as missing; so uniqueness is compared over the keys that are there.
    """
    reason, key = ("reason.check_id", "uscc") if left.is_ours else ("reason", FIELDS["uscc"])
    found = session.execute(
        f"""
        SELECT name, count(*), sha256(string_agg(coalesce(key, ''), chr(10) ORDER BY key))
        FROM (
            SELECT {reason} AS name, key
            FROM (SELECT unnest(_reasons) AS reason, {key} AS key FROM {_files([str(left.aside)])})
        )
        WHERE name <> '{_UNIQUE}' OR key IS NOT NULL
        GROUP BY name ORDER BY name
        """
    ).fetchall()
    return {name: [count, digest] for name, count, digest in found}
