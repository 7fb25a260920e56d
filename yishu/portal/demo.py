"""The accounts of the demo: invented people, one a role, officers and heads of each department."""

from datetime import date

from sqlalchemy import Connection

from catalog.model import CatalogView
from catalog.roles import Role
from yishu.governance import accounts
from yishu.ledger.journal import Actor

AUTHORITY = "big_data_bureau"
CENTRE = "command_centre"

_CITY = (
    ("reviewer", "周审", Role.AUTHORITY_REVIEWER, AUTHORITY),
    ("operator", "吴通", Role.CENTRE_OPERATOR, CENTRE),
    ("service", "郑务", Role.SERVICE_AUTHORITY, AUTHORITY),
    ("monitor", "王质", Role.QUALITY_MONITOR, AUTHORITY),
    ("auditor", "冯查", Role.AUDITOR, AUTHORITY),
    ("admin", "陈管", Role.ADMINISTRATOR, AUTHORITY),
)
_OF_A_DEPARTMENT = (
    ("officer", "李专", Role.DEPARTMENT_OFFICER),
    ("head", "赵任", Role.DEPARTMENT_HEAD),
    ("provider", "孙核", Role.PROVIDER_REVIEWER),
)


def people(catalog: CatalogView) -> list[tuple[Actor, str]]:
    """Who acts in the demo, and their names."""
    city = [(Actor(f"p-{name}", name, role, org), shown) for name, shown, role, org in _CITY]
    providers = sorted({entry.provider_org for entry in catalog.entries.values()})
    return city + [
        (Actor(f"p-{name}-{org}", f"{name}.{org}", role, org), shown)
        for org in providers
        for name, shown, role in _OF_A_DEPARTMENT
    ]


def add_people(connection: Connection, catalog: CatalogView, valid_from: date) -> int:
    """Keep the demo's accounts; how many there are. They have no password."""
    everyone = people(catalog)
    for actor, name in everyone:
        accounts.add(connection, actor, name, valid_from=valid_from)
    return len(everyone)
