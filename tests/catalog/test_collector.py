import gc

import pytest

from catalog.collector import uncollected


def test_the_collector_is_away_meanwhile_and_back_after_whatever_happened():
    with uncollected(), uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        _ = 1 / 0
    assert gc.isenabled()
