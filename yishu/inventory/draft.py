"""A draft catalog entry from a real table: what can be seen is filled in, the rest is asked for.

What only a person can decide stands as ``# DECIDE <key>: …`` where the key belongs; `yishu catalog
check` misses exactly those keys. The sample is looked at in memory and not kept.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from catalog.model import CatalogView, RestSpec, SourceSpec
from catalog.vocabulary import DataType, Mask, SystemKind
from yishu.inventory.naming import bare, fields, known_names
from yishu.inventory.profile import ColumnProfile, TableProfile, profile
from yishu.sources import open_source
from yishu.sources.protocol import Connection

SAMPLE_ROWS = 20_000

_FORMATS = {
    SystemKind.POSTGRESQL: ("数据库", "postgresql"),
    SystemKind.SQL: ("数据库", "sql"),
    SystemKind.REST: ("服务接口", "json"),
}
_PLACES = {
    SystemKind.POSTGRESQL: "table",
    SystemKind.SQL: "table",
    SystemKind.REST: "endpoint",
}
_ENDINGS = {".xlsx": SystemKind.XLSX, ".xls": SystemKind.XLSX, ".parquet": SystemKind.PARQUET}

DECISIONS: Mapping[str, str] = {
    "resource_code": "信息资源代码, the national guide's code of the resource",
    "name": "信息资源名称",
    "summary": "摘要, what the data are, at most 256 characters",
    "category_path": "分类, at least two levels, e.g. [部门信息资源, 江苏省, 无锡市]",
    "data_kind": "kind of government-service data (S004 Art.13), e.g. subject_applicant",
    "data_source": "数据来源, the business system that keeps the data",
    "share": "type, and its condition or legal basis and modes (Decree 809 Art.14, 15, 22)",
    "open": "type: open, open_conditional or not_open",
    "update_cycle": "realtime, daily, weekly, monthly, quarterly, half_yearly, yearly or on_demand",
    "published_on": "day of publication",
    "data_grade": "core, important or general_1 to general_4 (GB/T 43697-2024)",
    "secrecy": "none, or the data are out of scope",
    "use_condition": "使用条件",
    "confidentiality_review": "reviewer_org (not the provider), reviewed_on, verdict, basis",
}
"""Keys of an entry that no table can tell, and what they hold."""

_PLAIN = re.compile(r"[^\W\d][\w ()（）/.、，·-]*")


@dataclass(frozen=True)
class Draft:
    """A draft entry.

    Attributes:
        entry_id: Its id, which is its place below ``entries/`` too.
        text: The YAML file.
        decisions: Keys that a person has to add.
    """

    entry_id: str
    text: str
    decisions: tuple[str, ...]


def kind_of(connection_id: str, url: str, place: str, catalog: CatalogView) -> SystemKind:
    """The kind of system behind a connection: as its entries say, or as URL and place look."""
    for entry in catalog.entries.values():
        if entry.source.connection == connection_id:
            return entry.source.kind
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme in ("http", "https"):
        return SystemKind.REST
    if scheme in ("", "sftp"):
        return _ENDINGS.get(PurePosixPath(place).suffix.lower(), SystemKind.CSV)
    is_postgresql = scheme in ("postgresql", "postgres")
    return SystemKind.POSTGRESQL if is_postgresql else SystemKind.SQL


def spec_of(connection: Connection, place: str, catalog: CatalogView, **more: Any) -> SourceSpec:
    """How to read a place; a service pages as the others of its connection do."""
    same = [
        entry.source.rest
        for entry in catalog.entries.values()
        if entry.source.connection == connection.id and entry.source.rest
    ]
    rest: RestSpec | None = same[0] if same and connection.kind is SystemKind.REST else None
    return SourceSpec.model_validate(
        {
            "connection": connection.id,
            "kind": connection.kind,
            _PLACES.get(connection.kind, "path"): place,
            "rest": rest,
            **more,
        }
    )


def look_at(
    spec: SourceSpec, connection: Connection, catalog: CatalogView, *, most: int = SAMPLE_ROWS
) -> TableProfile:
    """Profile at most ``most`` rows of a place, without keeping one.

    Raises:
        SourceError: it cannot be read.
    """
    with open_source(spec, connection) as source:
        columns = source.columns()
        batches: list[pa.RecordBatch] = []
        rows = 0
        stream = source.read([column.name for column in columns]) if columns else iter(())
        for batch in stream:
            batches.append(batch)
            rows += batch.num_rows
            if rows > most:
                break
    is_whole = rows <= most
    table = pa.Table.from_batches(batches).slice(0, most) if batches else pa.table({})
    return profile(table, [column.type for column in columns], catalog, is_whole=is_whole)


def draft(spec: SourceSpec, department: str, found: TableProfile, catalog: CatalogView) -> Draft:
    """The draft entry of a profiled place; pure."""
    place = spec.table or spec.path or spec.endpoint or ""
    stem = PurePosixPath(place.rpartition(".")[2] if spec.table else place).stem
    known = known_names(catalog)
    entry_id = f"{department}.{_entry_name(stem, known)}"
    names = fields([bare(one.name) and one.name for one in found.columns], known)
    by_column = dict(zip([one.name for one in found.columns], names, strict=True))
    key = found.keys[0] if found.keys else ()
    asked = [*DECISIONS, *([] if key else ["key"])]
    lines = [
        f"# Draft of {entry_id}, from {found.rows:,} rows"
        + ("" if found.is_whole else " (a sample)")
        + f" of {len(found.columns)} columns.",
        "# Drop every item that no duty needs: what is not listed is never read (S004 Art.15).",
        f"id: {entry_id}",
        "version: 1",
        *(f"# DECIDE {name}: {DECISIONS[name]}" for name in DECISIONS),
        f"provider_org: {department}",
        *_format_lines(spec),
        "items:",
    ]
    for one in found.columns:
        lines += _item(one, by_column[one.name], one.name in key, catalog)
    lines += _key_lines(key, found, by_column)
    lines += ["source:", *_source_lines(spec)]
    return Draft(entry_id, "\n".join(lines) + "\n", tuple(asked))


def _entry_name(stem: str, known: Mapping[str, str]) -> str:
    (name,) = fields([re.sub(r"[*?\d_-]+$", "", stem) or stem], known)
    return name if name != "column_01" else "entry"


def _format_lines(spec: SourceSpec) -> list[str]:
    kind, type_ = _FORMATS.get(spec.kind, ("电子文件", spec.kind.value))
    return ["format:", f"  format_class: {kind}", f"  format_type: {type_}"]


def _source_lines(spec: SourceSpec) -> Iterator[str]:
    given = spec.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    for name, value in {"connection": "", "kind": "", **given}.items():
        yield f"  {name}: {_scalar(value)}"


def _item(one: ColumnProfile, field: str, in_key: bool, catalog: CatalogView) -> Iterator[str]:
    yield f"  - name: {_scalar(one.name.strip())}"
    yield f"    field: {field}"
    if field != one.name:
        yield f"    column: {_scalar(one.name)}"
    yield f"    type: {one.type}  # in the source: {_comment(one.source_type)}"
    if one.type is DataType.STRING and (one.length or one.longest):
        seen = "" if one.length else f"  # the longest of {one.distinct:,} values"
        yield f"    length: {one.length or one.longest}{seen}"
    rules = {"scale": one.scale, "unit": one.unit, "format": one.format, "code_list": one.code_list}
    for name, value in rules.items():
        if value is not None:
            yield f"    {name}: {_scalar(value)}"
    if one.open_ended:
        yield "    open_ended: true"
    share = one.nulls / one.rows if one.rows else 0.0
    yield f"    nullable: {str(not in_key).lower()}  # {share:.1%} null"
    yield f"    sensitivity: {one.personal.sensitivity}  # {_comment(one.personal.evidence)}"
    if one.personal.mask is not Mask.NONE:
        yield f"    mask: {one.personal.mask}"
    elements = [id_ for id_, known in catalog.elements.items() if known.name == bare(one.name)]
    for id_ in elements:
        yield f"    # element: {id_}  # if it means the same"
    for note in one.notes:
        yield f"    # seen: {_comment(note)}"
    if one.codes:
        yield f"    # candidate code list: {_comment(', '.join(one.codes))}"


def _key_lines(
    key: Sequence[str], found: TableProfile, by_column: Mapping[str, str]
) -> Iterator[str]:
    if not key:
        yield "# DECIDE key: no column or pair of columns tells all rows apart; make its items"
        yield "#   `nullable: false`"
        return
    others = [" + ".join(by_column[name] for name in one) for one in found.keys[1:]]
    more = f"; so do {', '.join(others)}" if others else ""
    how = "all rows" if found.is_whole else f"the {found.rows:,} rows of the sample"
    fields_ = ", ".join(by_column[name] for name in key)
    alone = [one for one in found.columns if (one.name,) == tuple(key)]
    if alone and not alone[0].is_unique:
        how = f"{alone[0].distinct:,} of {found.rows:,} rows; the others would be quarantined"
        yield f"key: [{fields_}]  # tells apart {how}{more}"
        return
    yield f"key: [{fields_}]  # tells {how} apart{more}"


def _scalar(value: Any) -> str:
    """A value as YAML; text that YAML could read otherwise is quoted."""
    text = str(value)
    is_plain = isinstance(value, str) and _PLAIN.fullmatch(text) and text == text.strip()
    is_word = text.lower() in {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}
    if is_plain and not is_word:
        return text
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return re.sub(r"\s+", " ", text)
