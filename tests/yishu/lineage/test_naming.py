"""Data sets of departments are named as every other tool names them, without credentials."""

import pytest

from catalog.model import SourceSpec
from yishu.lineage import DatasetName, run_uuid, source_dataset

NAMES = [
    (
        {"kind": "postgresql", "table": "reg.enterprise"},
        "postgresql://reader:hush@10.1.2.3:5433/market",
        DatasetName("postgres://10.1.2.3:5433", "market.reg.enterprise"),
    ),
    (
        {"kind": "postgresql", "table": "enterprise"},
        "postgresql://reader:hush@db.city/market",
        DatasetName("postgres://db.city:5432", "market.public.enterprise"),
    ),
    (
        {"kind": "sql", "table": "licence"},
        "mysql+pymysql://reader:hush@10.1.2.3/archive",
        DatasetName("mysql://10.1.2.3:3306", "archive.licence"),
    ),
    (
        {"kind": "sql", "table": "GOV.LICENCE"},
        "oracle://reader:hush@10.1.2.3/ORCL",
        DatasetName("oracle://10.1.2.3:1521", "ORCL.GOV.LICENCE"),
    ),
    (
        {"kind": "sql", "table": "dbo.licence"},
        "mssql://reader:hush@10.1.2.3/archive",
        DatasetName("mssql://10.1.2.3:1433", "archive.dbo.licence"),
    ),
    (
        {"kind": "sql", "table": "organisation"},
        "sqlite:////srv/civil/affairs.db",
        DatasetName("file", "/srv/civil/affairs.db#organisation"),
    ),
    (
        {"kind": "csv", "path": "permits_*.csv"},
        "/srv/drops/housing",
        DatasetName("file", "/srv/drops/housing/permits_*.csv"),
    ),
    (
        {"kind": "parquet", "path": "a/*.parquet"},
        "file:///srv/drops/%E4%BD%8F%E5%BB%BA",
        DatasetName("file", "/srv/drops/住建/a/*.parquet"),
    ),
    (
        {"kind": "xlsx", "path": "permits_*.xlsx"},
        "sftp://reader:hush@10.1.2.3:2222/drop/permits?host_key=SHA256:abc",
        DatasetName("sftp://10.1.2.3:2222", "/drop/permits/permits_*.xlsx"),
    ),
    (
        {"kind": "rest", "endpoint": "/licences"},
        "http://reader:hush@127.0.0.1:8090/api/v1",
        DatasetName("http://127.0.0.1:8090", "/api/v1/licences"),
    ),
]


@pytest.mark.parametrize(("spec", "url", "expected"), NAMES)
def test_a_source_is_named_after_the_rules_of_its_kind(spec, url, expected):
    found = source_dataset(SourceSpec(connection="some_db", **spec), url)
    assert found == expected


def test_a_run_keeps_its_id_over_kills_and_machines():
    """The literal value: an id that changed would cut every history in two."""
    assert run_uuid("r1", "market.enterprise.pull") == "01366cf8-1cb1-5828-925d-816104a6a147"
    assert run_uuid("r2", "market.enterprise.pull") != run_uuid("r1", "market.enterprise.pull")
    assert run_uuid("r1", "market.enterprise") != run_uuid("r1", "market.enterprise.pull")
