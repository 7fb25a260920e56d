"""A desk with the example catalog, the people of four bodies, and grants ready to serve."""

from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from catalog.load import load_catalog
from catalog.materials import load_materials
from catalog.release import compile_release, write_release
from catalog.roles import Role
from transforms.types import arrow_type
from yishu.clocks import WorkingDays
from yishu.clocks.table import read_table
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot, unified_table
from yishu.sharing import deciding, filing, opening
from yishu.sharing.desk import Desk
from yishu.sharing.form import RequestForm
from yishu.sharing.house import House
from yishu.sharing.server import create_app

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
ENTRY = "market_regulation.enterprise_registration"


class People:
    """Invented people, each in one role for one body."""

    officer = Actor("zhao", "zhao@hr", Role.DEPARTMENT_OFFICER, "human_resources")
    head = Actor("qian", "qian@hr", Role.DEPARTMENT_HEAD, "human_resources")
    provider = Actor("sun", "sun@mr", Role.PROVIDER_REVIEWER, "market_regulation")
    police = Actor("he", "he@ps", Role.PROVIDER_REVIEWER, "public_security")
    authority = Actor("li", "li@bd", Role.AUTHORITY_REVIEWER, "big_data_bureau")
    operator = Actor("zhou", "zhou@cc", Role.CENTRE_OPERATOR, "command_centre")
    other_operator = Actor("wu", "wu@cc", Role.CENTRE_OPERATOR, "command_centre")
    other_officer = Actor("zheng", "zheng@tr", Role.DEPARTMENT_OFFICER, "transport")
    auditor = Actor("wang", "wang@bd", Role.AUDITOR, "big_data_bureau")


@pytest.fixture(scope="session")
def people():
    return People


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    folder = tmp_path_factory.mktemp("releases")
    return write_release(folder, compile_release(loaded, date(2026, 11, 1)))


@pytest.fixture(scope="session")
def materials():
    return load_materials(ROOT / "catalog" / "service_materials.yaml")


@pytest.fixture(scope="session")
def calendar():
    return WorkingDays(read_table(ROOT / "catalog" / "working_days"))


@pytest.fixture
def engine(fresh_ledger):
    made = create_engine(fresh_ledger.replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


class Office:
    """Opens desks: one transaction each, at a moment, under given profiles."""

    def __init__(self, engine, release, materials):
        self.engine, self.release, self.materials = engine, release, materials
        self.profiles = ("wuxi_2022",)
        self.at = NOW

    @contextmanager
    def desk(self, at=None, **changed):
        with self.engine.begin() as connection:
            facts = {
                "catalog": self.release,
                "profiles": self.profiles,
                "materials": self.materials,
            } | changed
            yield Desk(connection=connection, at=at or self.at, **facts)

    def submitted(self, **changed):
        """A request that was received."""
        with self.desk() as desk:
            request_id = filing.draft(desk, form(**changed), People.officer)
            filing.consent(desk, request_id, People.head)
            filing.submit(desk, request_id, People.officer)
        return request_id

    def granted(self, **changed):
        """A grant that waits to be opened."""
        request_id = self.submitted(**changed)
        with self.desk() as desk:
            return deciding.grant(desk, request_id, People.authority)

    def opened(self, **changed):
        """An open grant and its token."""
        grant_id = self.granted(**changed)
        with self.desk() as desk:
            return grant_id, opening.open_channel(desk, grant_id, People.operator).token


def form(**changed):
    """A complete form; ``elements`` may be given as fields."""
    values = {
        "object_id": ENTRY,
        "scenario": "社会保险登记时核对企业登记状态",
        "service_items": ["11320200YQ00007744432010600100"[:19] + "320106001000"],
        "purpose_code": "case_handling",
        "purpose": "核对参保单位的登记信息，申请人不再提交营业执照",
        "legal_basis": "《社会保险法》第五十七条",
        "elements": ["uscc", "name", "status"],
        "mode": "api",
        "format": "json",
        "cycle": "daily",
        "valid_from": "2026-11-20",
        "valid_until": "2027-11-19",
        "contact": "信息中心 数据专员",
    } | changed
    values["elements"] = [
        {"field": one, "use": f"办理参保登记时核对{one}"} if isinstance(one, str) else one
        for one in values["elements"]
    ]
    return RequestForm.model_validate(values)


@pytest.fixture
def make_form():
    return form


@pytest.fixture
def office(engine, release, materials):
    return Office(engine, release, materials)


ROWS = [
    ("91320205MA1ABCDE00", "甲贸易有限公司", "李明", "320205", "1"),
    ("91320213MA1ABCDE01", "乙食品有限公司", "王芳", "320213", "1"),
    ("91320214MA1ABCDE02", "=丙科技", "张伟", "320214", "2"),
    ("91320282MA1ABCDE03", None, "陈静", "320282", "1"),
]
"""Invented enterprises: code, name, legal representative, region, status."""


def publish_rows(library, release, run_id="first", rows=ROWS, at=NOW):
    """Publish invented enterprises as a version of the entry's table."""
    entry = release.entries[ENTRY]
    schema = pa.schema(
        [
            *((item.field, arrow_type(item)) for item in entry.items),
            *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
            ("_landed_row", pa.int64()),
        ]
    )
    names = ("uscc", "name", "legal_representative", "region_code", "status")
    made = [
        dict(zip(names, row, strict=True))
        | {"_provider_org": entry.provider_org, "_entry_id": ENTRY, "_run_id": run_id}
        | {"_landed_row": place}
        for place, row in enumerate(rows)
    ]
    return publish_snapshot(
        library, unified_table(ENTRY), schema, [pa.RecordBatch.from_pylist(made, schema=schema)],
        key=["uscc"], run_id=run_id, committed_at=at, read=len(made),
    )  # fmt: skip


class Clock:
    """A clock that tests turn."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def house(engine, release, materials, tmp_path, clock):
    library = tmp_path / "library"
    publish_rows(library, release)
    return House(
        engine, lambda: release, library, tmp_path / "sharing", b"k" * 32, clock,
        materials=materials,
    )  # fmt: skip


@pytest.fixture
def client(house):
    with TestClient(create_app(house), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def publish(house, release):
    return partial(publish_rows, house.library, release)
