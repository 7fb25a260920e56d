"""Documents point at what exists."""

import re
from pathlib import Path

import pytest

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"^ *make ([a-z-]+)", re.MULTILINE)
ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")]
)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_page_leads_to_a_file(root, page):
    text = (root / page).read_text("utf-8")
    local = [link for link in LINK.findall(text) if "://" not in link]
    missing = [link for link in local if not ((root / page).parent / link).exists()]
    assert not missing, f"{page}: links to nothing: {missing}"


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_of_the_page_exists(root, page):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    asked = set(MAKE.findall((root / page).read_text("utf-8")))
    assert asked <= targets, f"{page}: no such target: {asked - targets}"


def test_every_page_can_be_reached_from_the_readme(root):
    reached, front = set(), ["README.md"]
    while front:
        page = front.pop()
        reached.add(page)
        for link in LINK.findall((root / page).read_text("utf-8")):
            target = ((root / page).parent / link).resolve()
            if "://" in link or not target.is_relative_to(root):
                continue
            below = sorted(target.glob("*.md")) if target.is_dir() else [target]
            names = [path.relative_to(root).as_posix() for path in below if path.suffix == ".md"]
            front += [name for name in names if name not in reached]
    unreached = set(PAGES) - reached - {"CHANGELOG.md"}
    assert not unreached, f"no way from README.md to {sorted(unreached)}"


def test_every_decision_is_listed(root):
    listed = (root / "docs/decisions/README.md").read_text("utf-8")
    files = [path.name for path in root.glob("docs/decisions/0*.md")]
    assert files
    assert not [name for name in files if f"({name})" not in listed]


def test_continuous_integration_runs_what_the_readme_says(root):
    script = (root / ".ci/run").read_text("utf-8").splitlines()
    assert [line for line in script if line.startswith("make ")] == [
        "make test",
        "make bundle-test",
    ]
    assert (root / ".ci/run").stat().st_mode & 0o111
