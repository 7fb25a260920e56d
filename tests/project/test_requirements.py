"""Requirements and the tests that show them stay in step."""

import pytest


@pytest.fixture
def tool(load_tool):
    return load_tool("requirements")


@pytest.fixture
def one_requirement(tool, plant):
    """A tree whose list has CAT-01, done."""
    return plant(
        "docs/reference/requirements.yaml",
        '- {id: CAT-01, tier: A, status: done, title: "Only what is promised"}\n',
    )


def test_this_project_has_no_done_requirement_without_a_test_and_no_unknown_id(tool, root):
    found = tool.faults(tool.load(root / tool.LIST), tool.citations(root))
    assert not found, "\n".join(found)


def test_the_list_has_every_requirement_of_the_regulations_once(tool, root):
    assert len(tool.load(root / tool.LIST)) == 162


def test_a_done_requirement_without_a_test_is_a_fault(tool, one_requirement):
    found = tool.faults(
        tool.load(one_requirement / tool.LIST), tool.citations(one_requirement / "nowhere")
    )
    assert len(found) == 1
    assert "CAT-01 is done" in found[0]
    assert "@pytest.mark.requirement" in found[0]


def test_a_citation_of_an_unknown_id_is_a_fault_with_file_and_line(tool, one_requirement, plant):
    plant(
        "tests/a/test_x.py",
        '@pytest.mark.requirement("CAT-01", "CAT-99")\ndef test_it():\n    assert True\n',
    )
    found = tool.faults(tool.load(one_requirement / tool.LIST), tool.citations(one_requirement))
    assert len(found) == 1
    assert "tests/a/test_x.py::test_it (line 1): found 'CAT-99'" in found[0]


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ('@pytest.mark.requirement("CAT-01")\ndef test_a():\n    pass\n', "::test_a"),
        ('@pytest.mark.requirement("CAT-01")\nclass TestA:\n    pass\n', "::TestA"),
        (
            'class TestA:\n    @pytest.mark.requirement("CAT-01")\n    def test_b(self): ...\n',
            "::TestA::test_b",
        ),
        ('pytestmark = pytest.mark.requirement("CAT-01")\n', ""),
    ],
    ids=["function", "class", "method", "module"],
)
def test_a_citation_is_found_wherever_a_mark_may_stand(tool, plant, text, test):
    cited = tool.citations(plant("tests/test_x.py", text))
    assert [(c.requirement, c.test) for c in cited] == [("CAT-01", f"tests/test_x.py{test}")]


def test_the_report_lists_the_tests_below_their_requirement(tool, one_requirement, plant):
    plant("tests/test_x.py", '@pytest.mark.requirement("CAT-01")\ndef test_a():\n    pass\n')
    rows, cited = tool.load(one_requirement / tool.LIST), tool.citations(one_requirement)
    assert list(tool.report(rows, cited)) == [
        "CAT-01 [A] done Only what is promised",
        "    tests/test_x.py::test_a",
        "tier A: 1 of 1 done",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "- {id: CAT-01, tier: D, status: done, title: x}\n",
        "- {id: CAT-01, tier: A, status: almost, title: x}\n",
        "- {id: CAT-01, tier: A, status: open, title: x}\n" * 2,
    ],
    ids=["unknown tier", "unknown status", "twice"],
)
def test_a_damaged_list_is_refused(tool, plant, text):
    with pytest.raises(ValueError, match="CAT-01"):
        tool.load(plant("list.yaml", text) / "list.yaml")
