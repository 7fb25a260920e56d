"""The project keeps its own rules, and each rule can fail."""

import pytest

RULES = (
    "import_directions",
    "folder_rules",
    "machine_paths",
    "registry_hosts",
    "secrets",
    "left_to_do",
    "sizes",
    "docstrings",
    "clock_reads",
)


@pytest.fixture
def guards(load_tool):
    return load_tool("guards")


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_keeps_the_rule(guards, root, rule):
    findings = [str(finding) for finding in getattr(guards, rule)(root)]
    assert not findings, "\n".join(findings)


def test_every_rule_is_run_on_the_tree(guards):
    assert {rule.__name__ for rule in guards.ALL_RULES} == set(RULES)


DOC = '"""Says what it is."""\n'

BROKEN = {
    "rules import machinery": (
        "import_directions",
        "catalog/x.py",
        "from yishu.library import read\n",
        1,
        "yishu.library.read",
    ),
    "rules import machinery inside a function": (
        "import_directions",
        "transforms/x.py",
        "def f():\n    import yishu\n",
        2,
        "yishu",
    ),
    "two rule packages know each other": (
        "import_directions",
        "expectations/x.py",
        "from transforms import standard\n",
        1,
        "transforms.standard",
    ),
    "a heavy package in the catalog": (
        "import_directions",
        "catalog/x.py",
        "import pandas as pd\n",
        1,
        "pandas",
    ),
    "a relative import upward": (
        "import_directions",
        "yishu/sources/x.py",
        "from ..pipeline import store\n",
        1,
        "yishu.pipeline.store",
    ),
    "sources import their neighbour": (
        "import_directions",
        "yishu/sources/__init__.py",
        "from yishu.ledger import Ledger\n",
        1,
        "yishu.ledger.Ledger",
    ),
    "Airflow below orchestration": (
        "import_directions",
        "yishu/pipeline/x.py",
        "import airflow.sdk\n",
        1,
        "airflow.sdk",
    ),
    "the example knows the checks": (
        "import_directions",
        "example/x.py",
        "from catalog.identifiers import check_digit\n",
        1,
        "catalog.identifiers.check_digit",
    ),
    "a DAG file reaches past orchestration": (
        "import_directions",
        "dags/x.py",
        "from yishu.pipeline import run_entry\n",
        1,
        "yishu.pipeline.run_entry",
    ),
    "an unknown folder": ("folder_rules", "scripts/x.py", DOC, 0, "scripts/"),
    "a package marker in tests": ("folder_rules", "tests/a/__init__.py", "", 0, "__init__.py"),
    "Python in sql": ("folder_rules", "sql/views/x.py", DOC, 0, "Python in sql/"),
    "a path of a machine": (
        "machine_paths",
        "docs/x.md",
        "see\n/ho" + "me/li/yishu\n",
        2,
        "/ho" + "me/l",
    ),
    "a registry's host": (
        "registry_hosts",
        "requirements/lock.txt",
        "--ind" + "ex-url https://py" + "pi.org/simple\n",
        1,
        "index-url",
    ),
    "a private key": ("secrets", "yishu/x.py", "-----BEGIN PRIVATE K" + "EY-----\n", 1, "secret"),
    "a password in clear": (
        "secrets",
        "airflow.cfg",
        'PASSWORD = "correct-horse-battery"\n',
        1,
        "secret",
    ),
    "a note of unfinished work": (
        "left_to_do",
        "yishu/x.py",
        "# TO" + "DO later\n",
        1,
        "TO" + "DO",
    ),
    "a long file": ("sizes", "yishu/x.py", "x = 1\n" * 451, 0, "451 lines"),
    "a long function": ("sizes", "yishu/x.py", "def f():\n" + "    x = 1\n" * 60, 1, "61 lines"),
    "a long DAG file": ("sizes", "dags/x.py", "x = 1\n" * 81, 0, "81 lines"),
    "a module without docstring": ("docstrings", "yishu/x.py", "x = 1\n", 1, "a module"),
    "a function without docstring": (
        "docstrings",
        "yishu/x.py",
        DOC + "def read():\n    return 1\n",
        2,
        "read",
    ),
    "a method without docstring": (
        "docstrings",
        "yishu/x.py",
        DOC + "class A:\n    'One.'\n    def read(self):\n        return 1\n",
        4,
        "read",
    ),
    "a clock read in logic": (
        "clock_reads",
        "yishu/ledger/x.py",
        "import datetime\nat = datetime.datetime.now(tz)\n",
        2,
        "datetime.now",
    ),
    "a clock handed on as a default": (
        "clock_reads",
        "catalog/x.py",
        "field(default_factory=date.today)\n",
        1,
        "date.today",
    ),
}


@pytest.mark.parametrize("planted", BROKEN)
def test_a_planted_violation_is_named_with_its_line_and_remedy(guards, plant, planted):
    rule, place, text, line, found = BROKEN[planted]
    root = plant(place, text)

    findings = list(getattr(guards, rule)(root))

    assert [finding.line for finding in findings] == [line]
    assert findings[0].path.is_relative_to(root)
    assert found in findings[0].found
    assert findings[0].remedy


def test_a_secret_is_not_repeated_in_the_message(guards, plant):
    root = plant("airflow.cfg", 'password = "correct-horse-battery"\n')
    assert "correct-horse" not in str(next(guards.secrets(root)))


ALLOWED = {
    "own package": ("catalog/x.py", "from catalog.model import Catalog\n"),
    "own package, relatively": ("catalog/x.py", "from .model import Catalog\n"),
    "light packages": ("catalog/x.py", "import yaml, numpy\nfrom pydantic import BaseModel\n"),
    "downward": ("yishu/pipeline/x.py", "from yishu.sources import open_source\n"),
    "rules from machinery": ("yishu/sources/x.py", "import catalog.model\n"),
    "Airflow in orchestration": ("yishu/orchestration/x.py", "from airflow.sdk import DAG\n"),
    "a DAG file": ("dags/x.py", "from airflow.sdk import dag\nimport yishu.orchestration\n"),
    "the command line": ("yishu/cli/x.py", "from yishu.pipeline import run_entry\n"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_an_import_that_points_downward_is_allowed(guards, plant, case):
    assert not list(guards.import_directions(plant(*ALLOWED[case])))


def test_ignored_folders_are_not_the_project(guards, plant):
    plant(".gitignore", ".venv/\n")
    root = plant(".venv/lib/x.py", "x = 1\n")
    assert not list(guards.docstrings(root))
