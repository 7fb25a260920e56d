"""Entries as DCAT-AP 3 (RDF), and datasets of other catalogs as drafts.

DCAT has no place for how data are collected, checked and kept; `not_held` names what an export
leaves out. Data items stand as the columns of a table schema (CSVW) of the distribution.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from rdflib import BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.exceptions import ParserError
from rdflib.namespace import CSVW, DCAT, DCTERMS, FOAF, RDF, SKOS, XSD
from rdflib.term import Node

from catalog.model import CatalogEntry, CatalogView
from catalog.vocabulary import DataType, ShareType, UpdateCycle
from yishu.interchange.errors import FileRefused
from yishu.interchange.odcs import Imported

_EU = Namespace("http://publications.europa.eu/resource/authority/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_DCATAP = Namespace("http://data.europa.eu/r5r/")
_ADMS = Namespace("http://www.w3.org/ns/adms#")
_VERSION = URIRef(f"{DCAT}version")
_FREQUENCY = {
    UpdateCycle.REALTIME: "CONT", UpdateCycle.DAILY: "DAILY", UpdateCycle.WEEKLY: "WEEKLY",
    UpdateCycle.MONTHLY: "MONTHLY", UpdateCycle.QUARTERLY: "QUARTERLY",
    UpdateCycle.HALF_YEARLY: "ANNUAL_2", UpdateCycle.YEARLY: "ANNUAL",
    UpdateCycle.ON_DEMAND: "AS_NEEDED",
}  # fmt: skip
_RIGHTS = {
    ShareType.UNCONDITIONAL: "PUBLIC",
    ShareType.CONDITIONAL: "RESTRICTED",
    ShareType.NOT_SHARED: "NON_PUBLIC",
}
_DATATYPE = {
    DataType.STRING: XSD.string, DataType.INTEGER: XSD.integer, DataType.DECIMAL: XSD.decimal,
    DataType.MONEY: XSD.decimal, DataType.DATE: XSD.date, DataType.TIMESTAMP: XSD.dateTime,
    DataType.BOOLEAN: XSD.boolean,
}  # fmt: skip
FORMATS = {"ttl": "turtle", "jsonld": "json-ld"}
NOT_HELD = (
    "source", "quality", "retention", "secrecy", "data_grade", "confidentiality_review",
    "service_items", "extensions", "share.modes", "share.condition", "open", "format",
    "data_kind",
)  # fmt: skip
"""Keys of an entry that DCAT-AP has no place for."""
_ITEM_NOT_HELD = ("sensitivity", "mask", "element", "code_list", "format", "column", "unit",
                  "scale", "pattern", "minimum", "maximum", "length", "responsible_org",
                  "share_type", "open_ended")  # fmt: skip


def graph(entries: Iterable[CatalogEntry], catalog: CatalogView, base: str) -> Graph:
    """Entries as a DCAT-AP catalog; ``base`` is the address below which their pages are."""
    found = Graph()
    for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("csvw", CSVW)):
        found.bind(prefix, space)
    top = URIRef(f"{base}/catalog")
    found.add((top, RDF.type, DCAT.Catalog))
    found.add((top, DCTERMS.title, Literal("政务数据统一目录", lang="zh")))
    found.add((top, DCTERMS.description, Literal("全市统一的政务服务数据目录", lang="zh")))
    for entry in entries:
        dataset = URIRef(f"{base}/catalog/entries/{entry.id}")
        found.add((top, DCAT.dataset, dataset))
        _dataset(found, dataset, entry)
        _publisher(found, dataset, entry, catalog, base)
        _distribution(found, dataset, entry)
    return found


def _dataset(to: Graph, dataset: URIRef, entry: CatalogEntry) -> None:
    facts = [
        (RDF.type, DCAT.Dataset),
        (DCTERMS.title, Literal(entry.name, lang="zh")),
        (DCTERMS.description, Literal(entry.summary, lang="zh")),
        (DCTERMS.identifier, Literal(entry.id)),
        (DCTERMS.issued, Literal(entry.published_on)),
        (_VERSION, Literal(str(entry.version))),
        (DCTERMS.accrualPeriodicity, _EU[f"frequency/{_FREQUENCY[entry.update_cycle]}"]),
        (DCTERMS.accessRights, _EU[f"access-right/{_RIGHTS[entry.share.type]}"]),
        (DCTERMS.provenance, Literal(entry.data_source, lang="zh")),
        *((DCAT.keyword, Literal(step, lang="zh")) for step in entry.category_path),
        *((DCTERMS.relation, Literal(code)) for code in entry.related_codes),
    ]
    if entry.share.basis:
        facts.append((_DCATAP.applicableLegislation, Literal(entry.share.basis, lang="zh")))
    for predicate, value in facts:
        to.add((dataset, predicate, value))
    code = URIRef(f"{dataset}#resource_code")
    to.add((dataset, _ADMS.identifier, code))
    to.add((code, RDF.type, _ADMS.Identifier))
    to.add((code, SKOS.notation, Literal(entry.resource_code)))


def _publisher(
    to: Graph, dataset: URIRef, entry: CatalogEntry, catalog: CatalogView, base: str
) -> None:
    body = URIRef(f"{base}/orgs/{entry.provider_org}")
    department = catalog.departments.get(entry.provider_org)
    to.add((dataset, DCTERMS.publisher, body))
    to.add((body, RDF.type, FOAF.Agent))
    to.add((body, DCTERMS.identifier, Literal(entry.provider_org)))
    to.add((body, FOAF.name, Literal(department.name if department else entry.provider_org)))
    if department:
        contact = BNode()
        to.add((dataset, DCAT.contactPoint, contact))
        to.add((contact, RDF.type, VCARD.Organization))
        to.add((contact, VCARD.fn, Literal(department.contact)))


def _distribution(to: Graph, dataset: URIRef, entry: CatalogEntry) -> None:
    place, schema = URIRef(f"{dataset}#distribution"), BNode()
    to.add((dataset, DCAT.distribution, place))
    to.add((place, RDF.type, DCAT.Distribution))
    to.add((place, DCAT.accessURL, dataset))
    to.add((place, DCTERMS.title, Literal(entry.name, lang="zh")))
    to.add((place, DCTERMS.rights, Literal(entry.use_condition, lang="zh")))
    to.add((place, CSVW.tableSchema, schema))
    for key in entry.key:
        to.add((schema, CSVW.primaryKey, Literal(key)))
    columns: list[Node] = [BNode() for _ in entry.items]
    Collection(to, _list_of(to, schema), columns)
    for node, item in zip(columns, entry.items, strict=True):
        to.add((node, CSVW.name, Literal(item.field)))
        to.add((node, CSVW.title, Literal(item.name, lang="zh")))
        to.add((node, CSVW.datatype, _DATATYPE[item.type]))
        to.add((node, CSVW.required, Literal(not item.nullable)))


def _list_of(to: Graph, schema: BNode) -> BNode:
    head = BNode()
    to.add((schema, CSVW.column, head))
    return head


def not_held(entry: CatalogEntry) -> tuple[str, ...]:
    """What of this entry a DCAT export leaves out: keys that have a value."""
    plain = entry.model_dump(mode="json", exclude_defaults=True)
    keys = [key for key in NOT_HELD if _at(plain, key) is not None]
    items = {key for item in plain["items"] for key in _ITEM_NOT_HELD if key in item}
    return (*keys, *(f"items.{key}" for key in _ITEM_NOT_HELD if key in items))


def _at(plain: Any, key: str) -> Any:
    for step in key.split("."):
        plain = plain.get(step) if isinstance(plain, dict) else None
    return plain


def read(name: str, text: str, form: str) -> list[Imported]:
    """Datasets of a DCAT file as drafts; ``form`` is ``turtle`` or ``json-ld``.

    Raises:
        FileRefused: it is no RDF of that form, or has no dataset.
    """
    found = Graph()
    try:
        found.parse(data=text, format=form)
    except (ParserError, SyntaxError, ValueError) as error:
        raise _refused(name, f"no {form}: {type(error).__name__}") from None
    datasets = sorted(found.subjects(RDF.type, DCAT.Dataset), key=str)
    if not datasets:
        raise _refused(name, "no dcat:Dataset")
    return [_imported(found, one) for one in datasets]


def _refused(name: str, found: str) -> FileRefused:
    remedy = "export the catalog as DCAT-AP 3 in Turtle or JSON-LD"
    return FileRefused(name, found=found, expected="DCAT with a dataset", remedy=remedy)


_TAKEN = {RDF.type, DCTERMS.title, DCTERMS.description, DCTERMS.identifier,
          DCTERMS.accrualPeriodicity, DCTERMS.accessRights, DCTERMS.provenance, DCAT.keyword,
          DCTERMS.relation, DCTERMS.publisher, DCAT.distribution, DCTERMS.issued, _VERSION,
          _DCATAP.applicableLegislation, DCAT.contactPoint, _ADMS.identifier}  # fmt: skip


def _imported(found: Graph, dataset: Any) -> Imported:
    text = {
        "name": _one(found, dataset, DCTERMS.title),
        "summary": _one(found, dataset, DCTERMS.description),
        "data_source": _one(found, dataset, DCTERMS.provenance),
        "update_cycle": _named(found, dataset, DCTERMS.accrualPeriodicity, _FREQUENCY),
        "provider_org": _provider(found, dataset),
        "related_codes": [str(one) for one in found.objects(dataset, DCTERMS.relation)],
    }
    share = {
        "type": _named(found, dataset, DCTERMS.accessRights, _RIGHTS),
        "basis": _one(found, dataset, _DCATAP.applicableLegislation),
    }
    code = found.value(dataset, _ADMS.identifier)
    content = {
        "id": _one(found, dataset, DCTERMS.identifier),
        "resource_code": _one(found, code, SKOS.notation) if code is not None else None,
        **text,
        "share": {key: value for key, value in share.items() if value},
        **_table(found, dataset),
    }
    left = sorted({str(one) for one in found.predicates(dataset) if one not in _TAKEN})
    kept = {key: value for key, value in content.items() if value}
    return Imported(kept, (*left, *(f"{key}: not in DCAT" for key in NOT_HELD)))


def _table(found: Graph, dataset: Any) -> dict[str, Any]:
    for place in found.objects(dataset, DCAT.distribution):
        schema = found.value(place, CSVW.tableSchema)
        if schema is not None:
            head = found.value(schema, CSVW.column)
            columns: Iterable[Any] = Collection(found, head) if head is not None else []
            keys = sorted(map(str, found.objects(schema, CSVW.primaryKey)))
            return {
                "items": list(_items(found, columns)),
                "key": keys,
                "use_condition": _one(found, place, DCTERMS.rights),
            }
    return {}


def _items(found: Graph, columns: Iterable[Any]) -> Iterator[dict[str, Any]]:
    types = {uri: kind.value for kind, uri in reversed(_DATATYPE.items())}
    for node in columns:
        required = found.value(node, CSVW.required)
        yield {
            "name": _one(found, node, CSVW.title) or _one(found, node, CSVW.name),
            "field": _one(found, node, CSVW.name),
            "type": types.get(found.value(node, CSVW.datatype), "string"),
            "nullable": not (required is not None and bool(required.toPython())),
        }


def _one(found: Graph, subject: Any, predicate: Any) -> str | None:
    values = sorted(
        found.objects(subject, predicate), key=lambda one: getattr(one, "language", "") != "zh"
    )
    return str(values[0]) if values else None


def _named(found: Graph, subject: Any, predicate: Any, names: Any) -> str | None:
    given = found.value(subject, predicate)
    last = str(given).rpartition("/")[2] if given is not None else ""
    return next((member.value for member, name in names.items() if name == last), None)


def _provider(found: Graph, dataset: Any) -> str | None:
    body = found.value(dataset, DCTERMS.publisher)
    return _one(found, body, DCTERMS.identifier) if body is not None else None
