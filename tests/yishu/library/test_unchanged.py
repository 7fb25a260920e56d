"""What is there already is known by its hashes alone; files of which nothing changes stay."""

import pytest
from deltalake import write_deltalake

from yishu.library.maintenance import maintain
from yishu.library.place import Place

ABC = {"A": "甲公司", "B": "乙公司", "C": None}
AGAIN = dict(reversed(ABC.items()))


@pytest.fixture
def no_comparison(monkeypatch):
    """Reading rows of the version before fails the test."""

    def compared(*_):
        pytest.fail("rows were compared")

    monkeypatch.setattr("yishu.library.publish.difference", compared)
    monkeypatch.setattr("yishu.library.index_file.DataFile._hashed", compared)


def counts(commit):
    return (commit.version, commit.inserted, commit.updated, commit.unchanged, commit.deleted)


@pytest.mark.usefixtures("no_comparison")
def test_the_same_rows_in_another_order_are_known(publish):
    publish("r1", ABC)

    assert counts(publish("r2", AGAIN)) == (0, 0, 0, 3, 0)
    assert counts(publish("r3", ABC)) == (0, 0, 0, 3, 0)


def test_they_are_known_after_a_later_version_and_after_maintenance(publish, root, table, request):
    publish("r1", {"A": "旧公司"})
    assert publish("r2", ABC).version == 1
    maintain(root, table, history_days=1095)
    request.getfixturevalue("no_comparison")

    assert counts(publish("r3", AGAIN))[1:] == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ({**ABC, "A": "甲公司 "}, (0, 1, 2, 0)),
        ({**ABC, "C": ""}, (0, 1, 2, 0)),
        ({**ABC, "D": None}, (1, 0, 3, 0)),
        ({"A": "乙公司", "B": "甲公司", "C": None}, (0, 2, 1, 0)),
        ({"A": "甲公司", "B": "乙公司"}, (0, 0, 2, 1)),
    ],
)
def test_the_smallest_difference_is_seen(publish, rows, expected):
    publish("r1", ABC)

    assert counts(publish("r2", rows))[1:] == expected


def test_a_commit_by_somebody_else_makes_the_content_unknown(publish, enterprises, root, table):
    publish("r1", ABC)
    write_deltalake(str(Place(root, table).path), enterprises("x", {"X": "外来"}), mode="append")

    assert counts(publish("r2", ABC))[1:] == (0, 0, 3, 1)
