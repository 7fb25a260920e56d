"""Generated pages say what the code says."""

import pytest


@pytest.mark.parametrize("page", ["catalog-entry.md", "cli.md"])
def test_the_page_is_what_the_code_renders(load_tool, root, page):
    reference = load_tool("reference")
    written = (root / reference.FOLDER / page).read_text("utf-8")
    assert written == reference.PAGES[page](), f"docs have drifted: run `{reference.COMMAND}`"


def test_every_generated_page_is_compared(load_tool):
    assert set(load_tool("reference").PAGES) == {"catalog-entry.md", "cli.md", "expectations.md"}


def test_the_entry_page_names_limits_defaults_and_schedules(load_tool):
    page = load_tool("reference").catalog_entry()
    assert (
        "| `update_cycle` | [UpdateCycle](#updatecycle) | **must be there** | S004 Art.14" in page
    )
    assert "| `landing_days` | number, at least 1 | `30` |" in page
    assert "| `daily` | 每日 | `30 1 * * *` | 1 d |" in page
