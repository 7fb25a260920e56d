"""Reports over a catalog: kinds, sharing and opening, gaps."""

import pytest

from catalog.report import Gap, count_by_kind, select, uncovered
from catalog.vocabulary import DataKind, OpenType, ShareType

ENTERPRISE = "market_regulation.enterprise"
ORGANISATION = "civil_affairs.organisation"


@pytest.mark.requirement("CAT-07")
def test_entries_are_counted_by_kind_and_empty_kinds_show(catalog_of, data, enterprise):
    enterprise["data_kind"] = "e_licence"
    assert count_by_kind(catalog_of(data)) == {
        DataKind.SUBJECT_APPLICANT: 1,
        DataKind.SUBJECT_MATERIAL: 0,
        DataKind.SUBJECT_PROCESS: 0,
        DataKind.SUBJECT_RESULT: 0,
        DataKind.E_LICENCE: 1,
        DataKind.SERVICE_RATING: 0,
        DataKind.SERVICE_ITEM: 0,
    }


@pytest.mark.requirement("CAT-07")
def test_a_kind_outside_the_list_is_refused(catalog_of, data, enterprise):
    enterprise["data_kind"] = "gossip"
    with pytest.raises(ValueError, match="subject_applicant"):
        catalog_of(data)


@pytest.mark.requirement("CAT-08")
def test_shared_and_not_open_and_the_other_way_round_both_exist(catalog_of, data, enterprise):
    enterprise["share"] = {"type": "not_shared", "basis": "《某法》第一条"}
    enterprise["open"] = {"type": "open"}
    catalog = catalog_of(data)

    def ids(**attributes):
        return [entry.id for entry in select(catalog, **attributes)]

    assert ids() == [ORGANISATION, ENTERPRISE] or ids() == [ENTERPRISE, ORGANISATION]
    assert ids(share=ShareType.NOT_SHARED) == [ENTERPRISE]
    assert ids(share=ShareType.UNCONDITIONAL) == [ORGANISATION]
    assert ids(open_=OpenType.OPEN) == [ENTERPRISE]
    assert ids(open_=OpenType.NOT_OPEN) == [ORGANISATION]
    assert ids(share=ShareType.NOT_SHARED, open_=OpenType.OPEN) == [ENTERPRISE]
    assert ids(share=ShareType.UNCONDITIONAL, open_=OpenType.OPEN) == []


@pytest.mark.requirement("OWN-01")
def test_scopes_that_nobody_covers_are_listed(catalog_of, data, elements):
    data["code_lists/registrar.yaml"]["codes"]["3"] = "司法行政"
    elements[1]["sources"] = [{"entry": ENTERPRISE}]
    assert uncovered(catalog_of(data)) == [Gap("legal_entity.uscc", "registrar", ("3",))]
