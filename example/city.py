"""Builds the example city: department systems full of invented people, companies and licences.

    manifest = build(Systems(admin_url, folder), size=50_000, reader_password=password)
    urls = connections(Systems(admin_url, folder), "http://127.0.0.1:8090", password)

The same size and seed give the same city. Building again replaces what an earlier build made.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np

from example import cases, counters, guides, hall, licences, parties, ratings, sinks
from example.chance import Index
from example.faults import Outcome
from example.manifest import (
    Contribution,
    Copies,
    EntryTruth,
    FaultGroup,
    Manifest,
    SubjectTruth,
)
from example.table import Table, Writer
from example.world import City

logger = logging.getLogger(__name__)

Progress = Callable[[str, float], None]
"""Called with an entry id and the share of all entries that is done, 0 to 1."""

DATABASES = {
    "market_regulation_db": "yishu_market",
    "public_security_db": "yishu_police",
    "administrative_approval_db": "yishu_approval",
}
"""Connection ids of PostgreSQL databases and their names."""

FILES = {
    "civil_affairs_db": "civil_affairs.db",
    "human_resources_db": "human_resources.db",
}
"""Connection ids of SQLite databases and their files."""

DROPS = {
    "housing_construction_drop": "drops/housing_construction",
    "taxation_drop": "drops/taxation",
    "transport_drop": "drops/transport",
}
"""Connection ids of drop folders and the folders."""

SERVICES = ("health_api", "service_hall_api")
"""Connection ids of services; one server answers for all of them."""

REST_FOLDER = "rest"

SUBJECTS: dict[str, tuple[str, ...]] = {
    "legal_entity": (
        "market_regulation.enterprise_registration",
        "civil_affairs.social_organisation",
    ),
    "natural_person": ("public_security.resident",),
    "e_licence": (
        "market_regulation.business_licence",
        "market_regulation.food_licence",
        "human_resources.social_security_card",
        "housing_construction.construction_permit",
        "transport.road_transport_licence",
        "health.medical_licence",
    ),
    "service_item": (
        "administrative_approval.service_item",
        "human_resources.hr_service_item",
    ),
    "case_application": (
        "administrative_approval.approval_case",
        "human_resources.hr_case",
    ),
    "case_material": ("administrative_approval.case_material",),
    "case_process": ("administrative_approval.case_process",),
    "case_result": ("administrative_approval.case_result",),
    "service_rating": (
        "service_hall.hall_rating",
        "administrative_approval.online_rating",
    ),
    "service_guide": ("administrative_approval.service_guide",),
    "service_list": ("administrative_approval.service_list_member",),
    "service_package": ("administrative_approval.service_package",),
    "service_package_member": ("administrative_approval.service_package_member",),
    "service_window": ("service_hall.service_window",),
    "service_ticket": ("service_hall.service_ticket",),
    "case_payment": ("administrative_approval.case_payment",),
    "case_delivery": ("administrative_approval.case_delivery",),
}
"""Which entries bring the rows of each subject."""


@dataclass(frozen=True)
class Systems:
    """Where the city is built.

    Attributes:
        postgresql_admin_url: A role that may make databases and roles, on any database.
        folder: For SQLite files, drop folders, the service's data and the manifest.
    """

    postgresql_admin_url: str
    folder: Path


def tables(city: City) -> tuple[Table, ...]:
    """All tables of the city's department systems."""
    makers = (
        parties.enterprise_registration,
        parties.resident,
        parties.social_organisation,
        parties.taxpayer,
        licences.business_licence,
        licences.construction_permit,
        licences.road_transport_licence,
        licences.medical_licence,
        licences.food_licence,
        licences.social_security_card,
        cases.service_item,
        cases.hr_service_item,
        cases.approval_case,
        cases.hr_case,
        cases.case_material,
        cases.case_process,
        cases.case_result,
        ratings.online_rating,
        ratings.hall_rating,
        guides.service_guide,
        guides.service_list_member,
        guides.service_package,
        guides.service_package_member,
        counters.service_window,
        counters.service_ticket,
        counters.case_payment,
        counters.case_delivery,
    )
    return tuple(maker(city) for maker in makers)


def build(
    where: Systems,
    size: int,
    seed: int = 20260101,
    *,
    reader_password: str,
    faults: bool = True,
    progress: Progress | None = None,
    only: Collection[str] | None = None,
) -> Manifest:
    """Builds the department systems and writes ``manifest.json`` into the folder.

    Args:
        where: The server and the folder to fill; databases of an earlier build are dropped.
        size: Number of enterprises, at least 1,000; other tables grow with it.
        seed: Same seed and size, same city.
        reader_password: Password of the role ``yishu_reader``, which may only read.
        faults: Whether to corrupt about one row in a hundred.
        progress: Told after each table.
        only: Entry ids to build; None builds all.

    Raises:
        ValueError: the size is too small, or ``only`` names an entry that the city does not have.
    """
    city = City(size, seed)
    every = {table.entry: table for table in tables(city)}
    wanted = set(every) if only is None else set(only)
    if wanted - set(every):
        raise ValueError(f"the city has no {', '.join(sorted(wanted - set(every)))}")
    chosen = [table for entry, table in every.items() if entry in wanted]
    _prepare(where, chosen, reader_password)
    truths: dict[str, EntryTruth] = {}
    groups: list[FaultGroup] = []
    for done, table in enumerate(chosen, start=1):
        started = time.monotonic()
        writer = Writer(table, city.dice, faults=faults)
        _write(where, writer)
        truths[table.entry] = _truth(writer, time.monotonic() - started)
        groups += _groups(writer)
        logger.info("built entry=%s rows=%d", table.entry, writer.written)
        if progress:
            progress(table.entry, done / len(chosen))
    if "administrative_approval.service_guide" in wanted:
        hall.write(where.folder / hall.FOLDER, city, faults=faults)
    subjects = _subjects(city, every, truths, faults=faults)
    manifest = Manifest(size, seed, faults, truths, subjects, tuple(groups))
    manifest.write(where.folder)
    return manifest


