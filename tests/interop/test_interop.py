"""The clients of ``make interop``: laid out as promised, and right where we have them."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2] / "interop"


@pytest.fixture(scope="module")
def run():
    """The script behind ``make interop``."""
    described = importlib.util.spec_from_file_location("interop_run", HERE / "run.py")
    module = importlib.util.module_from_spec(described)
    sys.modules[described.name] = module
    described.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def library(run, tmp_path_factory):
    """The stage of tables, set up once."""
    folder = tmp_path_factory.mktemp("interop")
    with run.staged("library", folder) as (request, expected):
        yield folder, request, expected


def test_every_client_has_its_stage_and_a_locked_environment(run):
    for client in run.clients():
        assert (HERE / "stages" / f"{client.stage}.py").exists(), client.name
        lock = (HERE / "environments" / f"{client.environment}.txt").read_text("utf-8")
        assert "--hash=sha256:" in lock, client.environment


def test_the_makers_of_the_five_readers_are_asked(run):
    names = {client.name for client in run.clients()}

    assert names >= {f"read_{one}" for one in ("polars", "pandas", "pyarrow", "duckdb", "pyspark")}


@pytest.mark.requirement("SUB-21")
@pytest.mark.parametrize("name", ["read_pyarrow", "read_pandas", "read_duckdb", "read_deltalake"])
def test_a_client_without_our_code_gets_the_same_digests(run, library, name):
    folder, request, expected = library
    client = next(one for one in run.clients() if one.name == name)

    assert run.ask(client, Path(sys.executable), folder, request, expected) == ""


def test_a_client_that_reads_something_else_is_found_out(run, library):
    folder, request, expected = library
    other = [{**expected[0], "rows": 999}, *expected[1:]]
    client = next(one for one in run.clients() if one.name == "read_duckdb")

    assert "expected" in run.ask(client, Path(sys.executable), folder, request, other)


def test_what_this_machine_lacks_is_said(run):
    client = run.Client(Path("x.py"), "library", "tables", ("no-such-program",))

    assert client.absent == "this machine has no no-such-program"
