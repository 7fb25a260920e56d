"""The SQL files of the ledger: ``sql/queries`` by name, ``sql/views`` in order of creation."""

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"


@cache
def query(name: str) -> TextClause:
    """The statement in ``sql/queries/<name>.sql``, with its ``:named`` parameters."""
    return text((SQL_FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8"))


def views() -> list[tuple[str, str]]:
    """Name and statement of each view, in alphabetical order; none reads a later one."""
    files = sorted((SQL_FOLDER / "views").glob("*.sql"))
    return [(file.stem, file.read_text(encoding="utf-8")) for file in files]
