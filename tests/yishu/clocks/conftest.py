"""The calendar of the catalog's files."""

from pathlib import Path

import pytest

from yishu.clocks import WorkingDays
from yishu.clocks.table import read_table

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def table():
    return read_table(ROOT / "catalog" / "working_days")


@pytest.fixture(scope="session")
def calendar(table):
    return WorkingDays(table)
