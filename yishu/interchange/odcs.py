"""Entries as data contracts (Open Data Contract Standard 3.1.0), and contracts as drafts.

What the standard has a place for stands there; the rest stands in ``customProperties``, whose names
begin with ``yishu.``, so that nothing is lost on the way out and back. A foreign contract brings
less than an entry needs: the draft has what there is, and what was not taken is named.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from catalog.model import CatalogEntry, DataItem
from catalog.vocabulary import DataType, Sensitivity
from yishu.interchange.errors import FileRefused

API_VERSION = "v3.1.0"
PREFIX = "yishu."

LOGICAL = {
    DataType.STRING: "string",
    DataType.INTEGER: "integer",
    DataType.DECIMAL: "number",
    DataType.MONEY: "number",
    DataType.DATE: "date",
    DataType.TIMESTAMP: "timestamp",
    DataType.BOOLEAN: "boolean",
}
_TYPES = {"integer": "integer", "number": "decimal", "date": "date", "timestamp": "timestamp",
          "boolean": "boolean", "string": "string", "time": "string"}  # fmt: skip
_MANAGED = {"version", "published_on", "confidentiality_review"}
_ITEM_KEPT = ("type", "unit", "scale", "format", "code_list", "mask", "element", "column",
              "responsible_org", "share_type", "open_ended")  # fmt: skip
_ENTRY_KEPT = ("resource_code", "category_path", "data_kind", "provider_org", "data_source",
               "format", "share", "open", "update_cycle", "data_grade", "secrecy", "source",
               "related_codes", "service_items", "quality", "retention", "extensions")  # fmt: skip


@dataclass(frozen=True)
class Imported:
    """A draft's content from another format, and what of it was not taken."""

    content: Mapping[str, Any]
    not_taken: tuple[str, ...]


def contract(entry: CatalogEntry, servers: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """An entry as a data contract; ``servers`` say where its table can be read."""
    plain = entry.model_dump(mode="json", exclude_defaults=True)
    table = entry.id.replace(".", "_")
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": entry.id,
        "name": entry.name,
        "version": f"{entry.version}.0.0",
        "status": "active",
        "tenant": entry.provider_org,
        "description": {
            "purpose": entry.summary,
            "usage": entry.use_condition,
            "limitations": entry.share.condition or entry.share.type.label_zh,
        },
        **({"servers": [dict(one) for one in servers]} if servers else {}),
        "schema": [
            {
                "name": table,
                "businessName": entry.name,
                "logicalType": "object",
                "physicalType": "table",
                "description": entry.summary,
                "properties": [_property(item, entry) for item in entry.items],
            }
        ],
        "slaProperties": list(_promises(entry, table)),
        "customProperties": _custom(plain, _ENTRY_KEPT),
    }


def _property(item: DataItem, entry: CatalogEntry) -> dict[str, Any]:
    plain = item.model_dump(mode="json", exclude_defaults=True)
    options = {
        "maxLength": item.length if item.type is DataType.STRING else None,
        "minimum": item.minimum,
        "maximum": item.maximum,
        "pattern": item.pattern,
    }
    given = {name: value for name, value in options.items() if value is not None}
    key = entry.key.index(item.field) + 1 if item.field in entry.key else None
    return {
        "name": item.field,
        "businessName": item.name,
        "logicalType": LOGICAL[item.type],
        "required": not item.nullable,
        "classification": item.sensitivity.value,
        **({"primaryKey": True, "primaryKeyPosition": key} if key else {}),
        **({"logicalTypeOptions": given} if given else {}),
        "customProperties": _custom(plain, _ITEM_KEPT),
    }


def _promises(entry: CatalogEntry, table: str) -> Iterator[dict[str, Any]]:
    limit = entry.update_cycle.freshness
    if limit is not None:
        hours = limit / timedelta(hours=1)
        yield {"property": "latency", "value": hours, "unit": "h", "element": table,
               "driver": "regulatory"}  # fmt: skip
    days = entry.retention.history_days
    yield {"property": "retention", "value": days, "unit": "d", "element": table,
           "driver": "regulatory"}  # fmt: skip


