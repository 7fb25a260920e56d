"""What applicants need not be asked for, because the city has it already.

Duplicate demands, materials handed in before, and proofs that prove each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from catalog.model import CatalogView
from catalog.vocabulary import ShareType
from expectations.materials import guide_materials
from yishu.library.place import subject_table, unified_table
from yishu.library.read import read, relation, session, tables

MATERIAL_SOURCE = "material_source"
"""The code list that says which entry can supply a material."""


@dataclass(frozen=True)
class DuplicateDemand:
    """A guide that asks for a material which a shareable, published entry can supply (COL-07)."""

    handling_item_code: str
    material: str
    entry_id: str
    share_type: ShareType


COUNTS_AS_SUBMITTED = (
    "(NOT m.is_electronic OR coalesce(m.seal_result IN ('valid', 'unsigned'), false))"
)
"""Of a row ``m`` of ``case_material``: an electronic material whose signature or seal is invalid,
or was never verified, was not submitted (S004 Art.25). One that was found to bear none was: whether
it needs one is for its guide to say."""


def duplicate_demands(root: Path, catalog: CatalogView) -> list[DuplicateDemand]:
    """Every duplicate demand of the guides that are published (S000 一, S003 二(二)).

    Raises:
        TableMissing: no guides are published.
    """
    suppliers = _suppliers(root, catalog)
    guides = read(root, subject_table("service_guide"), columns=["handling_item_code", "materials"])
    return [
        DuplicateDemand(one.item, one.name, *suppliers[one.name])
        for one in guide_materials(zip(*(c.to_pylist() for c in guides.columns), strict=True))
        if one.name in suppliers
    ]


def _suppliers(root: Path, catalog: CatalogView) -> dict[str, tuple[str, ShareType]]:
    published = set(tables(root))
    found: dict[str, tuple[str, ShareType]] = {}
    for material, entry_id in catalog.code_lists[MATERIAL_SOURCE].codes.items():
        entry = catalog.entries.get(entry_id)
        is_published = unified_table(entry_id) in published
        if entry and is_published and entry.share.type is not ShareType.NOT_SHARED:
            found[material] = (entry_id, entry.share.type)
    return found


def earlier_materials(root: Path, id_no: str, on: date) -> pa.Table:
    """Materials that the holder of a document handed in before and that hold on a day (COL-08).

    A material that quotes an e-licence holds as long as the licence; any other holds. One whose
    seal is invalid was never submitted. The number stands in no file and no log; it is a parameter
    of the query.

    Returns:
        Columns ``case_no``, ``material_no``, ``material_name``, ``licence_identifier``,
        ``submitted_at`` and ``valid_until`` (null without a licence), latest first.

    Raises:
        TableMissing: cases, materials or licences are not published.
    """
    with session() as connection:
        for subject in ("case_application", "case_material", "e_licence"):
            relation(connection, root, subject_table(subject)).create_view(subject)
        query = (
            "SELECT m.case_no, m.material_no, m.material_name, m.licence_identifier, "
            "m.submitted_at, l.valid_until FROM case_material m "
            "JOIN case_application a USING (case_no) "
            "LEFT JOIN e_licence l ON l.licence_identifier = m.licence_identifier "
            f"WHERE a.applicant_id_no = ? AND {COUNTS_AS_SUBMITTED} "
            "AND (l.valid_until IS NULL OR l.valid_until >= ?) "
            "ORDER BY m.submitted_at DESC, m.material_no"
        )
        return connection.sql(query, params=[id_no, on]).to_arrow_table()


def unsubmitted_materials(root: Path) -> pa.Table:
    """Electronic materials that do not count as submitted, for their seals (SEC-10).

    Returns:
        Columns ``case_no``, ``implementation_code`` (null where the case is not published),
        ``material_no``, ``material_name`` and ``seal_result`` (null: never verified), by case.

    Raises:
        TableMissing: cases or materials are not published.
    """
    with session() as connection:
        for subject in ("case_application", "case_material"):
            relation(connection, root, subject_table(subject)).create_view(subject)
        query = (
            "SELECT m.case_no, a.implementation_code, m.material_no, m.material_name, "
            "m.seal_result FROM case_material m LEFT JOIN case_application a USING (case_no) "
            f"WHERE NOT {COUNTS_AS_SUBMITTED} ORDER BY m.case_no, m.material_no"
        )
        return connection.sql(query).to_arrow_table()


def circular_proofs(
    demands: Iterable[tuple[str, str]], results: Iterable[tuple[str, str]]
) -> list[tuple[str, ...]]:
    """Groups of items of which each needs what another gives, so that none can come first.

    Args:
        demands: Item and a material that it asks for.
        results: Item and the proof that it results in.

    Returns:
        Each group sorted, the groups sorted.
    """
    givers: dict[str, set[str]] = {}
    for item, proof in results:
        givers.setdefault(proof, set()).add(item)
    needs: dict[str, set[str]] = {}
    for item, material in demands:
        needs.setdefault(item, set()).update(givers.get(material, ()))
    reach = {item: _reachable(item, needs) for item in needs}
    groups = {
        tuple(sorted(other for other in reach[item] if item in reach.get(other, ())))
        for item in needs
        if item in reach[item]
    }
    return sorted(groups)


def _reachable(item: str, needs: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [item]
    while waiting:
        for other in needs.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
