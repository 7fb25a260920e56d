"""Catalogs as files: out in any form, in as drafts, and what a form cannot hold by name."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from catalog.model import CatalogEntry, CatalogView
from yishu.interchange import bulk, dcat, odcs, reading, workbook
from yishu.interchange.bulk import Draft, FaultsOf
from yishu.interchange.cells import Content, behind_apostrophe, rows_of
from yishu.interchange.columns import COLUMNS

FOREIGN = tuple(dcat.FORMATS)
"""Forms of DCAT, which name entries by address and have no place for some of their keys."""

FORMS = ("xlsx", "csv", "yaml", *FOREIGN)
"""Forms in which many entries leave, by the ending of their file."""


@dataclass(frozen=True)
class Brought:
    """What a file brought in; ``not_taken``: what of it has no place in an entry."""

    drafts: tuple[Draft, ...]
    not_taken: tuple[str, ...] = ()


def written(entries: Sequence[CatalogEntry], catalog: CatalogView, form: str, base: str) -> bytes:
    """Entries in one of ``FORMS``; ``base`` is the address under which a site names them."""
    if form in dcat.FORMATS:
        graph = dcat.graph(entries, catalog, base)
        return graph.serialize(format=dcat.FORMATS[form]).encode()
    contents = [one.model_dump(mode="json", exclude_defaults=True) for one in entries]
    if form == "xlsx":
        return workbook.export(contents)
    if form == "csv":
        return _csv(contents)
    return yaml.safe_dump_all(contents, allow_unicode=True, sort_keys=False).encode()


def left_out(entries: Sequence[CatalogEntry], form: str) -> Mapping[str, int]:
    """Keys that a form has no place for, each with the number of entries that have a value there.

    Workbooks, CSV and YAML hold everything.
    """
    if form not in FOREIGN:
        return {}
    found = Counter(key for entry in entries for key in dcat.not_held(entry))
    return dict(sorted(found.items()))


def brought(name: str, data: bytes, faults_of: FaultsOf) -> Brought:
    """The entries of a file of any form, all of them sound.

    Raises:
        FileRefused: it is not read at all.
        FileFaulty: any fault of any cell.
    """
    ending = Path(name).suffix.lower().removeprefix(".")
    if ending in dcat.FORMATS:
        text = data.decode("utf-8", "replace")
        return _foreign(name, dcat.read(name, text, dcat.FORMATS[ending]))
    if ending in ("yaml", "yml") and b"apiVersion" in data:
        return _foreign(name, [odcs.read(name, data.decode("utf-8", "replace"))])
    return Brought(tuple(bulk.drafts(reading.read(name, data), faults_of)))


def _foreign(name: str, found: Sequence[odcs.Imported]) -> Brought:
    drafts = tuple(Draft(str(one.content.get("id", "")), one.content, ()) for one in found)
    if any("." not in one.entry_id for one in drafts):
        expected = "an identifier of the form department.entry"
        raise reading.refused(name, "a dataset without an entry id", expected)
    return Brought(drafts, tuple(dict.fromkeys(text for one in found for text in one.not_taken)))


def _csv(contents: Sequence[Content]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.heading for column in COLUMNS])
    for content in contents:
        writer.writerows([behind_apostrophe(cell) for cell in row] for row in rows_of(content))
    return text.getvalue().encode("utf-8-sig")
