"""What a pull sees beside the catalog starts the clock of its entry."""

import pytest

from yishu.governance.promises import clock_rows


@pytest.mark.requirement("COL-05")
def test_columns_outside_the_catalog_open_the_clock_of_their_entry(city, published_city):
    """The department has to bring its catalog up to date, or say why it need not."""
    ctx, _ = published_city
    drifted = {g.entry: g.field for g in city.manifest.faults if g.kind == "extra_column"}
    with ctx.ledger.engine.connect() as connection:
        rows = clock_rows(connection, promise="catalog_update")
    found = {row.object_id: row for row in rows}

    assert set(found) == set(drifted)
    for entry_id, column in drifted.items():
        assert column in found[entry_id].events[0].note
        assert found[entry_id].holder_org == ctx.release.entry(entry_id).provider_org
