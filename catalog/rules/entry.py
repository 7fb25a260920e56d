"""Rules of one entry: sharing, opening, secrecy, review, schedule, source, departments."""

import re
from collections.abc import Iterator

from catalog.faults import Finding, KeyPath
from catalog.kinds import Kind
from catalog.model import CatalogEntry, CatalogView, SourceSpec
from catalog.secrecy import marks
from catalog.vocabulary import OpenType, Secrecy, ShareType, SystemKind, UpdateCycle
from catalog.wording import secret, shown

_PLACES = {
    SystemKind.POSTGRESQL: "table",
    SystemKind.SQL: "table",
    SystemKind.CSV: "path",
    SystemKind.XLSX: "path",
    SystemKind.PARQUET: "path",
    SystemKind.REST: "endpoint",
}
_ONLY_FOR = {
    "encoding": (SystemKind.CSV,),
    "sheet": (SystemKind.XLSX,),
    "rest": (SystemKind.REST,),
    "arrival": tuple(kind for kind, place in _PLACES.items() if place == "path"),
}
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?")


def _finding(
    entry: CatalogEntry, path: KeyPath, code: str, *, found: str, expected: str, remedy: str
) -> Finding:
    return Finding(Kind.ENTRY, entry.id, path, code, found, expected, remedy)


