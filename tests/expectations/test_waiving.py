"""A waiver is written below the others, and nothing else in the file moves."""

from datetime import date

import pytest

from expectations.errors import RulebookFaulty
from expectations.rulebook import rulebook
from expectations.waiving import waive, waiver

ENTRY = "taxation.taxpayer"
KEPT = """# Why: see the minutes of March.
entry: taxation.taxpayer
waivers:
  - {id: old, check: name.present, since: 2026-03-01, until: 2026-04-01, author: 甲, reason: 停机}
# After the list.
checks: []
"""


def wanted(folder):
    day = date(2026, 11, 20)
    return waiver(
        ENTRY,
        "uscc.uscc",
        scope=None,
        since=day,
        until=day,
        author="乙",
        reason="换发",
        folder=folder,
    )


@pytest.mark.parametrize("before", ["", KEPT])
def test_it_stands_below_the_others_and_comments_stay(tmp_path, before):
    path = tmp_path / f"{ENTRY}.yaml"
    if before:
        path.write_text(before, "utf-8")

    waive(ENTRY, wanted(tmp_path), tmp_path)

    known = [one.check for one in rulebook(ENTRY, tmp_path).waivers]
    assert known == [*(["name.present"] if before else []), "uscc.uscc"]
    text = path.read_text("utf-8")
    assert [line for line in before.splitlines() if line not in text] == []


def test_a_list_that_no_line_can_be_added_to_is_refused_and_the_file_stays(tmp_path):
    path = tmp_path / f"{ENTRY}.yaml"
    path.write_text(f"entry: {ENTRY}\nwaivers: []\n", "utf-8")

    with pytest.raises(RulebookFaulty, match="no line can be added"):
        waive(ENTRY, wanted(tmp_path), tmp_path)

    assert path.read_text("utf-8") == f"entry: {ENTRY}\nwaivers: []\n"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
