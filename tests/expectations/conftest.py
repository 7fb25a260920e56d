"""A small catalog and helpers that put literal values into columns."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pyarrow as pa
import pytest

from catalog.model import CatalogEntry, CodeList
from expectations.kinds import DIMENSIONS, CheckKind
from expectations.plan import Check
from expectations.run import evaluate, frame
from expectations.spans import ColumnView, Load, Span
from expectations.verdict import Gate

ITEMS = [
    {
        "name": "统一社会信用代码",
        "field": "uscc",
        "nullable": False,
        "format": "uscc",
        "length": 18,
    },
    {"name": "企业名称", "field": "name", "nullable": False, "length": 6},
    {"name": "登记状态", "field": "status", "code_list": "status", "length": 1},
    {"name": "法定代表人身份证号", "field": "person_id", "format": "resident_id"},
    {"name": "联系电话", "field": "phone", "format": "mobile_phone"},
    {"name": "注册资本", "field": "capital", "type": "money", "minimum": 0, "unit": "万元"},
    {"name": "登记日期", "field": "registered_on", "type": "date", "nullable": False},
    {"name": "到期日期", "field": "expires_on", "type": "date", "open_ended": True},
]


ALL = Span(0, None)


def entry_record(**changes: object) -> dict[str, object]:
    return {
        "id": "market_regulation.enterprise",
        "version": 1,
        "resource_code": "307015020003000001/1",
        "name": "企业登记信息",
        "summary": "企业登记",
        "category_path": ["部门信息资源", "无锡市"],
        "data_kind": "subject_applicant",
        "provider_org": "market_regulation",
        "data_source": "登记系统",
        "format": {"format_class": "数据库", "format_type": "postgresql"},
        "items": [{"type": "string", "sensitivity": "none", **item} for item in ITEMS],
        "key": ["uscc"],
        "share": {"type": "unconditional", "modes": ["api"]},
        "open": {"type": "not_open"},
        "update_cycle": "daily",
        "published_on": "2026-01-01",
        "data_grade": "general_1",
        "secrecy": "none",
        "use_condition": "仅限办事",
        "source": {"connection": "market_db", "kind": "postgresql", "table": "public.t"},
        "confidentiality_review": {
            "reviewer_org": "big_data_bureau",
            "reviewed_on": "2025-12-01",
            "verdict": "may_be_shared",
            "basis": "保密审查",
        },
        "quality": {"ordered": [{"earlier": "registered_on", "later": "expires_on"}]},
        **changes,
    }


@pytest.fixture
def make_entry() -> Callable[..., CatalogEntry]:
    """The enterprise entry, with changed keys."""
    return lambda **changes: CatalogEntry.model_validate(entry_record(**changes))


@pytest.fixture
def catalog() -> SimpleNamespace:
    """A catalog of one code list and no data elements."""
    status = CodeList(id="status", name="登记状态", standard="x", codes={"1": "在业", "2": "注销"})
    return SimpleNamespace(code_lists={"status": status}, elements={})


@pytest.fixture
def tolerant() -> Gate:
    """A gate that blocks nothing."""
    return Gate(max_quarantined_share=1.0, allow_empty=True)


@pytest.fixture
def loader() -> Callable[[Mapping[str, object]], Load]:
    """Turns columns, or (values, unreadable flags) pairs, into what a validation reads from."""

    def load_from(columns: Mapping[str, object]) -> Load:
        def column(field: str, span: Span = ALL) -> ColumnView:
            given = columns[field]
            values, unreadable = given if isinstance(given, tuple) else (given, None)
            chosen = slice(*span)
            flags = None if unreadable is None else pa.array(unreadable, pa.bool_())[chosen]
            return ColumnView(
                pa.chunked_array([values[chosen]]),
                None if flags is None else pa.chunked_array([flags]),
            )

        return column

    return load_from


@pytest.fixture
def make_check() -> Callable[..., Check]:
    """A check of a kind on columns, with arguments."""

    def make(kind: CheckKind, columns: tuple[str, ...], **args: object) -> Check:
        return Check(
            id="x",
            kind=kind,
            columns=columns,
            dimension=DIMENSIONS[kind],
            text_zh="要求",
            text_en="demand",
            args=args,
        )

    return make


@pytest.fixture
def failing(make_check: Callable[..., Check]) -> Callable[..., list[int]]:
    """Row numbers that fail one check, judged by its Great Expectations class."""

    def judge(kind: CheckKind, columns: Mapping[str, object], **args: object) -> list[int]:
        arrays = {name: pa.chunked_array([pa.array(one)]) for name, one in columns.items()}
        rows = len(next(iter(arrays.values())))
        check = make_check(kind, tuple(columns), **args)
        batch = frame([check], rows, lambda field: ColumnView(arrays[field]))
        (result,) = evaluate([check], batch)
        return result.positions.tolist()

    return judge
