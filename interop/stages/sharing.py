"""A grant over a running server: Delta Sharing with Chinese names, masks and all standard types."""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import uvicorn
from sqlalchemy import create_engine

from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from catalog.roles import Role
from transforms.types import arrow_type
from yishu.embedded import EmbeddedPostgres
from yishu.ledger import migrate
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot, unified_table
from yishu.sharing import deciding, filing, opening
from yishu.sharing.desk import Desk
from yishu.sharing.form import RequestForm
from yishu.sharing.house import House, ready
from yishu.sharing.profile import profile
from yishu.sharing.server import create_app

ENTRY = "market_regulation.enterprise_registration"
FIELDS = (
    "uscc", "name", "legal_representative", "registered_capital", "established_on", "region_code",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
ROWS = 1_000


@contextmanager
def stage(folder: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """Serve a grant; what a client must read of it, and what each wrong token must get."""
    with house_in(folder) as house:
        tokens = {name: opened(house) for name in ("good", "revoked")}
        with house.engine.begin() as connection:
            served = ready(house, connection, tokens["good"][0])
            who = _actor("zhou", Role.CENTRE_OPERATOR, "command_centre")
            opening.close(house.desk(connection), tokens["revoked"][0], who, "用途已实现")
        with running(house) as base:
            profiles = {
                name: profile(base, token, datetime(2027, 1, 1, tzinfo=UTC))
                for name, (_, token) in tokens.items()
            }
            profiles["wrong"] = profile(base, "ys1.0.0", datetime(2027, 1, 1, tzinfo=UTC))
            types = {field.name: str(field.type) for field in served.projection.schema}
            expected = {
                "tables": [["无锡市市场监督管理局", "统一数据库", "企业登记基本信息"]],
                "read": {"rows": ROWS, "digest": served.projection.content_digest()},
                "limited": True,
                "refused": {"revoked": True, "wrong": True},
            }
            yield {"profiles": profiles, "types": types, "folder": str(folder)}, expected


@contextmanager
def house_in(folder: Path) -> Iterator[House]:
    """A house with one published table, on a database of its own."""
    loaded, _ = load_catalog(ROOT / "catalog")
    release = write_release(folder / "releases", compile_release(loaded, date(2026, 11, 1)))
    server = EmbeddedPostgres(folder / "postgres", secrets.token_urlsafe(16))
    server.start()
    try:
        url = server.ensure_database("sharing")
        migrate.upgrade(url)
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        house = House(
            engine, lambda: release, folder / "图书馆", folder / "sharing",
            secrets.token_bytes(32), lambda: datetime.now(UTC),
        )  # fmt: skip
        _publish(house, release)
        yield house
        engine.dispose()
    finally:
        server.stop()


def _publish(house: House, release: Any) -> None:
    items = release.entries[ENTRY].items
    schema = pa.schema(
        [
            *((item.field, arrow_type(item)) for item in items),
            *((name, pa.string()) for name in ("_provider_org", "_entry_id", "_run_id")),
            ("_landed_row", pa.int64()),
        ]
    )
    rows = [
        {
            "uscc": f"91320205MA{number:08d}",
            "name": None if number % 7 == 0 else f"=甲{number}有限公司",
            "legal_representative": "李明",
            "registered_capital": Decimal(number * 1_001) / 100,
            "established_on": date(1998 + number % 28, 1 + number % 12, 1 + number % 28),
            "region_code": "320205",
            "_provider_org": "market_regulation",
            "_entry_id": ENTRY,
            "_run_id": "r1",
            "_landed_row": number,
        }
        for number in range(ROWS)
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    publish_snapshot(
        house.library, unified_table(ENTRY), schema, [batch], key=["uscc"], run_id="r1",
        committed_at=datetime(2026, 1, 1, tzinfo=UTC), read=ROWS,
    )  # fmt: skip


def _actor(person: str, role: Role, org: str) -> Actor:
    return Actor(person, f"{person}@{org}", role, org)


def opened(
    house: House, mode: str = "batch_exchange", kind: str = "delta_sharing"
) -> tuple[str, str]:
    """The id of a grant whose channel is open, and its token."""
    officer = _actor("zhao", Role.DEPARTMENT_OFFICER, "human_resources")
    today = house.clock().date()
    form = RequestForm.model_validate(
        {
            "object_id": ENTRY,
            "scenario": "社会保险登记时核对企业登记状态",
            "service_items": ["320106001000"],
            "purpose_code": "statistics",
            "purpose": "核对参保单位的登记信息",
            "legal_basis": "《社会保险法》第五十七条",
            "elements": [{"field": field, "use": f"参保登记时核对{field}"} for field in FIELDS],
            "mode": mode,
            "format": kind,
            "cycle": "daily",
            "valid_from": today.isoformat(),
            "valid_until": today.replace(year=today.year + 1).isoformat(),
            "contact": "信息中心",
        }
    )
    with house.engine.begin() as connection:
        desk: Desk = house.desk(connection)
        request_id = filing.draft(desk, form, officer)
        head = _actor("qian", Role.DEPARTMENT_HEAD, "human_resources")
        filing.consent(desk, request_id, head)
        filing.submit(desk, request_id, officer)
        authority = _actor("li", Role.AUTHORITY_REVIEWER, "big_data_bureau")
        grant_id = deciding.grant(desk, request_id, authority) or ""
        operator = _actor("zhou", Role.CENTRE_OPERATOR, "command_centre")
        return grant_id, opening.open_channel(desk, grant_id, operator).token


@contextmanager
def running(house: House) -> Iterator[str]:
    """The address of the house's server while it listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(create_app(house), log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
