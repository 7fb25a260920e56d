"""E-licences: verified without their face, called for a case, and counted (免证办)."""

from datetime import date

import pyarrow as pa
import pytest
from sqlalchemy import text

from catalog.identifiers.licence import check_licence_identifier
from transforms.types import standard_type
from yishu.ledger.statements import query
from yishu.library import publish_snapshot, subject_table
from yishu.sharing import deciding, opening

ASKED = {"purpose": "case_handling", "case_no": "BJ1"}
ROOT = "1.2.156.3005.2."
STATES = {"valid": ("01", 2030), "expired": ("01", 2020), "revoked": ("07", 2030)}


def identifier(serial):
    """A right identifier: the check character is tried, not computed by the product's own code."""
    body = f"{ROOT}11100000000013338W011.113202009999999999.2026000{serial:04d}.001."
    return next(body + c for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                if check_licence_identifier(body + c))  # fmt: skip


@pytest.fixture
def licences(house, release, clock):
    """A licence of each state; their identifiers by state."""
    subject = release.subjects["e_licence"]
    elements = {one.field: release.elements[one.element] for one in subject.columns}
    fields = [(name, standard_type(one.type)) for name, one in elements.items()]
    names = ("_provider_org", "_entry_id", "_run_id")
    schema = pa.schema([*fields, *((n, pa.string()) for n in names), ("_landed_row", pa.int64())])
    ids = {state: identifier(place) for place, state in enumerate(STATES)}
    rows = [
        {
            "licence_identifier": ids[state], "licence_type": "x", "licence_no": f"N{place}",
            "holder_name": "李明", "status": status, "valid_until": date(year, 1, 1),
            "_provider_org": "health", "_entry_id": "health.medical_licence", "_run_id": "s1",
            "_landed_row": place,
        }
        for place, (state, (status, year)) in enumerate(STATES.items())
    ]  # fmt: skip
    publish_snapshot(
        house.library, subject_table("e_licence"), schema,
        [pa.RecordBatch.from_pylist(rows, schema=schema)], key=["licence_type", "licence_no"],
        run_id="s1", committed_at=clock(), read=len(rows),
    )  # fmt: skip
    return ids


def granted(office, people, kind):
    facts = {"object_id": "e_licence", "service_items": ["320107009000"], "format": kind}
    wanted = ["licence_identifier", "status", "valid_until", "holder_name"]
    request_id = office.submitted(elements=wanted, **facts)
    with office.desk() as desk:
        grant_id = deciding.grant(desk, request_id, people.authority)
        token = opening.open_channel(desk, grant_id, people.operator).token
    return grant_id, {"Authorization": f"Bearer {token}"}


@pytest.mark.requirement("SHR-17", "EXC-11")
def test_a_licence_is_verified_without_its_face(office, people, client, licences):
    _, headers = granted(office, people, "verification")
    asked = {**licences, "not_found": identifier(77), "not_accepted": "2.16.840.1.1.2.3.4.5"}
    for expected, one in asked.items():
        body = {**ASKED, "licence_identifier": one}
        answer = client.post("/v1/licences/verify", headers=headers, json=body)
        assert answer.json()["result"] == expected
        assert "李" not in answer.text
    assert answer.json()["reason"] == "证照标识的根不是电子证照标识根，不予认可"
    broken = licences["valid"][:-1] + ("0" if licences["valid"][-1] != "0" else "1")
    body = {**ASKED, "licence_identifier": broken}
    answer = client.post("/v1/licences/verify", headers=headers, json=body).json()
    assert (answer["result"], "校验位" in answer["reason"]) == ("not_accepted", True)


@pytest.mark.requirement("SHR-17", "SEC-11", "IND-20")
def test_a_call_needs_a_case_and_counts_the_material_saved(
    office, people, client, licences, engine
):
    _, headers = granted(office, people, "json")
    body = {**ASKED, "licence_identifier": licences["valid"], "material": "医疗机构执业许可证"}
    answer = client.post("/v1/licences/call", headers=headers, json=body).json()
    assert answer["licence"] == {
        "licence_identifier": licences["valid"], "status": "01", "valid_until": "2030-01-01",
        "holder_name": "李*",
    }  # fmt: skip
    caseless = {name: value for name, value in body.items() if name != "case_no"}
    assert client.post("/v1/licences/call", headers=headers, json=caseless).status_code == 422
    _, verifying = granted(office, people, "verification")
    asked = {**ASKED, "licence_identifier": licences["valid"]}
    client.post("/v1/licences/verify", headers=verifying, json=asked)
    for material in ("医疗机构执业许可证", "法定代表人身份证明"):
        client.post("/v1/licences/verify", headers=verifying, json={**asked, "material": material})
    over = {**asked, "licence_identifier": licences["expired"], "material": "场地证明"}
    client.post("/v1/licences/verify", headers=verifying, json=over)
    with engine.connect() as connection:
        period = {"since": "2026-11-01", "until": "2026-12-01"}
        counted = connection.execute(query("licence_use"), period).one()
        plain = connection.scalar(text("select string_agg(use_record::text, '') "
                                       "from ledger.use_record"))  # fmt: skip
    assert (counted.calls, counted.verifications, counted.materials_saved) == (1, 4, 2)
    assert "李明" not in plain
