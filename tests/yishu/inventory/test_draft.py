"""Drafts of messy tables: right types, persons found, and a file that the check accepts."""

import contextlib
import re
import shutil
import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.check import check_folder
from catalog.load import load_catalog
from catalog.model import SourceSpec
from catalog.vocabulary import SystemKind
from transforms.standard import read_column
from yishu.inventory.draft import draft, kind_of, look_at, spec_of
from yishu.inventory.naming import fields, known_names, unit_of
from yishu.inventory.profile import profile
from yishu.pipeline.pull import pull
from yishu.pipeline.store import run_folder
from yishu.sources.protocol import Connection

ROOT = Path(__file__).resolve().parents[3]
ROWS = 60
NOW = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)

NAMES = ["王伟", "李娜", "张敏", "刘洋", "陈静", "欧阳修远", "赵磊", "周涛", "吴秀英", "徐丽"]

DECIDED = """
resource_code: 307015020011999001/1
name: 测试资源
summary: 一张乱表
category_path: [部门信息资源, 江苏省]
data_kind: subject_applicant
data_source: 业务系统
share: {type: conditional, condition: 履职, modes: [api]}
open: {type: not_open}
update_cycle: daily
published_on: 2026-01-01
data_grade: general_3
secrecy: none
use_condition: 履行法定职责
confidentiality_review:
  reviewer_org: big_data_bureau
  reviewed_on: 2025-12-20
  verdict: may_be_shared
  basis: 不含国家秘密
"""


