"""Catalog process: entries imported, the catalog as of a past day, the release from the ledger.

The example city's entries are taken over into a ledger under many ids, each with a superseded
version before the one in force, and 20 service items an entry. ``--size`` is the number of entries;
10,000 unless said. The release is compiled, checked, written and read back. As many entries of 20
data items each come in as drafts from one CSV file a department.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count, cycle, islice
from typing import Any

from harness import ROOT, VAR, Options, Section, markdown
from sqlalchemy import Connection, Engine, create_engine, insert, text
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.model import Catalog, CatalogEntry, DataItem
from catalog.roles import Role
from catalog.vocabulary import ChangeCause, DataType, Sensitivity
from yishu.embedded import embedded_postgres
from yishu.governance import items, publication, sources, taking_in, versions
from yishu.governance.candidate import Rules, load_rules
from yishu.interchange.files import brought, written
from yishu.ledger import migrate
from yishu.ledger.journal import Actor
from yishu.ledger.models import ItemVersion
from yishu.settings import Settings

TITLE = "Catalog process"
SIZE = 10_000
ITEMS_AN_ENTRY = 20
CHUNK = 5_000

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
_ROOT = Actor("person-root", "root", Role.ADMINISTRATOR, "big_data_bureau")
_ABOUT = (
    "The whole catalog as of a past day, the items in force of one department, and the release "
    "written from the ledger (compiled, checked against every rule, written, read back). Goals for "
    "10,000 entries and 200,000 items: import under 60 s, as-of under 200 ms, release under 10 s."
)


def run(options: Options) -> Section:
    """Measure at one size."""
    size = options.size or SIZE
    folder = VAR / "catalog_process"
    shutil.rmtree(folder, ignore_errors=True)
    settings = Settings(var_dir=folder, catalog_dir=ROOT / "catalog")
    server = embedded_postgres(settings)
    server.start()
    try:
        url = make_url(server.ensure_database("ledger")).set(drivername="postgresql+psycopg")
        migrate.upgrade(server.ensure_database("ledger"))
        return _measured(create_engine(url), settings, size, options)
    finally:
        server.stop()


def _measured(engine: Engine, settings: Settings, size: int, options: Options) -> Section:
    files = load_catalog(settings.catalog_dir)[0]
    with engine.begin() as connection:
        _fill(connection, files, size)
    options.say(f"{size} entries and {size * ITEMS_AN_ENTRY} items are in the ledger")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    past = NOW - timedelta(days=200)
    with engine.connect() as connection:
        found = versions.as_of(connection, past)
        if len(found) != size:
            raise SystemExit(f"{len(found)} of {size} entries on the past day")
        as_of = _median(lambda: versions.as_of(connection, past), options.rounds)
        listed = _median(lambda: items.catalog(connection, "health"), options.rounds)
    rules = load_rules(settings.catalog_dir, NOW.date())
    place = publication.Place(engine, settings, lambda _: False)
    release = _median(lambda: publication.write(place, rules, NOW), options.rounds)
    written = publication.write(place, rules, NOW).release
    if len(written.entries) != size:
        raise SystemExit(f"{len(written.entries)} of {size} entries in the release")
    took = _import(engine, rules, _given(files, size))
    engine.dispose()
    rows: list[list[object]] = [
        ["import of as many entries (s)", took],
        ["catalog as of a past day (ms)", as_of * 1000],
        ["items of one department (ms)", listed * 1000],
        ["release written from the ledger (s)", release],
    ]
    header = [f"{size:,} entries, {size * ITEMS_AN_ENTRY:,} items", "median"]
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, rows)]))


def _fill(connection: Connection, files: Catalog, size: int) -> None:
    """Adopt copies; each was published a year ago and superseded a hundred days ago."""
    grown = Catalog.model_construct(
        **{**dict(files), "entries": {one.id: one for one in _copies(files, size)}}
    )
    publication.adopt(connection, grown, _ROOT, NOW)
    sources.adopt(connection, files, _ROOT, NOW)
    connection.execute(text(_HISTORY), {"then": NOW - timedelta(days=100)})
    connection.execute(text(_REVIEWS))
    rows = _items(list(grown.entries), size * ITEMS_AN_ENTRY)
    while chunk := list(islice(rows, CHUNK)):
        connection.execute(insert(ItemVersion), chunk)


_HISTORY = """
with first as (
    select * from ledger.catalog_version
), moved as (
    update ledger.catalog_version set state = 'superseded', published_at = '2025-11-20',
        ended_at = :then
    returning entry_id
)
insert into ledger.catalog_version
select
    f.entry_id, f.version + 1, f.state, f.provider_org, f.name, f.resource_code, f.data_kind,
    f.share_type, f.open_type, f.update_cycle, f.content, f.digest, f.edit, f.cause, f.cause_note,
    f.changed_on, f.ruleset, f.compiled_person, f.compiled_account, f.edited_at, f.submitted_at,
    f.reviewed_person, f.reviewed_account, f.reviewed_at, f.opinion, f.remarks, :then, null
