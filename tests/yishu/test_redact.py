"""What ledger and lineage keep of an error holds no value of a row."""

import pytest

from catalog.errors import NotCataloged
from yishu.redact import error_text, redact

HIDDEN = [
    "91320200MA1WPQ8X2B",
    "11010519491231002x",
    "110105491231002",
    "13812345678",
    "６２２２０２１２３４５６７８９０１２３",
]
KEPT = [
    "scheduled__2026-11-22T01:30:00+00:00",
    "market_regulation.enterprise_registration",
    "CAT_NOT_CATALOGED",
    "row 4999999 of 5000000",
    "column uscc, position 1048576",
]


@pytest.mark.parametrize("value", HIDDEN)
def test_an_identifier_is_hidden_wherever_it_stands(value):
    assert value not in redact(f"key ({value}) is there twice; {value}")


@pytest.mark.parametrize("text", KEPT)
def test_names_runs_and_counts_stay_readable(text):
    assert redact(text) == text


def test_the_password_of_a_url_is_hidden_and_its_host_is_not():
    assert redact("cannot reach postgresql://reader:hush@10.1.2.3:5432/market") == (
        "cannot reach postgresql://reader:***@10.1.2.3:5432/market"
    )


def test_an_error_of_ours_keeps_its_code_and_text():
    error = NotCataloged("tax.unlisted", found="no entry", expected="one", remedy="compile it")

    kept = error_text(error)

    assert kept.code == "CAT_NOT_CATALOGED"
    assert "compile it" in kept.message


def test_of_a_foreign_error_only_the_class_is_kept():
    """Its text may quote a row, and no pattern knows a name."""
    kept = error_text(ValueError("Key (name)=(王某某) already exists"))

    assert kept.code == "ValueError"
    assert "王某某" not in kept.message
