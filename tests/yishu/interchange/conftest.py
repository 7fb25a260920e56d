"""The example's entries as files have them, and the checks that an import runs."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from catalog.faults import Fault
from catalog.kinds import Kind
from catalog.load import load_catalog
from catalog.model import CatalogEntry
from catalog.wording import finding_of

ROOT = Path(__file__).resolve().parents[3]
MANAGED = ("version", "published_on", "confidentiality_review")


def content_of(entry):
    """An entry as its compiler writes it."""
    text = yaml.safe_load((ROOT / f"catalog/entries/{entry.replace('.', '/')}.yaml").read_text())
    return {key: value for key, value in text.items() if key not in MANAGED}


@pytest.fixture(scope="session")
def city():
    catalog, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return catalog


@pytest.fixture(scope="session")
def contents(city):
    """Every entry's content, by id."""
    return {entry: content_of(entry) for entry in city.entries}


@pytest.fixture(scope="session")
def faults_of():
    """What the model finds in contents, by id."""
    review = {
        "reviewer_org": "big_data_bureau", "reviewed_on": date(2026, 11, 1),
        "verdict": "may_be_shared", "basis": "待审查",
    }  # fmt: skip

    def of_one(entry_id, content) -> list[Fault]:
        whole = {**content, "version": 1, "published_on": "2026-11-01"}
        try:
            CatalogEntry.model_validate({**whole, "confidentiality_review": review})
        except ValidationError as error:
            return [
                finding_of(Kind.ENTRY, entry_id, CatalogEntry, one).at("", 0)
                for one in error.errors()
            ]
        return []

    def find(given):
        return {entry_id: of_one(entry_id, content) for entry_id, content in given.items()}

    return find
