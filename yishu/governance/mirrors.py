"""One catalog for all sites, and the province's library beside ours: checksums both ways.

Pure: what the other side says comes in as data, and what differs goes out as data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.model import CatalogEntry
from catalog.release import Release
from yishu.governance.candidate import digest
from yishu.governance.lists import RowChange, Rows, changes, rows_digest


@dataclass(frozen=True)
class Feed:
    """What sites copy (服务同源, S001 二(三)3): the release, its digest, a digest an entry."""

    version: str
    digest: str
    entries: Mapping[str, str]


@dataclass(frozen=True)
class SiteDrift:
    """How a site differs from the source: entries it lacks, has beside, or shows otherwise."""

    missing: tuple[str, ...]
    foreign: tuple[str, ...]
    different: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether it differs at all."""
        return bool(self.missing or self.foreign or self.different)


@dataclass(frozen=True)
class Synchronisation:
    """The province's list beside ours (EXC-04).

    Attributes:
        inbound: What the province changed since its list came in last.
        to_report: What we have otherwise than the province, to be reported up.
        checksum: Of our list; the province's, of the same rows, is ``provincial_checksum``.
    """

    inbound: tuple[RowChange, ...]
    to_report: tuple[RowChange, ...]
    checksum: str
    provincial_checksum: str

    @property
    def is_equal(self) -> bool:
        """Whether both sides have the same list."""
        return self.checksum == self.provincial_checksum


def feed(release: Release) -> Feed:
    """What sites copy of a release."""
    entries = {id_: _digest(release.entries[id_]) for id_ in release.entries}
    return Feed(release.id, release.digest, entries)


def site_drift(source: Feed, site: Mapping[str, str]) -> SiteDrift:
    """How a site's digests by entry differ from the source's."""
    here = source.entries
    return SiteDrift(
        tuple(sorted(set(here) - set(site))),
        tuple(sorted(set(site) - set(here))),
        tuple(sorted(id_ for id_ in here if id_ in site and site[id_] != here[id_])),
    )


def synchronise(before: Rows, provincial: Rows, local: Rows) -> Synchronisation:
    """Compare the province's list with the one that came in before, and with ours."""
    return Synchronisation(
        tuple(changes(before, provincial)),
        tuple(changes(provincial, local)),
        rows_digest(local),
        rows_digest(provincial),
    )


def _digest(entry: CatalogEntry) -> str:
    plain: dict[str, Any] = entry.model_dump(mode="json", exclude_none=True)
    return digest(plain)
