"""Files of plain records: CSV and YAML, each record whole or the file refused."""

import pytest

from yishu.interchange import records
from yishu.interchange.errors import FileRefused

ROWS = [{"code": "1", "name": "甲"}, {"code": "2", "name": "乙，丙"}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "code,name\r\n1,甲\r\n2, 乙，丙 \r\n\r\n".encode("utf-8-sig")),
        ("a.CSV", "code,name\n1,甲\n2,乙，丙\n".encode("gb18030")),
        ("a.yaml", "- {code: '1', name: 甲}\n- {code: '2', name: 乙，丙}\n".encode()),
    ],
)
def test_records_are_the_same_whatever_the_form(name, data):
    assert records.read(name, data, ("code", "name")) == ROWS


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.csv", "", "a column without a name"),
        ("a.csv", "code,code\n1,2\n", "a column without a name of its own"),
        ("a.csv", "code,name\n1\n", "1 values in row 2"),
        ("a.csv", 'code,name\n"1,2\n', "no CSV"),
        ("a.csv", "code,name\n,甲\n", "record 1 without code"),
        ("a.yaml", "code: [", "no YAML, at line 1"),
        ("a.yaml", "code: 1", "no list of records"),
        ("a.yaml", "- 1", "no list of records"),
        ("a.yaml", "- {name: 甲}", "record 1 without code"),
    ],
)
def test_a_file_that_holds_no_records_is_refused(name, text, found):
    with pytest.raises(FileRefused, match=found):
        records.read(name, text.encode(), ("code",))


def test_too_many_records_are_refused(monkeypatch):
    monkeypatch.setattr(records, "MOST_ROWS", 1)
    with pytest.raises(FileRefused, match="2 records"):
        records.read("a.csv", b"code\n1\n2\n")


def test_a_key_stands_once():
    assert records.keyed("a", ROWS, "code") == {"1": {"name": "甲"}, "2": {"name": "乙，丙"}}
    with pytest.raises(FileRefused, match="code `1` twice"):
        records.keyed("a", [ROWS[0], ROWS[0]], "code")
