"""Catalog: how long check, release and the parsing of DAG files take with many entries.

The catalog of the example city is filled up with copies of its entries, which differ from them in
id and resource code alone. Check and release are the ``yishu`` command from start to end; a DAG
file is parsed and serialised by the function of Airflow's DAG processor.

``--size`` is the number of entries; 200 and then 2,000 unless said.
"""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
from pathlib import Path

from harness import ROOT, VAR, Options, Run, Section, compare, markdown, measure

TITLE = "Catalog"
SIZES = (200, 2_000)
FOLDER = VAR / "catalog_scale"
DAG_FILES = ("entries", "subjects")
NO_DATABASE = "postgresql+psycopg://nobody@127.0.0.1:9/none"
"""Parsing must not need Airflow's database, so there is none."""

_CODE = re.compile(r"(?m)^(resource_code: \d+)\d{3}(\d{3}/)")


def run(options: Options) -> Section:
    """Measure every step at each size."""
    sizes = [options.size] if options.size else SIZES
    lines = []
    for size in sizes:
        catalog = make_catalog(FOLDER / str(size), size)
        options.say(f"{size} entries")
        lines += [[f"{size:,}", *line] for line in _measured(catalog, options)]
    header = ["entries", "step", "median s", "spread s", "peak MB"]
    return Section(TITLE, "\n\n".join([_ABOUT, markdown(header, lines)]))


_ABOUT = (
    "Check and release: the `yishu` command from start to end. Parsing: build and serialise all "
    "DAGs of the file, Airflow already imported, as in its DAG processor; memory is that of the "
    "whole process. No fault, import error or missing DAG is accepted."
)


@dataclass(frozen=True)
class GrownCatalog:
    """A catalog of many entries and the installation that works with it."""

    root: Path
    var: Path
    entries: int

    @property
    def environment(self) -> dict[str, str]:
        """For every process that works with it."""
        return {
            "YISHU_VAR_DIR": str(self.var),
            "YISHU_CATALOG_DIR": str(self.root),
            "AIRFLOW_HOME": str(self.var / "airflow"),
            "AIRFLOW_CONFIG": str(ROOT / "airflow.cfg"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": NO_DATABASE,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": NO_DATABASE,
        }


def make_catalog(folder: Path, entries: int) -> GrownCatalog:
    """The example city's catalog, filled up to so many entries in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    root = folder / "catalog"
    shutil.copytree(ROOT / "catalog", root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    first = sorted(root.glob("entries/*/*.yaml"))
    for path, text in islice(_copies(first), max(0, entries - len(first))):
        path.write_text(text, "utf-8")
    (folder / "var").mkdir()
    return GrownCatalog(root, folder / "var", entries)


def _copies(first: list[Path]) -> Iterator[tuple[Path, str]]:
    """Copies of all entries in turn, each with an id and a resource code of its own."""
    texts = {path: path.read_text("utf-8") for path in first}
    for number in count(1):
        for path, text in texts.items():
            name = f"{path.stem}_{number:04}"
            named = re.sub(r"(?m)^id: (\w+)\..*$", rf"id: \1.{name}", text, count=1)
            # The middle of the serial number; its end tells the first entries apart.
            yield path.with_name(f"{name}.yaml"), _CODE.sub(rf"\g<1>{number:03}\g<2>", named)


def _measured(catalog: GrownCatalog, options: Options) -> Iterator[list[object]]:
    contenders: dict[str, Callable[[int], Run]] = {
        "`yishu catalog check`": partial(_command, "check", catalog),
        "`yishu catalog release`": partial(_command, "release", catalog),
        **{f"parse `dags/{name}.py`": partial(_parse, name, catalog) for name in DAG_FILES},
    }
    for one in compare(contenders, options):
        yield [one.name, one.median, one.spread, f"{one.peak_mb:.0f}"]


def _command(verb: str, catalog: GrownCatalog, _: int) -> Run:
    yishu = str(Path(sys.executable).with_name("yishu"))
    return measure([yishu, "catalog", verb, "--json"], catalog.environment, tells=False)


def _parse(name: str, catalog: GrownCatalog, _: int) -> Run:
    command = [sys.executable, str(ROOT / "bench" / "dag_parse.py"), f"dags/{name}.py"]
    done = measure(command, catalog.environment)
    if name == "entries" and done.result["dags"] != catalog.entries:
        raise SystemExit(f"{done.result['dags']} DAGs of {catalog.entries} entries")
    return replace(done, seconds=done.result["parse"])
