"""The generator's own identifiers agree with published and hand-computed ones."""

import numpy as np
import pytest

from example import codes
from example.chance import Dice, spread


def matrix(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("ascii"), dtype=np.uint8)[:, None]


def text(characters: np.ndarray) -> str:
    return codes.strings(characters).to_pylist()[0]


@pytest.mark.parametrize(
    ("region", "birth", "order", "expected"),
    [
        ("110105", "19491231", "002", "11010519491231002X"),
        ("320205", "19900101", "001", "320205199001010015"),
        ("320211", "19851231", "999", "32021119851231999X"),
        ("320281", "20000229", "123", "320281200002291236"),
    ],
)
def test_resident_ids_have_the_check_digit_of_gb_11643(region, birth, order, expected):
    assert text(codes.resident_ids(matrix(region), matrix(birth), matrix(order))) == expected


def test_licence_identifiers_have_the_check_character_of_mod_37_36():
    made = codes.licence_identifiers(
        matrix("11100000000013338W011"), matrix("113202009999999999"), matrix("20260000001")
    )
    assert text(made) == "1.2.156.3005.2.11100000000013338W011.113202009999999999.20260000001.001.3"


@pytest.mark.parametrize(
    ("front", "body", "expected"),
    [
        # Real codes of public bodies, quoted inside published licence identifiers and item codes.
        ("11430000", "00612224", "11430000006122244L"),
        ("11330105", "00250028", "11330105002500287C"),
        ("11370800", "MB285591", "11370800MB28559184"),
    ],
)
def test_social_credit_codes_have_both_check_digits(front, body, expected):
    assert text(codes.social_credit_codes(matrix(front), matrix(body))) == expected


def test_every_place_of_a_shuffle_is_taken_once():
    for size in (1, 2, 7, 1_000, 4_321):
        assert sorted(spread(np.arange(size), size)) == list(range(size))


def test_a_throw_depends_on_seed_salt_and_index_alone():
    index = np.arange(1_000)
    whole = Dice(1).below("a", index, 50)
    assert (Dice(1).below("a", index[400:], 50) == whole[400:]).all()
    assert (Dice(2).below("a", index, 50) != whole).any()
    assert (Dice(1).below("b", index, 50) != whole).any()
    assert set(whole.tolist()) == set(range(50))
