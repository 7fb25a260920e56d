"""Backup and restore of an installation: ledger, releases, tables, and the proof that all is equal.

A backup is a folder: ``ledger.dump`` (pg_dump), copies of releases, library and kept seals, and a
manifest with the digest of every file and of every table of the ledger, all of one moment. Keys are
no part of it: keep ``var/secrets`` apart, or the backup would prove nothing.
"""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url

from yishu.embedded import client_program
from yishu.ledger.errors import BackupRefused
from yishu.ledger.models import SCHEMA
from yishu.settings import Settings

DUMP = "ledger.dump"
MANIFEST = "manifest.json"
DRILL = "drill.json"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made_at: ISO 8601.
        files: SHA-256 of each file by its path in the backup.
        tables: Of each table of the ledger, its rows and a digest that no order changes.
    """

    made_at: str
    files: Mapping[str, str]
    tables: Mapping[str, str]


@dataclass(frozen=True)
class Drill:
    """A practised restore: when, how much, and whether everything was equal."""

    at: str
    tables: int
    files: int
    is_equal: bool


def back_up(url: str, settings: Settings, folder: Path, at: datetime) -> Manifest:
    """Make a backup in a new folder, as a whole or not at all.

    Raises:
        BackupRefused: the folder exists, or the database cannot be dumped.
    """
    if folder.exists():
        raise _refused(folder, "a folder that exists", "a new folder", "name another one")
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    beside.mkdir(parents=True)
    try:
        with _engine(url).connect() as connection, connection.begin():
            connection.execute(text("set transaction isolation level repeatable read, read only"))
            snapshot = connection.execute(text("select pg_export_snapshot()")).scalar_one()
            _run(url, "pg_dump", "-Fc", f"--snapshot={snapshot}", f"--schema={SCHEMA}",
                 f"--file={beside / DUMP}")  # fmt: skip
            tables = table_digests(connection)
        for name, place in _places(settings).items():
            _copy(place, beside / name)
        manifest = Manifest(at.isoformat(), file_digests(beside), tables)
        (beside / MANIFEST).write_text(_json(asdict(manifest)), encoding="utf-8")
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return manifest


def restore(url: str, settings: Settings, folder: Path) -> Manifest:
    """Bring a backup into an empty database and an empty installation, and prove it equal.

    Raises:
        BackupRefused: the backup is damaged, something is there already, or the result differs.
    """
    manifest = verified(folder)
    places = _places(settings)
    _require_empty(url, places)
    _run(url, "pg_restore", "--no-owner", "--single-transaction", "--exit-on-error",
         f"--dbname={_name(url)}", str(folder / DUMP))  # fmt: skip
    for name, place in places.items():
        _copy(folder / name, place)
    differing = differences(url, settings, manifest)
    if differing:
        raise _refused(
            folder,
            f"what was restored differs: {', '.join(differing)}",
            "every table and file equal to the backup",
            "look for another process that writes meanwhile, then restore again",
        )
    return manifest


def differences(url: str, settings: Settings, manifest: Manifest) -> list[str]:
    """Tables and files of an installation that are not what a manifest says."""
    with _engine(url).connect() as connection:
        tables = table_digests(connection)
    found = {
        f"{name}/{path}": digest
        for name, place in _places(settings).items()
        for path, digest in file_digests(place).items()
    }
    expected = {path: digest for path, digest in manifest.files.items() if path != DUMP}
    return _unequal(tables, manifest.tables) + _unequal(found, expected)


def drill(url: str, settings: Settings, at: datetime) -> Drill:
    """Practise: back up, restore beside, compare, remove; the outcome and its date are kept.

    Nothing of the installation is touched. The database server must allow a second database.
    """
    name = f"drill_{secrets.token_hex(6)}"
    folder = settings.backups_dir / name
    scratch = settings.model_copy(update={"var_dir": folder / "restored", "seals_dir": None})
    target = make_url(url).set(database=name).render_as_string(hide_password=False)
    try:
        manifest = back_up(url, settings, folder / "backup", at)
        _admin(url, f'create database "{name}"')
        restore(target, scratch, folder / "backup")
    finally:
        _admin(url, f'drop database if exists "{name}" with (force)')
        shutil.rmtree(folder, ignore_errors=True)
    done = Drill(at.isoformat(), len(manifest.tables), len(manifest.files), is_equal=True)
    (settings.backups_dir / DRILL).write_text(_json(asdict(done)), encoding="utf-8")
    return done


def last_drill(settings: Settings) -> Drill | None:
    """The last practised restore; None: there was none."""
    file = settings.backups_dir / DRILL
    return Drill(**json.loads(file.read_text("utf-8"))) if file.exists() else None


def verified(folder: Path) -> Manifest:
    """The manifest of a backup whose files are all there and as they were.

    Raises:
        BackupRefused: no backup, or a file is missing, changed or beside.
    """
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise _refused(
            folder, f"no readable {MANIFEST}", "a backup", "name the folder of a backup"
        ) from error
    found = {path: digest for path, digest in file_digests(folder).items() if path != MANIFEST}
    if differing := _unequal(found, manifest.files):
        raise _refused(
            folder,
            f"files that are missing or changed: {', '.join(differing[:5])}",
            "every file as its manifest says",
            "take another backup",
        )
    return manifest


def table_digests(connection: Connection) -> dict[str, str]:
    """Rows and a digest of each table of the ledger."""
    found = {}
    for table in sorted(inspect(connection).get_table_names(SCHEMA)):
        counted = text(
            "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) "
            f'from {SCHEMA}."{table}" as t'
        )
        rows, digest = connection.execute(counted).one()
        found[table] = f"{rows}:{digest}"
    return found


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by path."""
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}


def _places(settings: Settings) -> dict[str, Path]:
    return {
        "releases": settings.releases_dir,
        "library": settings.library_dir,
        "seals": settings.seals_path,
    }


def _files(folder: Path) -> Iterator[Path]:
    """Files in order of path, so that a table's log is read before the data that it names."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    for path in _files(source):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unequal(found: Mapping[str, str], expected: Mapping[str, str]) -> list[str]:
    names = sorted({*found, *expected})
    return [name for name in names if found.get(name) != expected.get(name)]


def _require_empty(url: str, places: Mapping[str, Path]) -> None:
    with _engine(url).connect() as connection:
        held = SCHEMA in inspect(connection).get_schema_names()
    taken = [str(place) for place in places.values() if any(_files(place))]
    if held or taken:
        raise _refused(
            Path(taken[0]) if taken else Path(_name(url)),
            "data that a restore would overwrite" if taken else "a ledger in the database",
            "an empty database and an empty installation",
            "name an empty database (YISHU_DATABASE_URL) and folder (YISHU_VAR_DIR)",
        )


def _engine(url: str) -> Any:
    return create_engine(_psycopg(url), poolclass=NullPool)


def _psycopg(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")


def _admin(url: str, statement: str) -> None:
    engine = create_engine(
        _psycopg(url).set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))


def _name(url: str) -> str:
    return make_url(url).database or ""


def _run(url: str, program: str, *arguments: str) -> None:
    parts = make_url(url)
    # By environment, since other users of the machine see arguments.
    environment = {
        "PGHOST": parts.host or "localhost",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": parts.database or "",
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own client, no shell
        [client_program(program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BackupRefused(
            program,
            found=told[0],
            expected="a database of this PostgreSQL's version or older that lets us in",
            remedy="look at the database, or put the client of its version first in PATH",
        )


def _refused(where: Path, found: str, expected: str, remedy: str) -> BackupRefused:
    return BackupRefused(str(where), found=found, expected=expected, remedy=remedy)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
