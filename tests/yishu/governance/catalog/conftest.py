"""The example's catalog taken over into a ledger, copied for each test, and people who act."""

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from catalog.load import load_catalog
from catalog.model import Catalog
from catalog.roles import Role
from catalog.vocabulary import AssessmentKind, ChangeCause, CodeSystem, OrgKind, OrgLevel
from yishu.clocks import BEIJING
from yishu.governance import assessment, lifecycle, organisations, publication, sources, versions
from yishu.governance.assessment import Judgement
from yishu.governance.candidate import load_rules
from yishu.governance.lifecycle import Draft
from yishu.governance.organisations import Organisation
from yishu.governance.publication import Place
from yishu.ledger import migrate
from yishu.ledger.journal import Actor
from yishu.settings import Settings

ROOT = Path(__file__).resolve().parents[4]
CATALOG = ROOT / "catalog"

CITY = Organisation(
    "wuxi", "无锡市", OrgKind.ORGAN, OrgLevel.CITY, None, CodeSystem.GB2260, "320200",
    date(2022, 1, 1),
)  # fmt: skip


def moment(day: int, hour: int = 10) -> datetime:
    """A moment of November 2026 in Beijing."""
    return datetime(2026, 11, day, hour, tzinfo=BEIJING)


@pytest.fixture(scope="session")
def at():
    return moment


@pytest.fixture(scope="session")
def people() -> dict[str, Actor]:
    """Accounts by duty; ``officer`` and ``head`` are of the tax office."""
    who = {
        "officer": ("li.an", Role.DEPARTMENT_OFFICER, "taxation"),
        "colleague": ("qian.er", Role.DEPARTMENT_OFFICER, "taxation"),
        "head": ("sun.ya", Role.DEPARTMENT_HEAD, "taxation"),
        "health_officer": ("zhou.wei", Role.DEPARTMENT_OFFICER, "health"),
        "market_officer": ("wu.di", Role.DEPARTMENT_OFFICER, "market_regulation"),
        "reviewer": ("zheng.yi", Role.AUTHORITY_REVIEWER, "big_data_bureau"),
        "second_reviewer": ("wang.bo", Role.AUTHORITY_REVIEWER, "big_data_bureau"),
        "operator": ("feng.lu", Role.CENTRE_OPERATOR, "command_centre"),
        "service": ("chen.xi", Role.SERVICE_AUTHORITY, "administrative_approval"),
        "administrator": ("root", Role.ADMINISTRATOR, "big_data_bureau"),
    }
    return {
        name: Actor(f"person-{account}", account, role, org)
        for name, (account, role, org) in who.items()
    }


@pytest.fixture(scope="session")
def rules():
    return load_rules(CATALOG, date(2026, 11, 1))


@pytest.fixture(scope="session")
def files() -> Catalog:
    return load_catalog(CATALOG)[0]


@pytest.fixture(scope="session")
def adopted(postgres_server, files, people) -> str:
    """Name of a database with the example's catalog, to which nobody connects."""
    name = "catalog_template"
    url = postgres_server.ensure_database(name)
    migrate.upgrade(url)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    by = (people["administrator"], moment(1))
    with engine.begin() as connection:
        organisations.adopt(connection, CITY, files.departments.values(), *by)
        publication.adopt(connection, files, *by)
        sources.adopt(connection, files, *by)
    engine.dispose()
    return name


@pytest.fixture
def engine(copied, adopted):
    """A ledger with the example's catalog."""
    made = create_engine(make_url(copied(adopted)).set(drivername="postgresql+psycopg"))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def shared_engine(copied, adopted):
    """One ledger with the example's catalog, on which nothing is ever committed."""
    made = create_engine(make_url(copied(adopted)).set(drivername="postgresql+psycopg"))
    yield made
    made.dispose()


@pytest.fixture
def connection(shared_engine):
    """A transaction on the shared ledger, taken back after the test."""
    with shared_engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def place(engine, tmp_path) -> Place:
    """Where publications go; there is no Airflow to tell."""
    return Place(engine, Settings(var_dir=tmp_path / "var"), lambda _: False)


@pytest.fixture
def edited(connection):
    """The content of an entry in force, changed."""

    def edit(entry_id: str, **changes) -> dict:
        return {**versions.in_force(connection, entry_id).content, **changes}

    return edit


class Desk:
    """Does the steps of the life cycle for an entry, each by whoever may."""

    def __init__(self, people, rules) -> None:
        self.people, self.rules = people, rules

    def draft(self, connection, entry_id: str, day: int = 2, *, edit=None, **changes):
        """A draft from the version in force, changed."""
        content = {**versions.in_force(connection, entry_id).content, **changes}
        wanted = Draft(
            entry_id, content, ChangeCause.ELEMENT_CHANGE, "三定方案调整", date(2026, 11, 1), edit
        )
        return lifecycle.save(connection, wanted, self.people["officer"], moment(day))

    def assess(self, connection, entry_id: str, day: int = 3) -> None:
        """Every assessment, passed."""
        said = {
            AssessmentKind.CONFIDENTIALITY: ("may_be_shared", "reviewer"),
            AssessmentKind.PERSONAL_INFORMATION: ("acceptable", "head"),
            AssessmentKind.HEAD_CONSENT: ("consented", "head"),
        }
        for kind, (verdict, who) in said.items():
            judgement = Judgement(kind, verdict, "不含国家秘密和工作秘密")
            assessment.assess(connection, entry_id, judgement, self.people[who], moment(day))

    def submit(self, connection, entry_id: str, day: int = 4):
        return lifecycle.submit(
            connection, self.rules, entry_id, self.people["officer"], moment(day)
        )

    def approve(self, connection, entry_id: str, day: int = 5):
        reviewer = self.people["reviewer"]
        return lifecycle.approve(connection, entry_id, "符合编制要求", reviewer, moment(day))

    def approved(self, engine, entry_id: str, **changes) -> None:
        """An approved version, committed."""
        with engine.begin() as connection:
            self.draft(connection, entry_id, **changes)
            self.assess(connection, entry_id)
            self.submit(connection, entry_id)
            self.approve(connection, entry_id)


@pytest.fixture(scope="session")
def desk(people, rules) -> Desk:
    return Desk(people, rules)
