"""The world of the sharing benchmark: a published table of many rows, open grants, a server.

Run as a program it is that server, pinned by whoever starts it:
``share_world.py FOLDER PORT``.
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import create_engine

from catalog.load import load_catalog
from catalog.release import compile_release, current_release, write_release
from catalog.roles import Role
from transforms.types import arrow_type
from yishu.ledger import migrate
from yishu.ledger.journal import Actor
from yishu.library import publish_snapshot, unified_table
from yishu.sharing import deciding, filing, opening
from yishu.sharing.form import RequestForm
from yishu.sharing.house import House, Limits
from yishu.sharing.server import create_app

ROOT = Path(__file__).resolve().parents[1]
ENTRY = "market_regulation.enterprise_registration"
FIELDS = ("uscc", "name", "status")
BATCH = 100_000
NAME_BYTES = 32


def house_of(folder: Path) -> House:
    """The house of the benchmark's folder."""
    release = current_release(folder / "releases")
    engine = create_engine((folder / "database").read_text().strip())
    limits = Limits(calls_per_minute=10**9, misses=10**9)
    return House(
        engine, lambda: release, folder / "library", folder / "sharing", b"k" * 32,
        lambda: datetime.now(UTC), limits=limits,
    )  # fmt: skip


def prepare(folder: Path, database: str, rows: int) -> None:
    """Publish rows, and keep what a house needs."""
    loaded, _ = load_catalog(ROOT / "catalog")
    write_release(folder / "releases", compile_release(loaded, date(2026, 11, 1)))
    migrate.upgrade(database)
    url = database.replace("postgresql://", "postgresql+psycopg://")
    (folder / "database").write_text(url)
    entry = current_release(folder / "releases").entries[ENTRY]
    names = ("_provider_org", "_entry_id", "_run_id")
    fields = [(item.field, arrow_type(item)) for item in entry.items]
    schema = pa.schema([*fields, *((n, pa.string()) for n in names), ("_landed_row", pa.int64())])
    batches = (_batch(schema, start, min(BATCH, rows - start)) for start in range(0, rows, BATCH))
    publish_snapshot(
        folder / "library", unified_table(ENTRY), schema, batches, key=["uscc"], run_id="r1",
        committed_at=datetime.now(UTC), read=rows,
    )  # fmt: skip


def key_of(number: int) -> str:
    """The invented code of an enterprise."""
    return f"91320205MA{number:08d}"


def _batch(schema: pa.Schema, start: int, count: int) -> pa.RecordBatch:
    numbers = np.arange(start, start + count)
    # As good as random, so that files are as long as real ones: a download of nothing says nothing.
    letters = np.random.default_rng(start).bytes(count * NAME_BYTES).hex()
    size = 2 * NAME_BYTES
    values = {
        "uscc": [key_of(int(n)) for n in numbers],
        "name": [f"测试企业{letters[size * n : size * (n + 1)]}有限公司" for n in range(count)],
        "status": pa.array(["1"] * count),
        "region_code": pa.array([f"3202{n % 20:02d}" for n in numbers.tolist()]),
        "address": [f"无锡市测试路{n % 9_973}号{n}室" for n in numbers.tolist()],
        "_provider_org": pa.array(["market_regulation"] * count),
        "_entry_id": pa.array([ENTRY] * count),
        "_run_id": pa.array(["r1"] * count),
        "_landed_row": pa.array(numbers, pa.int64()),
    }
    empty = {field.name: pa.nulls(count, field.type) for field in schema}
    columns = [
        pa.array(values.get(name, empty[name]), schema.field(name).type) for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def granted(house: House, **changed: str) -> str:
    """A grant that waits to be opened."""
    officer = _actor("zhao", Role.DEPARTMENT_OFFICER, "human_resources")
    head = _actor("qian", Role.DEPARTMENT_HEAD, "human_resources")
    today = house.clock().date()
    form = {
        "object_id": ENTRY, "scenario": "参保登记", "service_items": ["320107009000"],
        "purpose_code": "statistics", "purpose": "核对", "legal_basis": "《社会保险法》",
        "elements": [{"field": one, "use": f"参保登记时核对{one}"} for one in FIELDS],
        "cycle": "daily", "contact": "信息中心", "valid_from": today.isoformat(),
        "valid_until": today.replace(year=today.year + 1).isoformat(), **changed,
    }  # fmt: skip
    with house.engine.begin() as connection:
        desk = house.desk(connection)
        request_id = filing.draft(desk, RequestForm.model_validate(form), officer)
        filing.consent(desk, request_id, head)
        filing.submit(desk, request_id, officer)
        authority = _actor("li", Role.AUTHORITY_REVIEWER, "big_data_bureau")
        return deciding.grant(desk, request_id, authority) or ""


def opened(house: House, grant_id: str) -> str:
    """Open a grant; its token."""
    with house.engine.begin() as connection:
        operator = _actor("zhou", Role.CENTRE_OPERATOR, "command_centre")
        return opening.open_channel(house.desk(connection), grant_id, operator).token


def _actor(person: str, role: Role, org: str) -> Actor:
    return Actor(person, f"{person}@{org}", role, org)


def _serve(folder: Path, port: int) -> None:
    import uvicorn  # noqa: PLC0415

    uvicorn.run(create_app(house_of(folder)), port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
