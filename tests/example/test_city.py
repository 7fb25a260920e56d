"""The city is built into real systems, and its manifest says what lies there."""

import csv
import sqlite3
from pathlib import Path

import openpyxl
import psycopg
import pytest
from fastapi.testclient import TestClient

from example import city
from example.manifest import Manifest
from example.rest_server import application

PASSWORD = "read only' @/:"
SIZE = 1_000


@pytest.fixture(scope="module")
def where(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> city.Systems:
    """A PostgreSQL server and an empty folder."""
    return city.Systems(postgres_url, tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def built(where: city.Systems) -> Manifest:
    """The whole city at its smallest, with faults."""
    return city.build(where, SIZE, reader_password=PASSWORD)


@pytest.fixture(scope="module")
def urls(where: city.Systems, built: Manifest) -> dict[str, str]:
    return city.connections(where, "http://127.0.0.1:8090", PASSWORD)


@pytest.mark.parametrize(
    ("entry", "connection", "table"),
    [
        ("market_regulation.enterprise_registration", "market_regulation_db", "e_baseinfo"),
        ("public_security.resident", "public_security_db", "t_czrk"),
        ("administrative_approval.case_process", "administrative_approval_db", "up_pro_process"),
    ],
)
def test_postgresql_holds_the_rows_of_the_manifest(built, urls, entry, connection, table):
    with psycopg.connect(urls[connection]) as reader:
        assert reader.execute(f"select count(*) from {table}").fetchone() == (
            built.entries[entry].read,
        )


def test_the_reader_may_not_write(urls, built):
    with (
        psycopg.connect(urls["market_regulation_db"]) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        reader.execute("delete from e_baseinfo")


def test_postgresql_keeps_dates_and_money_as_such(urls, built):
    query = (
        "select column_name, data_type from information_schema.columns "
        "where table_name = 'e_baseinfo' and column_name in ('estdate', 'regcap', 'entname')"
    )
    with psycopg.connect(urls["market_regulation_db"]) as reader:
        assert dict(reader.execute(query).fetchall()) == {
            "estdate": "date",
            "regcap": "numeric",
            "entname": "character varying",
        }


def test_rows_of_the_manifest_are_numbered_in_the_order_of_the_source(built, urls):
    faults = built.faults_of("market_regulation.enterprise_registration")
    group = next(g for g in faults if g.kind == "wrong_check_digit")
    with psycopg.connect(urls["market_regulation_db"]) as reader:
        codes = [row[0] for row in reader.execute("select uniscid from e_baseinfo")]
    assert [codes[row] for row in group.rows] == list(group.written)
    assert not set(group.keys) & set(codes)


def test_sqlite_holds_the_rows_of_the_manifest(built, urls):
    path = urls["human_resources_db"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as database:
        found = database.execute("select count(*) from rs_bjxx").fetchone()
    assert found == (built.entries["human_resources.hr_case"].read,)


@pytest.mark.parametrize(
    ("entry", "encoding", "first"),
    [
        ("housing_construction.construction_permit", "gb18030", "ZZBS"),
        ("taxation.taxpayer", "utf-8-sig", "纳税人识别号"),
    ],
)
def test_dropped_csv_is_in_the_encoding_of_its_department(built, urls, entry, encoding, first):
    (path,) = Path(urls[f"{entry.split('.')[0]}_drop"]).iterdir()
    with path.open(encoding=encoding, newline="") as file:
        header, *rows = csv.reader(file)
    assert header[0] == first
    assert len(rows) == built.entries[entry].read
    assert all(len(row) == len(header) for row in rows)


def test_the_workbook_has_typed_cells_and_a_clerks_typing_errors(built, urls):
    (path,) = Path(urls["transport_drop"]).iterdir()
    sheet = openpyxl.load_workbook(path, read_only=True)["道路运输经营许可证"]
    header, *rows = sheet.iter_rows(values_only=True)
    assert len(rows) == built.entries["transport.road_transport_licence"].read
    ends = [row[header.index("有效期止")] for row in rows]
    assert {type(value).__name__ for value in ends} == {"datetime", "str"}
    assert "9999-9-9" in ends


def test_the_service_answers_page_by_page(built, where, urls):
    client = TestClient(application(where.folder))
    total = built.entries["health.medical_licence"].read
    rows = []
    for page in range(1, total // 150 + 2):
        answer = client.get("/medical_licences", params={"page": page, "page_size": 150}).json()
        assert (answer["total"], answer["page"]) == (total, page)
        rows += answer["rows"]
    assert len(rows) == total
    assert isinstance(rows[0]["bedCount"], int)
    beyond = client.get("/medical_licences", params={"page": 99})
    assert beyond.json()["rows"] == []


def test_the_service_refuses_what_it_does_not_know(where, built):
    client = TestClient(application(where.folder, token="t0ken"))
    assert client.get("/medical_licences").status_code == 401
    allowed = {"Authorization": "Bearer t0ken"}
    assert client.get("/medical_licences", headers=allowed).status_code == 200
    assert client.get("/nobody_knows", headers=allowed).status_code == 404
    assert client.get("/..%2Fmanifest", headers=allowed).status_code == 404
    assert client.get("/hall_ratings?page=0", headers=allowed).status_code == 422


def test_the_manifest_on_disk_is_the_one_returned(where, built):
    assert Manifest.read(where.folder) == built


def test_counts_of_the_manifest_add_up(built):
    for entry, truth in built.entries.items():
        listed = {
            row
            for group in built.faults_of(entry)
            if group.expected == "quarantined"
            for row in group.rows
        }
        assert truth.quarantined == len(listed)
        assert truth.read == truth.published + truth.quarantined
    for subject in built.subjects.values():
        for entry, brought in subject.contributions.items():
            assert brought.rows_in == built.entries[entry].published
            assert brought.rows_in == brought.contributed + brought.not_linked


def test_taxpayers_of_quarantined_enterprises_are_not_linked(built, urls):
    """Counted here from the systems themselves: file against database, minus the listed rows."""
    enterprises = built.faults_of("market_regulation.enterprise_registration")
    gone = {
        key
        for group in enterprises
        if group.expected in {"quarantined", "not_linked"}
        for key in group.keys
    }
    apart = {
        row
        for group in built.faults_of("taxation.taxpayer")
        if group.expected == "quarantined"
        for row in group.rows
    }
    respelt = {
        row: key
        for group in built.faults_of("taxation.taxpayer")
        if group.expected == "repaired"
        for row, key in zip(group.rows, group.keys, strict=True)
    }
    (path,) = Path(urls["taxation_drop"]).iterdir()
    with path.open(encoding="utf-8-sig", newline="") as file:
        codes = [row["纳税人识别号"] for row in csv.DictReader(file)]
    lost = [
        row for row, code in enumerate(codes) if row not in apart and respelt.get(row, code) in gone
    ]
    brought = built.subjects["legal_entity"].contributions["taxation.taxpayer"]
    assert brought.not_linked == len(lost) > 0
    (differing,) = (
        g for g in built.faults_of("taxation.taxpayer") if g.expected == "reported" and g.rows
    )
    copies = built.subjects["legal_entity"].copies["taxation.taxpayer"]
    assert copies.compared == brought.contributed
    assert copies.different == len(set(differing.keys) - gone)


def test_chosen_entries_are_built_alone_and_without_faults_on_request(where, tmp_path):
    alone = city.Systems(where.postgresql_admin_url, tmp_path)
    told = []
    manifest = city.build(
        alone,
        SIZE,
        reader_password=PASSWORD,
        faults=False,
        only=["civil_affairs.social_organisation", "taxation.taxpayer"],
        progress=lambda entry, share: told.append((entry, share)),
    )
    assert manifest.faults == ()
    assert {truth.quarantined for truth in manifest.entries.values()} == {0}
    assert told == [("civil_affairs.social_organisation", 0.5), ("taxation.taxpayer", 1.0)]
    assert list((tmp_path / "rest").iterdir()) == []


def test_the_same_seed_builds_the_same_file_and_another_seed_another(where, tmp_path):
    def dropped(name: str, seed: int) -> bytes:
        folder = tmp_path / name
        systems = city.Systems(where.postgresql_admin_url, folder)
        city.build(systems, SIZE, seed, reader_password=PASSWORD, only=["taxation.taxpayer"])
        (path,) = (folder / "drops" / "taxation").iterdir()
        return path.read_bytes()

    assert dropped("a", 7) == dropped("b", 7) != dropped("c", 8)


def test_an_unknown_entry_is_refused_by_name(where):
    with pytest.raises(ValueError, match=r"taxation\.nobody"):
        city.build(where, SIZE, reader_password=PASSWORD, only=["taxation.nobody"])


def test_a_city_too_small_for_its_faults_is_refused(where):
    with pytest.raises(ValueError, match="smallest"):
        city.build(where, 10, reader_password=PASSWORD)