from first as f join moved using (entry_id)
"""

_REVIEWS = """
insert into ledger.catalog_assessment (
    entry_id, version, kind, digest, verdict, basis, compiled_person, compiled_org,
    assessed_person, assessed_account, assessed_org, assessed_at
)
select
    entry_id, version + 1, kind, digest, verdict, basis, compiled_person, compiled_org,
    assessed_person, assessed_account, assessed_org, assessed_at
from ledger.catalog_assessment
"""


def _given(files: Catalog, size: int) -> dict[str, bytes]:
    """A CSV file a department: all its new entries, each with 20 data items."""
    contents: dict[str, list[CatalogEntry]] = {}
    for number, entry in enumerate(islice(cycle(files.entries.values()), size)):
        changed = {
            "id": f"{entry.id}_new_{number}",
            "resource_code": f"307015020099000002/{number + 1}",
            "items": _twenty(entry),
        }
        contents.setdefault(entry.provider_org, []).append(entry.model_copy(update=changed))
    return {org: written(entries, files, "csv", "") for org, entries in contents.items()}


def _twenty(entry: CatalogEntry) -> tuple[DataItem, ...]:
    """The items of an entry, the first 20, or filled up to 20 with plain ones."""
    extra = (
        DataItem(
            name=f"备用{n}", field=f"spare_{n}", column=f"spare_{n}", type=DataType.STRING,
            length=20, nullable=True, sensitivity=Sensitivity.NONE,
        )
        for n in range(ITEMS_AN_ENTRY)
    )  # fmt: skip
    return tuple(islice((*entry.items, *extra), ITEMS_AN_ENTRY))


def _import(engine: Engine, rules: Rules, given: dict[str, bytes]) -> float:
    """Seconds to check all files and save their entries as drafts, each file in a transaction."""
    started = time.perf_counter()
    faults_of = taking_in.faults_by(rules, NOW.date())
    why = taking_in.Why(ChangeCause.INITIAL, "批量导入", NOW.date())
    for org, data in given.items():
        found = brought("catalog.csv", data, faults_of).drafts
        officer = Actor(f"p-{org}", f"officer.{org}", Role.DEPARTMENT_OFFICER, org)
        with engine.begin() as connection:
            entries = ((one.entry_id, one.content) for one in found)
            taking_in.take_in(connection, entries, why, officer, NOW)
    return time.perf_counter() - started


def _copies(files: Catalog, size: int) -> Iterator[CatalogEntry]:
    """The example's entries, and copies that differ in id and resource code alone."""
    originals = list(files.entries.values())
    yield from originals[:size]
    numbers = count(1)
    for entry in islice(cycle(originals), max(0, size - len(originals))):
        number = next(numbers)
        changed = {"id": f"{entry.id}_{number}", "resource_code": f"307015020099000001/{number}"}
        yield entry.model_copy(update={**changed, "published_on": date(2025, 11, 20)})


def _items(entries: list[str], size: int) -> Iterator[dict[str, Any]]:
    for number, entry in enumerate(islice(cycle(entries), size)):
        yield {
            "implementation_code": f"{number:031d}",
            "version": 1,
            "basic_code": f"{number % 5_000:012d}",
            "org": entry.partition(".")[0],
            "name": f"事项{number}",
            "content": {"type": "licensing"},
            "digest": "0",
            "is_online": True,
            "is_cancelled": False,
            "legal_basis": "测量",
            "changed_account": "root",
            "published_at": NOW,
        }


def _median(work: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(max(rounds, 3)):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
