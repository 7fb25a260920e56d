"""Files of plain records: a CSV with a row of headings, or YAML with a list of mappings.

Lists that are published, items and what a site shows come in this form; entries have a template of
their own (`reading`).
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from yishu.interchange.reading import MOST_ROWS, decoded, refused

Record = dict[str, Any]

_HOW = "name every column in the first row, or every record's values by name"


def read(name: str, data: bytes, required: Sequence[str] = ()) -> list[Record]:
    """The records of a file; of a CSV every value is a text without blanks around it.

    Args:
        name: The file's name; its ending says what it is.
        data: Its bytes.
        required: What every record has to have, not empty.

    Raises:
        FileRefused: it holds no records, too many, or one that lacks something.
    """
    found = _csv(name, data) if Path(name).suffix.lower() == ".csv" else _yaml(name, data)
    return checked(name, found, required)


def checked(name: str, records: Sequence[Record], required: Sequence[str]) -> list[Record]:
    """The same records, also those that came otherwise than as a file.

    Raises:
        FileRefused: they are too many, or one lacks something of what is required.
    """
    if len(records) > MOST_ROWS:
        found = f"{len(records):,} records"
        raise refused(name, found, f"at most {MOST_ROWS:,}", "divide the file")
    for number, record in enumerate(records, 1):
        missing = [key for key in required if record.get(key) in (None, "")]
        if missing:
            raise refused(name, f"record {number} without {', '.join(missing)}", "a value", _HOW)
    return list(records)


def keyed(name: str, records: Sequence[Record], key: str) -> dict[str, Record]:
    """Records by the value of one of their columns, which is taken out of them.

    Raises:
        FileRefused: two records have the same key.
    """
    found: dict[str, Record] = {}
    for record in records:
        id_ = str(record[key])
        if id_ in found:
            raise refused(name, f"{key} `{id_}` twice", "each key once", "keep one of them")
        found[id_] = {column: value for column, value in record.items() if column != key}
    return found


def _csv(name: str, data: bytes) -> list[Record]:
    try:
        rows = list(csv.reader(io.StringIO(decoded(name, data), newline=""), strict=True))
    except csv.Error as error:
        raise refused(name, f"no CSV: {error}", "CSV with commas and double quotes", _HOW) from None
    headings = [one.strip() for one in rows[0]] if rows else []
    if not all(headings) or not headings or len(set(headings)) < len(headings):
        raise refused(name, "a column without a name of its own", "a first row of headings", _HOW)
    body = [(number, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    for number, row in body:
        if len(row) != len(headings):
            found = f"{len(row)} values in row {number}"
            raise refused(name, found, f"{len(headings)}, one a column", "quote texts with commas")
    return [dict(zip(headings, map(str.strip, row), strict=True)) for _, row in body]


def _yaml(name: str, data: bytes) -> list[Record]:
    try:
        found = yaml.safe_load(decoded(name, data))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"no YAML, at line {mark.line + 1}" if mark else "no YAML"
        raise refused(name, place, "a list of records, or CSV", _HOW) from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise refused(name, "no list of records", "a list of mappings (YAML), or CSV", _HOW)
    return found
