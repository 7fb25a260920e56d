"""A security policy that does not hold stops a release."""

import subprocess
import sys

import pytest

HOLDS = """
import pytest


@pytest.mark.requirement("SEC-01")
def test_policy():
    assert True
"""


@pytest.fixture
def bundle(load_tool, plant, monkeypatch):
    """The tool that releases, over a small tree."""
    # The small trees need none of the plugins, which take longer to load than all else.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    tool, tree = load_tool("bundle"), plant("tests/test_policy.py", HOLDS)
    monkeypatch.setattr(tool, "ROOT", tree)
    monkeypatch.setattr(tool, "DIST", tree / "dist")
    return tool


def gate(root, tree):
    command = [sys.executable, str(root / "tools" / "security.py"), str(tree)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.requirement("SEC-08")
@pytest.mark.parametrize(
    ("policy", "found"),
    [
        (HOLDS.replace("True", "False"), "failure"),
        (HOLDS.replace("assert True", "pytest.skip('later')"), "skipped"),
        (HOLDS.replace("SEC-01", "CAT-01"), "found no test that cites SEC-"),
    ],
)
def test_a_policy_that_does_not_hold_stops_the_bundle(bundle, plant, capfd, policy, found):
    tree = plant("tests/test_policy.py", policy)

    with pytest.raises(RuntimeError, match="security policy does not hold"):
        bundle.build()

    assert found in capfd.readouterr().out
    assert not (tree / "dist").exists()


@pytest.mark.requirement("SEC-08")
def test_policies_that_hold_let_it_pass_and_nothing_else_runs(root, bundle, plant):
    plant("tests/test_other.py", "def test_other():\n    assert False\n")

    assert "1 policies, all hold" in gate(root, bundle.ROOT).stdout


@pytest.mark.requirement("SEC-08")
def test_continuous_integration_makes_its_bundle_by_this_gate(root):
    assert "make bundle-test" in (root / ".ci/run").read_text("utf-8")
    assert "bundle-test: bundle" in (root / "Makefile").read_text("utf-8")
