"""A department's table that changes, and the pulls that follow it: a real database, no server."""

import contextlib
import sqlite3
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from catalog.load import load_catalog
from catalog.model import Catalog, CatalogEntry
from catalog.release import Release
from catalog.vocabulary import SystemKind
from yishu.library import Commit, content_digest, unified_table
from yishu.library.read import read
from yishu.pipeline.publish import publish_entry
from yishu.pipeline.pull import PullReceipt, pull
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import validate_landed
from yishu.sources.protocol import Connection

ENTRY = "market_regulation.enterprise"
EMPTY = Catalog(entries={}, elements={}, departments={}, code_lists={}, subjects={}, profiles={})
NOON = datetime(2026, 5, 1, 4, 0, tzinfo=UTC)

INCREMENTAL = {
    "mode": "incremental",
    "watermark": {"column": "updated_at", "overlap": 3600},
    "reconcile_hours": 0,
}
LOG = {"mode": "change_log", "table": "log", "change_log": {"sequence": "seq"}}


def entry_of(source: dict[str, Any], **more: Any) -> CatalogEntry:
    """An entry of two items, pulled in some way."""
    quality = {"allow_empty": True, "max_quarantined_share": 1} | more.pop("quality", {})
    item = {"name": "某", "type": "string", "sensitivity": "none"}
    return CatalogEntry.model_validate(
        {
            "id": ENTRY,
            "version": 1,
            "resource_code": "307015020003000001/1",
            "name": "登记信息",
            "summary": "登记的法人的基本信息",
            "category_path": ["部门信息资源", "无锡市"],
            "data_kind": "subject_applicant",
            "provider_org": "market_regulation",
            "data_source": "登记系统",
            "format": {"format_class": "数据库", "format_type": "sqlite"},
            "items": [
                item | {"field": "id", "nullable": False},
                item | {"field": "name", "nullable": False},
            ],
            "key": ["id"],
            "share": {"type": "unconditional", "modes": ["api"]},
            "open": {"type": "not_open"},
            "update_cycle": "daily",
            "published_on": date(2026, 1, 5),
            "data_grade": "general_2",
            "secrecy": "none",
            "use_condition": "仅限履行法定职责",
            "source": {"connection": "db", "kind": "sql", "table": "rows"} | source,
            "confidentiality_review": {
                "reviewer_org": "civil_affairs",
                "reviewed_on": date(2026, 1, 4),
                "verdict": "may_be_shared",
                "basis": "法",
            },
            "quality": quality,
        }
        | more
    )


@cache
def _profiles() -> dict[str, Any]:
    catalog, _ = load_catalog(Path(__file__).resolve().parents[3] / "catalog")
    return dict(catalog.profiles)


def release_of(entry: CatalogEntry) -> Release:
    """A release of one entry, under the city's own rules of time."""
    parts = ("elements", "departments", "code_lists", "subjects", "systems")
    known: dict[str, Any] = {name: {} for name in parts if name in Release.__annotations__}
    known["profiles"] = _profiles()
    return Release("r", "0", date(2026, 1, 1), entries={entry.id: entry}, **known)


class Department:
    """A table ``rows`` of a SQLite database and a ``log`` of its changes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "department.db"
        self.execute("create table rows (id TEXT, name TEXT, updated_at TEXT, is_deleted TEXT)")
        self.execute(
            "create table log (id TEXT, name TEXT, cd_batch INTEGER, cd_operation TEXT, "
            "cd_time TEXT, seq INTEGER)"
        )

    @property
    def connection(self) -> Connection:
        return Connection("db", SystemKind.SQL, f"sqlite:///{self.path}")

    def execute(self, statement: str, *values: Any) -> None:
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            database.execute(statement, values)
            database.commit()

    def rows(self) -> dict[str, str]:
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            return dict(database.execute("select id, name from rows").fetchall())

    def write(self, key: str, name: str | None, stamp: datetime | str | None) -> None:
        """Insert or update a row, without a word to the log."""
        self.execute("delete from rows where id = ?", key)
        self.execute("insert into rows values (?, ?, ?, '0')", key, name, local(stamp))

    def delete(self, key: str) -> None:
        self.execute("delete from rows where id = ?", key)

    def log(self, batch: Any, operation: str, key: Any, name: str | None, *more: Any) -> None:
        """Write a change into the log: batch, operation, key, name, time, sequence."""
        time, sequence = (*more, None, None)[:2]
        moment = local(time or NOON)
        self.execute(
            "insert into log values (?, ?, ?, ?, ?, ?)",
            *(key, name, batch, operation, moment, sequence),
        )


def local(stamp: datetime | str | None) -> str | None:
    """A moment as the department writes it, in Beijing time."""
    if not isinstance(stamp, datetime):
        return stamp
    return (stamp + timedelta(hours=8)).replace(tzinfo=None).isoformat(" ")


class PostgresqlDepartment(Department):
    """The same tables in a PostgreSQL database, with types that it enforces."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.execute("drop table if exists rows")
        self.execute("drop table if exists log")
        self.execute(
            "create table rows (id text, name text, updated_at timestamp, is_deleted text)"
        )
        self.execute(
            "create table log (id text, name text, cd_batch bigint, cd_operation text, "
            "cd_time timestamp, seq bigint)"
        )

    @property
    def connection(self) -> Connection:
        return Connection("db", SystemKind.POSTGRESQL, self.url)

    def execute(self, statement: str, *values: Any) -> None:
        with psycopg.connect(self.url, autocommit=True) as server:
            server.execute(statement.replace("?", "%s"), values)

    def rows(self) -> dict[str, str]:
        with psycopg.connect(self.url) as server:
            return dict(server.execute("select id, name from rows").fetchall())


class Bureau:
    """Pulls of one entry into a library, one after the other."""

    def __init__(self, folder: Path, department: Department, entry: CatalogEntry) -> None:
        self.folder = folder
        self.library = folder / "library"
        self.department = department
        self.entry = entry
        self.now = NOON
        self.runs = 0

    def pull(self, **more: Any) -> PullReceipt:
        """The first stage of a new run."""
        self.runs += 1
        return self.pull_again(**more)

    def pull_again(self, run_id: str | None = None, **more: Any) -> PullReceipt:
        run = run_id or f"r{self.runs}"
        facts = {"run_id": run, "now": self.now, "library": self.library} | more
        folder = run_folder(self.folder, ENTRY, run)
        return pull(self.entry, self.department.connection, folder, **facts)

    def publish(self, run_id: str | None = None) -> Commit:
        """The other stages of the last run."""
        folder = run_folder(self.folder, ENTRY, run_id or f"r{self.runs}")
        validate_landed(self.entry, EMPTY, folder)
        return publish_entry(self.entry, folder, self.library, committed_at=self.now)

    def run(self, **more: Any) -> Commit:
        self.pull(**more)
        return self.publish()

    def table(self) -> dict[str, str]:
        rows = read(self.library, unified_table(ENTRY)).to_pylist()
        assert len({row["id"] for row in rows}) == len(rows)
        return {row["id"]: row["name"] for row in rows}

    def origin(self) -> dict[str, str]:
        rows = read(self.library, unified_table(ENTRY)).to_pylist()
        return {row["id"]: row["_run_id"] for row in rows}

    def digest(self) -> str:
        return content_digest(self.library, unified_table(ENTRY))

    def digest_of_a_full_pull(self) -> str:
        """What a library would hold that was filled by one full pull at this moment."""
        kind = self.department.connection.kind
        full = Bureau(self.folder / f"full-{self.runs}", self.department, entry_of({"kind": kind}))
        full.run()
        return full.digest()