def connections(where: Systems, rest_url: str, reader_password: str) -> dict[str, str]:
    """URL of every connection id: databases as ``yishu_reader``, files, folders, the service."""
    folder = where.folder.resolve()
    reader = f"{sinks.READER}:{quote(reader_password, safe='')}"
    urls = {
        connection: _database_url(where.postgresql_admin_url, database, reader)
        for connection, database in DATABASES.items()
    }
    urls |= {connection: f"sqlite:///{folder / name}" for connection, name in FILES.items()}
    urls |= {connection: str(folder / name) for connection, name in DROPS.items()}
    return urls | dict.fromkeys(SERVICES, rest_url)


def _database_url(admin_url: str, database: str, login: str | None = None) -> str:
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    netloc = f"{login}@{address}" if login else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{database}"))


def _prepare(where: Systems, chosen: list[Table], reader_password: str) -> None:
    """Empty databases and folders for the tables to come."""
    used = {table.place.connection for table in chosen}
    for connection in used & DATABASES.keys():
        sinks.make_database(where.postgresql_admin_url, DATABASES[connection], reader_password)
    where.folder.mkdir(parents=True, exist_ok=True)
    for connection in used & FILES.keys():
        (where.folder / FILES[connection]).unlink(missing_ok=True)
    for name in (*DROPS.values(), REST_FOLDER):
        (where.folder / name).mkdir(parents=True, exist_ok=True)


def _write(where: Systems, writer: Writer) -> None:
    place = writer.table.place
    if place.connection in DATABASES:
        url = _database_url(where.postgresql_admin_url, DATABASES[place.connection])
        sinks.write_postgresql(url, writer)
    elif place.connection in FILES:
        sinks.write_sqlite(where.folder / FILES[place.connection], writer)
    elif place.connection in SERVICES:
        sinks.write_rest(where.folder / REST_FOLDER / f"{place.name}.parquet", writer)
    else:
        path = where.folder / DROPS[place.connection] / place.name
        (sinks.write_xlsx if place.sheet else sinks.write_csv)(path, writer)


def _truth(writer: Writer, seconds: float) -> EntryTruth:
    apart = sum(
        len(faulty.rows) for faulty in writer.faulty if faulty.fault.outcome is Outcome.QUARANTINED
    )
    return EntryTruth(writer.written, apart, writer.written - apart, round(seconds, 2))


def _groups(writer: Writer) -> list[FaultGroup]:
    entry = writer.table.entry
    rows = [
        FaultGroup(
            entry,
            faulty.fault.kind,
            faulty.fault.field,
            faulty.fault.outcome,
            faulty.fault.check,
            tuple(faulty.rows),
            tuple(faulty.keys),
            tuple(faulty.written),
            tuple(faulty.becomes),
        )
        for faulty in writer.faulty
    ]
    drifted = [
        FaultGroup(entry, fault.kind, fault.field, fault.outcome, fault.check)
        for fault in writer.table.faults
        if fault.field in writer.extra
    ]
    return rows + drifted


def _subjects(
    city: City, every: dict[str, Table], truths: dict[str, EntryTruth], *, faults: bool
) -> dict[str, SubjectTruth]:
    """What each subject should hold, worked out from the faults alone."""
    found: dict[str, SubjectTruth] = {}
    for subject, entries in SUBJECTS.items():
        built = [every[entry] for entry in entries if entry in truths]
        brought = {
            table.entry: _contribution(city, table, truths[table.entry], faults=faults)
            for table in built
        }
        if brought:
            rows = sum(contribution.contributed for contribution in brought.values())
            found[subject] = SubjectTruth(rows, brought)
    if "legal_entity" in found and "taxation.taxpayer" in truths:
        found["legal_entity"] = _with_taxpayers(
            city, found["legal_entity"], every, truths["taxation.taxpayer"], faults=faults
        )
    return found


def _contribution(city: City, table: Table, truth: EntryTruth, *, faults: bool) -> Contribution:
    """A source of a subject's key: every published row counts, unless it is out of its scope."""
    outside = len(table.faulty_rows(city.dice, Outcome.NOT_LINKED)) if faults else 0
    return Contribution(truth.published, truth.published - outside, outside)


def _with_taxpayers(
    city: City,
    entities: SubjectTruth,
    every: dict[str, Table],
    truth: EntryTruth,
    *,
    faults: bool,
) -> SubjectTruth:
    """Taxpayers find their enterprise, unless that is quarantined or out of scope."""
    taxpayers = every["taxation.taxpayer"]
    published = np.arange(taxpayers.rows, dtype=np.int64)
    absent, differing = published[:0], published[:0]
    if faults:
        apart = taxpayers.faulty_rows(city.dice, Outcome.QUARANTINED)
        published = np.setdiff1d(published, apart)
        differing = taxpayers.faulty_rows(city.dice, Outcome.REPORTED)
        absent = every["market_regulation.enterprise_registration"].faulty_rows(
            city.dice, Outcome.QUARANTINED, Outcome.NOT_LINKED
        )

    def linked(rows: Index) -> int:
        return int((~np.isin(parties.taxpayer_enterprise(city, rows), absent)).sum())

    found = linked(published)
    brought = Contribution(truth.published, found, truth.published - found)
    return SubjectTruth(
        entities.rows,
        {**entities.contributions, "taxation.taxpayer": brought},
        {"taxation.taxpayer": Copies(compared=found, different=linked(differing))},
    )