def share_terms(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Modes unless not shared; a condition if conditional; a basis if not shared (Decree 809)."""
    share = entry.share
    if share.type is not ShareType.NOT_SHARED and not share.modes:
        yield _finding(
            entry,
            ("share", "modes"),
            "CAT_SHARE_MODE_MISSING",
            found="no mode",
            expected="one of api, batch_exchange, file_download (共享方式, Decree 809 Art.13, 22)",
            remedy="add `modes: [...]` under `share`",
        )
    if share.type is ShareType.CONDITIONAL and not share.condition:
        yield _finding(
            entry,
            ("share", "condition"),
            "CAT_SHARE_CONDITION_MISSING",
            found="conditional sharing without its condition",
            expected="scope and purpose of use as the condition (Decree 809 Art.15)",
            remedy="add `condition: …` under `share`, or share unconditionally",
        )
    if share.type is ShareType.NOT_SHARED and not share.basis:
        yield _finding(
            entry,
            ("share", "basis"),
            "CAT_SHARE_BASIS_MISSING",
            found="data that are not shared, without a legal basis",
            expected="the law, administrative regulation or State Council decision"
            " (Decree 809 Art.14, 15)",
            remedy="add `basis: …` under `share`, or share the data",
        )


def open_terms(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Conditional opening names its condition (guide no.10)."""
    if entry.open.type is OpenType.OPEN_CONDITIONAL and not entry.open.condition:
        yield _finding(
            entry,
            ("open", "condition"),
            "CAT_OPEN_CONDITION_MISSING",
            found="conditional opening without its condition",
            expected="the condition (开放条件)",
            remedy="add `condition: …` under `open`",
        )


def secrecy(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Secret data are out of scope: neither the attribute nor a mark in the texts (S004 Art.2)."""
    if entry.secrecy is not Secrecy.NONE:
        yield secret(entry.id, ("secrecy",), shown(entry.secrecy.value))
    for path, mark in marks(entry.model_dump()):
        yield secret(entry.id, path, f"the secrecy mark {shown(mark)}")


def review(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Who compiles an entry does not review it (S003 二(九), Decree 809 Art.13)."""
    if entry.confidentiality_review.reviewer_org == entry.provider_org:
        yield _finding(
            entry,
            ("confidentiality_review", "reviewer_org"),
            "CAT_REVIEWER_IS_COMPILER",
            found=f"`{entry.provider_org}`, which compiles the entry",
            expected="another body",
            remedy="have the entry reviewed by another body and name that one",
        )


def schedule(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """Every cycle but ``on_demand`` has a schedule and a freshness limit."""
    cycle = entry.update_cycle
    if cycle is not UpdateCycle.ON_DEMAND and not (cycle.cron and cycle.freshness):
        yield _finding(
            entry,
            ("update_cycle",),
            "CAT_CYCLE_UNSCHEDULABLE",
            found=f"`{cycle.value}`, for which there is no schedule",
            expected="a cycle with a schedule",
            remedy="choose another cycle, or `on_demand` if somebody triggers the pull",
        )


def provider_of_id(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """A department catalogs its own data only: the id begins with the provider (S004 Art.14)."""
    department = entry.id.partition(".")[0]
    if entry.provider_org != department:
        yield _finding(
            entry,
            ("provider_org",),
            "CAT_PROVIDER_FOREIGN",
            found=f"`{entry.provider_org}`",
            expected=f"`{department}`, in whose folder the entry stands",
            remedy="correct the provider, or move the entry to its provider's folder",
        )


def departments(entry: CatalogEntry, catalog: CatalogView) -> Iterator[Finding]:
    """Provider, reviewer and responsible bodies are known (OWN-02)."""
    named: list[tuple[KeyPath, str | None]] = [
        (("provider_org",), entry.provider_org),
        (("confidentiality_review", "reviewer_org"), entry.confidentiality_review.reviewer_org),
    ]
    named += [
        (("items", i, "responsible_org"), item.responsible_org)
        for i, item in enumerate(entry.items)
    ]
    for path, id_ in named:
        if id_ is not None and id_ not in catalog.departments:
            yield Finding(
                Kind.ENTRY,
                entry.id,
                path,
                "CAT_DEPARTMENT_UNKNOWN",
                found=shown(id_),
                expected="a department of departments.yaml",
                remedy="correct the name, or add the department with its credit code",
                other=(Kind.DEPARTMENT, id_, ()),
            )


def source(entry: CatalogEntry, _: CatalogView) -> Iterator[Finding]:
    """The place in the source fits the kind of system: a table, a path or an endpoint."""
    spec = entry.source
    wanted = _PLACES[spec.kind]
    for key in dict.fromkeys(_PLACES.values()):
        is_given = getattr(spec, key) is not None
        if key == wanted and not is_given:
            yield _misfit(
                entry, key, "nothing", f"`{key}` for a {spec.kind} source", f"add `{key}`"
            )
        elif key != wanted and is_given:
            found = f"`{key}` for a {spec.kind} source"
            yield _misfit(entry, key, found, f"`{wanted}` alone", f"remove `{key}`")
    for key, kinds in _ONLY_FOR.items():
        if getattr(spec, key) is not None and spec.kind not in kinds:
            found = f"`{key}` for a {spec.kind} source"
            expected = f"`{key}` for {', '.join(kinds)} only"
            yield _misfit(entry, key, found, expected, f"remove `{key}`")
    yield from _place(entry, spec)


def _place(entry: CatalogEntry, spec: SourceSpec) -> Iterator[Finding]:
    """Names that cannot leave the source: they go into queries, file and web paths."""
    if spec.table is not None and not _TABLE.fullmatch(spec.table):
        yield _misfit(entry, "table", shown(spec.table), "`table` or `schema.table`", "correct it")
    if spec.path is not None and (spec.path.startswith("/") or ".." in spec.path.split("/")):
        expected = "a file name or pattern inside the drop folder"
        yield _misfit(entry, "path", shown(spec.path), expected, "write it relative to the folder")
    if spec.endpoint is not None and not spec.endpoint.startswith("/"):
        expected = "a path that begins with `/`"
        yield _misfit(entry, "endpoint", shown(spec.endpoint), expected, "leave the host out")


def _misfit(entry: CatalogEntry, key: str, found: str, expected: str, remedy: str) -> Finding:
    return Finding(
        Kind.ENTRY,
        entry.id,
        ("source", key),
        "CAT_SOURCE_MISFIT",
        found=found,
        expected=expected,
        remedy=remedy,
    )


RULES = (
    share_terms,
    open_terms,
    secrecy,
    review,
    schedule,
    provider_of_id,
    departments,
    source,
)