def uscc(number):
    """A credit code by GB 32100-2015 and GB 11714-1997, worked out here and not by the product."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"{number:08d}"
    rest = 11 - sum(int(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    organisation = body + {10: "X", 11: "0"}.get(rest, str(rest))
    code = "91320213" + organisation
    total = sum(letters.index(c) * pow(3, i, 31) for i, c in enumerate(code))
    return code + letters[(31 - total % 31) % 31]


def resident_id(number):
    """A resident identity number by GB 11643-1999."""
    day = date(1970, 1, 1) + timedelta(days=37 * number)
    body = f"320213{day:%Y%m%d}{number % 999:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c) * w for c, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


HEADINGS = {
    "统一社会信用代码（新）": lambda i: uscc(1000 + i).lower() if i % 2 else uscc(1000 + i),
    "法定代表人 姓名": lambda i: NAMES[i % len(NAMES)] + ("" if i < 10 else "一二三四五六"[i // 10])
    if len(NAMES[i % len(NAMES)]) < 4
    else NAMES[i % len(NAMES)],
    "证号": resident_id,
    "LXDH": lambda i: f"138{i:08d}",
    "注册资本(元)": lambda i: f"{i},000.50",
    "成立日期": lambda i: f"20{i % 20 + 1:02d}/{i % 12 + 1}/{i % 28 + 1}",
    "有效期至": lambda i: "9999-9-9" if i % 3 else "2030-1-31",
    "从业人数（人）": lambda i: str(i * 7),
    "区划": lambda i: "320213" if i % 2 else "320205",
    "状态【当前】": lambda i: "存续" if i % 4 else "注销",
    "备注": lambda i: r"\n" if i % 5 else f"经办人{resident_id(i)}已核",
    "内部%序列": lambda i: f"{i:06d}",
    "姓名": lambda _: "",
}  # fmt: skip


@pytest.fixture
def messy(tmp_path):
    """A table of text alone with Chinese headings, as departments have them."""
    path = tmp_path / "messy.db"
    columns = ", ".join(f'"{name}" varchar' for name in HEADINGS)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"create table t_qyxx ({columns})")
        marks = ", ".join("?" * len(HEADINGS))
        rows = [[make(i) for make in HEADINGS.values()] for i in range(ROWS)]
        database.executemany(f"insert into t_qyxx values ({marks})", rows)
        database.commit()
    return Connection("civil_affairs_db", SystemKind.SQL, f"sqlite:///{path}")


@pytest.fixture(scope="module")
def catalog():
    loaded, faults = load_catalog(ROOT / "catalog")
    assert not faults
    return loaded


@pytest.fixture
def found(messy, catalog):
    return look_at(spec_of(messy, "t_qyxx", catalog), messy, catalog)


@pytest.fixture
def columns(found):
    return {one.name: one for one in found.columns}


class TestProfile:
    def test_lower_case_credit_codes_are_credit_codes(self, columns):
        one = columns["统一社会信用代码（新）"]

        assert (one.type, one.format, one.is_unique) == ("string", "uscc", True)
        assert "letters in lower case, read as capitals" in one.notes

    @pytest.mark.parametrize(
        ("heading", "type_"),
        [
            ("注册资本(元)", "money"),
            ("成立日期", "date"),
            ("有效期至", "date"),
            ("从业人数（人）", "integer"),
            ("区划", "string"),
            ("内部%序列", "string"),
            ("备注", "string"),
        ],
    )
    def test_text_is_seen_for_what_it_holds(self, columns, heading, type_):
        """Numbers of one width and with leading zeros stay codes."""
        assert columns[heading].type == type_

    def test_no_end_is_no_fault(self, columns):
        assert columns["有效期至"].open_ended
        assert not columns["成立日期"].open_ended

    def test_null_is_counted_in_every_spelling(self, columns):
        assert columns["备注"].nulls == 48
        assert r"literal \n written for null" in columns["备注"].notes
        assert columns["姓名"].nulls == ROWS

    def test_codes_of_a_list_of_the_city_are_known(self, columns):
        assert columns["区划"].code_list == "region"

    def test_codes_of_no_list_are_candidates(self, columns):
        assert columns["状态【当前】"].codes == ("存续", "注销")

    def test_keys_are_candidates_the_likeliest_first(self, found):
        assert found.keys[0] in [("统一社会信用代码（新）",), ("证号",)]
        assert ("内部%序列",) in found.keys

    def test_a_key_with_faults_is_still_the_key(self, catalog):
        """A repeated credit code and a missing one do not make another column the key."""
        codes = [uscc(i) for i in range(98)] + [uscc(0), None]
        table = pa.table({"代码": codes, "级别": ["甲", "乙"] * 50})

        found = profile(table, ["varchar(18)", "varchar(2)"], catalog, is_whole=True)

        assert found.keys == (("代码",),)

    def test_digits_that_come_back_often_are_codes(self, catalog):
        table = pa.table({"类别": ["1", "12"] * 50, "数": [str(i) for i in range(100)]})

        found = profile(table, ["text", "text"], catalog, is_whole=True)

        assert [one.type for one in found.columns] == ["string", "integer"]


class TestPersons:
    def test_rare_surnames_and_a_few_other_values_hide_no_names(self, catalog):
        names = ["卓文", "邬一鸣", "甄士隐", "尉迟恭", "赖小民", "蔺相如", "车晓", "公司代表"]
        table = pa.table({"lerep": names})

        (one,) = profile(table, ["text"], catalog, is_whole=True).columns

        assert (one.personal.sensitivity, one.personal.mask) == ("personal", "name")

    @pytest.mark.parametrize(
        ("heading", "sensitivity", "mask"),
        [
            ("证号", "sensitive_personal", "resident_id"),
            ("LXDH", "personal", "phone"),
            ("法定代表人 姓名", "personal", "name"),
            ("备注", "sensitive_personal", "full"),
            ("状态【当前】", "internal", "none"),
        ],
    )
    def test_they_are_found_by_values_whatever_the_heading(
        self, columns, heading, sensitivity, mask
    ):
        personal = columns[heading].personal

        assert (personal.sensitivity, personal.mask) == (sensitivity, mask)
        assert personal.by_values or heading == "状态【当前】"

    def test_an_empty_column_is_judged_by_its_heading(self, columns):
        personal = columns["姓名"].personal

        assert (personal.sensitivity, personal.by_values) == ("personal", False)

    def test_no_person_stands_in_the_draft(self, found, messy, catalog):
        text = draft(spec_of(messy, "t_qyxx", catalog), "civil_affairs", found, catalog).text

        for secret in (resident_id(0), "13800000001", "王伟", "欧阳修远"):
            assert secret not in text


class TestNames:
    def test_headings_become_fields_that_differ(self):
        headings = [
            "名 称（全称）",
            "名称",
            "QYMC",
            "companyName",
            "2020年数",
            "甲乙丙丁",
            "金额(元)",
        ]

        made = fields(headings, {})

        assert made == [
            "name",
            "name_2",
            "qymc",
            "company_name",
            "c_2020",
            "column_06",
            "amount",
        ]

    def test_names_that_the_city_uses_come_first(self, catalog):
        assert fields(["统一社会信用代码"], known_names(catalog)) == ["uscc"]

    def test_every_field_is_an_identifier(self):
        odd = ["", "  ", "１２３", "select", "a" * 100, "Ω", "名称" * 60, "x\ny", '日"期']

        assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) for name in fields(odd, {}))

    @pytest.mark.parametrize(
        ("heading", "unit"),
        [("面积（平方米）", "平方米"), ("金额[单位：万元]", "万元"), ("名称（全称）", None)],
    )
    def test_units_in_brackets_are_kept(self, heading, unit):
        assert unit_of(heading) == unit


class TestDraft:
    @pytest.fixture
    def folder(self, tmp_path, found, messy, catalog):
        """A copy of the city's catalog with the draft in it; the draft."""
        folder = shutil.copytree(ROOT / "catalog", tmp_path / "catalog")
        made = draft(spec_of(messy, "t_qyxx", catalog), "civil_affairs", found, catalog)
        path = folder / "entries" / "civil_affairs" / "t_qyxx.yaml"
        path.write_text(made.text, "utf-8")
        return folder, path, made

    def test_the_check_misses_what_a_person_decides_and_nothing_else(self, folder):
        root, _, made = folder

        faults = check_folder(root)

        missed = {(fault.code, fault.obj.rpartition(" ")[2].strip("`")) for fault in faults}
        assert missed == {("CAT_ELEMENT_MISSING", name) for name in made.decisions}
        asked = re.findall(r"(?m)^# DECIDE (\w+):", made.text)
        assert tuple(asked) == made.decisions

    @pytest.mark.requirement("EXC-03")
    def test_with_the_decisions_it_is_a_sound_entry_that_can_be_pulled(
        self, folder, messy, tmp_path
    ):
        root, path, made = folder
        path.write_text(made.text + DECIDED, "utf-8")

        assert [str(fault) for fault in check_folder(root)] == []
        loaded, _ = load_catalog(root)
        entry = loaded.entries[made.entry_id]
        assert entry.key == ("uscc",)
        assert entry.source == SourceSpec(
            connection="civil_affairs_db", kind=SystemKind.SQL, table="t_qyxx"
        )
        assert {item.source_column for item in entry.items} == set(HEADINGS)
        folder = run_folder(tmp_path / "var", entry.id, "first")
        assert pull(entry, messy, folder, run_id="first", now=NOW).rows == ROWS
        amounts = read_column(
            pq.read_table(folder.data)["registered_capital"], entry.item("registered_capital")
        )
        assert amounts.values.to_pylist()[:2] == [Decimal("0.50"), Decimal("1000.50")]

    def test_without_a_key_it_asks_for_one(self, tmp_path, catalog):
        path = tmp_path / "x_1.csv"
        path.write_text("甲,乙\n1,2\n1,2\n", "utf-8")
        connection = Connection("new_drop", SystemKind.CSV, str(tmp_path))
        spec = spec_of(connection, "x_*.csv", catalog, encoding="utf-8")

        made = draft(spec, "taxation", look_at(spec, connection, catalog), catalog)

        assert "key" in made.decisions
        assert made.entry_id == "taxation.x"


@pytest.mark.parametrize(
    ("url", "place", "kind"),
    [
        ("postgresql://a@b/c", "s.t", "postgresql"),
        ("mysql+pymysql://a@b/c", "t", "sql"),
        ("https://:t@host/api", "/rows", "rest"),
        ("/srv/drop", "a_*.csv", "csv"),
        ("/srv/drop", "a_*.xlsx", "xlsx"),
        ("sftp://u@host/drop", "a.parquet", "parquet"),
    ],
)
def test_the_kind_of_an_unknown_connection_is_seen_by_url_and_place(catalog, url, place, kind):
    assert kind_of("new", url, place, catalog) == kind
    assert kind_of("civil_affairs_db", url, place, catalog) == "sql"
