"""The stages find in the example city exactly the faults that its manifest lists."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from catalog.load import load_catalog
from catalog.model import Catalog
from example import city
from example.manifest import Manifest
from yishu.library import build_subject
from yishu.library.read import read
from yishu.pipeline.publish import publish_entry
from yishu.pipeline.pull import pull
from yishu.pipeline.store import run_folder
from yishu.pipeline.validate import validate_landed
from yishu.sources.protocol import Connection

ROOT = Path(__file__).parents[2]
PASSWORD = "for reading only"
RUN = "r1"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
CATALOG, _ = load_catalog(ROOT / "catalog")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def where(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> city.Systems:
    return city.Systems(postgres_url, tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def manifest(where: city.Systems) -> Manifest:
    return city.build(where, 1_000, reader_password=PASSWORD)


@pytest.fixture(scope="module")
def rest_url(where: city.Systems, manifest: Manifest) -> Iterator[str]:
    """The departments' services, served as the demo serves them."""
    url = f"http://127.0.0.1:{free_port()}"
    folder, port = str(where.folder), url.rpartition(":")[2]
    command = [sys.executable, "-m", "example.rest_server", "--folder", folder, "--port", port]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(300):
            try:
                httpx.get(f"{url}/hall_ratings", params={"page_size": 1}).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def var(where: city.Systems, rest_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every entry pulled, validated and published once."""
    folder = tmp_path_factory.mktemp("var")
    urls = city.connections(where, rest_url, PASSWORD)
    for entry in CATALOG.entries.values():
        source, run = entry.source, run_folder(folder, entry.id, RUN)
        connection = Connection(source.connection, source.kind, urls[source.connection])
        pull(entry, connection, run, run_id=RUN, now=NOW)
        validate_landed(entry, CATALOG, run)
        publish_entry(entry, run, folder / "library", committed_at=NOW)
    return folder


every_entry = pytest.mark.parametrize("entry_id", sorted(CATALOG.entries))


def quarantine(var: Path, entry_id: str) -> dict[int, set[str]]:
    """Row number -> ids of its failed checks."""
    path = var / "quarantine" / entry_id.replace(".", "/") / RUN / "rows.parquet"
    rows = pq.read_table(path, columns=["_row", "_reasons"]).to_pylist()
    return {row["_row"]: {reason["check_id"] for reason in row["_reasons"]} for row in rows}


@every_entry
def test_exactly_the_listed_rows_are_quarantined_each_for_its_fault(entry_id, manifest, var):
    expected = {
        row: (group.check, group.field)
        for group in manifest.faults_of(entry_id)
        if group.expected == "quarantined"
        for row in group.rows
    }
    found = quarantine(var, entry_id)
    assert set(found) == set(expected)
    for row, checks in found.items():
        kind, field = expected[row]
        assert {kind} == {check.split(".")[1] for check in checks}
        # A whole row that is there twice repeats its other unique items as well as its key.
        assert len(checks) == 1 or kind == "unique"
        assert any(field in check.split(".") for check in checks)


@every_entry
def test_spelling_faults_are_repaired_to_the_true_value(entry_id, manifest, var):
    groups = [g for g in manifest.faults_of(entry_id) if g.expected == "repaired"]
    table = f"unified/{entry_id}"
    fields = sorted({group.field for group in groups})
    rows = read(var / "library", table, columns=[*fields, "_landed_row"]).to_pylist()
    published = {row["_landed_row"]: row for row in rows}
    for group in groups:
        for row, truth in zip(group.rows, group.becomes, strict=True):
            value = published[row][group.field]
            if isinstance(value, Decimal):
                assert truth is not None
                assert value == Decimal(truth)
            else:
                assert (None if value is None else str(value)) == truth


@every_entry
def test_all_other_rows_are_published(entry_id, manifest, var):
    truth = manifest.entries[entry_id]
    rows = read(var / "library", f"unified/{entry_id}", columns=["_landed_row"])
    landed = set(rows.column("_landed_row").to_pylist())
    assert len(landed) == truth.published
    assert landed == set(range(truth.read)) - set(quarantine(var, entry_id))


@pytest.mark.parametrize("subject_id", sorted(CATALOG.subjects))
def test_a_subject_has_the_rows_that_its_sources_bring(subject_id, manifest, var):
    catalog: Catalog = CATALOG
    subject, truth = catalog.subjects[subject_id], manifest.subjects[subject_id]
    built = build_subject(var / "library", subject, catalog, run_id="s1", committed_at=NOW)
    assert built.commit.rows == truth.rows
    assert {
        given.entry_id: (given.rows_in, given.contributed, given.not_linked)
        for given in built.contributions
    } == {
        entry: (brought.rows_in, brought.contributed, brought.not_linked)
        for entry, brought in truth.contributions.items()
    }
    compared = {
        copy.entry_id: (copy.compared, copy.different) for copy in built.copies if copy.compared
    }
    assert compared == {
        entry: (copies.compared, copies.different) for entry, copies in truth.copies.items()
    }