def _custom(plain: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"property": PREFIX + name, "value": plain[name]} for name in names if name in plain]


def to_yaml(entry: CatalogEntry, servers: Sequence[Mapping[str, Any]] = ()) -> str:
    """An entry as the text of a contract's file."""
    return str(yaml.safe_dump(contract(entry, servers), allow_unicode=True, sort_keys=False))


def read(name: str, text: str) -> Imported:
    """A contract as a draft.

    Raises:
        FileRefused: it is no data contract of version 3, or has not one table.
    """
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        given = None
    tables = given.get("schema") if isinstance(given, dict) else None
    if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict):
        raise FileRefused(
            name,
            found="no contract, or one with another number of tables than one",
            expected=f"a data contract ({API_VERSION}) of one table",
            remedy="divide the contract: an entry is one table",
        )
    return Imported(_content(given, tables[0]), tuple(_not_taken(given, tables[0])))


def _content(given: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    description = given.get("description")
    said = description if isinstance(description, dict) else {"purpose": description}
    properties = table.get("properties") or []
    keys = [one for one in properties if one.get("primaryKey")]
    ordered = sorted(keys, key=lambda one: one.get("primaryKeyPosition") or 0)
    found = {
        "id": given.get("id"),
        "name": given.get("name") or table.get("businessName") or table.get("name"),
        "summary": table.get("description") or said.get("purpose"),
        "use_condition": said.get("usage"),
        "provider_org": given.get("tenant"),
        **_kept(given),
        "items": [_item(one) for one in properties],
        "key": [one.get("name") for one in ordered],
    }
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def _item(given: Mapping[str, Any]) -> dict[str, Any]:
    options = given.get("logicalTypeOptions") or {}
    sensitivities = {member.value for member in Sensitivity}
    classified = given.get("classification")
    found = {
        "name": given.get("businessName") or given.get("name"),
        "field": given.get("name"),
        "type": _TYPES.get(str(given.get("logicalType")), "string"),
        "length": options.get("maxLength"),
        "nullable": not given.get("required", False),
        "pattern": options.get("pattern"),
        "minimum": options.get("minimum"),
        "maximum": options.get("maximum"),
        "sensitivity": classified if classified in sensitivities else None,
        **_kept(given),
    }
    return {name: value for name, value in found.items() if value is not None}


def _kept(given: Mapping[str, Any]) -> dict[str, Any]:
    custom = given.get("customProperties") or []
    return {
        str(one["property"]).removeprefix(PREFIX): one.get("value")
        for one in custom
        if str(one.get("property", "")).startswith(PREFIX)
    }


_TAKEN = {"apiVersion", "kind", "id", "name", "version", "status", "tenant", "description",
          "schema", "slaProperties", "servers"}  # fmt: skip
_TAKEN_OF_TABLE = {"name", "businessName", "logicalType", "physicalType", "description",
                   "properties", "physicalName"}  # fmt: skip
_TAKEN_OF_PROPERTY = {"name", "businessName", "logicalType", "required", "classification",
                      "primaryKey", "primaryKeyPosition", "logicalTypeOptions"}  # fmt: skip


def _not_taken(given: Mapping[str, Any], table: Mapping[str, Any]) -> Iterator[str]:
    yield from _left("", given, _TAKEN)
    yield from _left("schema.", table, _TAKEN_OF_TABLE)
    for one in table.get("properties") or []:
        yield from _left(f"schema.{one.get('name')}.", one, _TAKEN_OF_PROPERTY)
        if not one.get("classification"):
            yield f"schema.{one.get('name')}.classification: none, so sensitivity is open"


def _left(at: str, given: Mapping[str, Any], taken: set[str]) -> Iterator[str]:
    for name, value in given.items():
        if name == "customProperties":
            foreign = [one for one in value if not str(one.get("property")).startswith(PREFIX)]
            yield from (f"{at}customProperties.{one.get('property')}" for one in foreign)
        elif name not in taken:
            yield at + name
