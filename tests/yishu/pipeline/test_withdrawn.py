"""An entry that is withdrawn while its run is on its way."""

from datetime import date
from pathlib import Path

import pytest

from catalog.errors import NotCataloged
from catalog.load import load_catalog
from catalog.release import compile_release, write_release
from yishu.library.read import tables
from yishu.pipeline import run_publish, run_pull, run_validate

ROOT = Path(__file__).resolve().parents[3]
LICENCE = "transport.road_transport_licence"


@pytest.fixture
def release_without(tmp_path):
    """A release in which the entry is no longer, nor the source of anything."""
    catalog, _ = load_catalog(ROOT / "catalog")
    elements = {
        id_: element.model_copy(update={"sources": kept})
        for id_, element in catalog.elements.items()
        if (kept := tuple(one for one in element.sources if one.entry != LICENCE))
    }
    entries = {id_: entry for id_, entry in catalog.entries.items() if id_ != LICENCE}
    left = catalog.model_copy(update={"entries": entries, "elements": elements})
    return write_release(tmp_path / "later", compile_release(left, date(2026, 11, 20)))


@pytest.mark.requirement("CAT-01")
def test_the_next_stage_of_its_run_is_refused_and_nothing_is_published(make_world, release_without):
    run_pull(LICENCE, "run-1", make_world())
    later = make_world(release=release_without)
    for stage in (run_validate, run_publish):
        with pytest.raises(NotCataloged):
            stage(LICENCE, "run-1", later)
    assert tables(later.settings.library_dir) == []
    assert {one.code for one in later.ledger.refusals()} == {"CAT_NOT_CATALOGED"}
