"""The runner of breaking patches tells a test that notices from one that does not."""

import pytest

ADDING = '"""Adds."""\n\n\ndef add(a, b):\n    return a + b\n'
TEST_SUM = "from catalog.adding import add\n\n\ndef test_sum():\n    assert add(2, 3) == 5\n"
TEST_NOTHING = "from catalog.adding import add\n\n\ndef test_nothing():\n    assert add\n"


@pytest.fixture
def tool(load_tool):
    return load_tool("mutants")


@pytest.fixture
def small_project(plant):
    """A project of one function whose package has the name of an installed one."""
    plant("catalog/__init__.py", "")
    plant("catalog/adding.py", ADDING)
    plant("tests/test_sum.py", TEST_SUM)
    return plant("tests/test_nothing.py", TEST_NOTHING)


def mutant(tool, old="a + b", new="a - b", test="tests/test_sum.py", requirements=("CAT-01",)):
    return tool.Mutant("m", "catalog/adding.py", old, new, requirements, (test,))


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, "KILLED"),
        ({"test": "tests/test_nothing.py"}, "SURVIVED"),
        ({"old": "a * b"}, "STALE"),
        ({"old": "    return a + b", "new": "return a +"}, "BROKEN"),
    ],
    ids=["a test that notices", "a test that does not", "code that moved on", "no longer Python"],
)
def test_outcome_of_a_patch(tool, small_project, change, outcome):
    [(_, found, _)] = tool.run(small_project, [mutant(tool, **change)])
    assert found is tool.Outcome[outcome]


def test_the_tree_itself_is_never_touched(tool, small_project):
    list(tool.run(small_project, [mutant(tool)]))
    assert (small_project / "catalog/adding.py").read_text("utf-8") == ADDING


def test_tests_that_fail_without_a_patch_prove_nothing(tool, small_project, plant):
    plant("tests/test_sum.py", TEST_SUM.replace("== 5", "== 6"))
    with pytest.raises(RuntimeError, match="fail without any patch"):
        list(tool.run(small_project, [mutant(tool)]))


def test_a_copy_that_is_not_imported_is_refused(tool, tmp_path):
    with pytest.raises(RuntimeError, match="tests would import"):
        tool.check_isolation(tmp_path)


REQUIREMENTS = """
- {id: CAT-01, tier: A, status: done, title: x}
- {id: CAT-02, tier: A, status: open, title: x}
- {id: IND-01, tier: B, status: done, title: x}
"""


def test_a_done_core_requirement_needs_a_patch(tool, plant):
    listed = plant("requirements.yaml", REQUIREMENTS) / "requirements.yaml"
    assert tool.uncovered([mutant(tool)], listed) == []
    assert "CAT-01" in tool.uncovered([], listed)[0]


def test_a_patch_cannot_name_an_unknown_requirement(tool, plant):
    listed = plant("requirements.yaml", REQUIREMENTS) / "requirements.yaml"
    found = tool.uncovered([mutant(tool, requirements=("CAT-01", "CAT-99"))], listed)
    assert len(found) == 1
    assert "CAT-99" in found[0]


@pytest.mark.parametrize("damage", ["twice", "changes nothing", "names no test"])
def test_a_damaged_list_is_refused(tool, plant, damage):
    row = "- {id: m, file: f, old: a, new: b, requirements: [], tests: [t]}\n"
    rows = {
        "twice": row * 2,
        "changes nothing": row.replace("new: b", "new: a"),
        "names no test": row.replace("[t]", "[]"),
    }
    folder = plant("list.yaml", rows[damage])
    with pytest.raises(ValueError, match=r"list\.yaml"):
        tool.load(folder)


def test_every_kept_patch_still_applies(tool, root):
    stale = [
        kept.id
        for kept in tool.load(root / tool.KEPT)
        if (root / kept.file).read_text("utf-8").count(kept.old) != 1
    ]
    assert not stale, f"adjust these in {tool.KEPT}/: {stale}"
