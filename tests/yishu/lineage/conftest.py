"""A catalog of two entries and a subject, small enough to read."""

from datetime import UTC, date, datetime

import pytest

from catalog.model import Catalog
from yishu.lineage import Moment

AT = datetime(2026, 11, 20, 1, 30, 5, 123000, tzinfo=UTC)


def _item(field, name, **values):
    return {"field": field, "name": name, "type": "string", "sensitivity": "none", **values}


def _entry(entry_id, name, kind, source, items):
    department = entry_id.split(".")[0]
    return {
        "id": entry_id,
        "version": 3,
        "resource_code": "307015020003000001/1",
        "name": name,
        "summary": "测试",
        "category_path": ["部门信息资源", "测试"],
        "data_kind": "subject_applicant",
        "provider_org": department,
        "data_source": "测试系统",
        "format": {"format_class": "数据库", "format_type": kind},
        "items": items,
        "key": ["uscc"],
        "share": {"type": "conditional", "condition": "办理事项", "modes": ["api"]},
        "open": {"type": "not_open"},
        "update_cycle": "daily",
        "published_on": date(2026, 11, 1),
        "data_grade": "general_2",
        "secrecy": "none",
        "use_condition": "办理事项",
        "source": {"connection": f"{department}_db", "kind": kind, **source},
        "confidentiality_review": {
            "reviewer_org": "big_data_bureau",
            "reviewed_on": date(2026, 10, 30),
            "verdict": "may_be_shared",
            "basis": "测试",
        },
    }


def _element(element_id, name, entry):
    return {
        "id": element_id, "name": name, "type": "string", "meaning": name, "sensitivity": "none",
        "sources": [{"entry": entry}],
    }  # fmt: skip


@pytest.fixture(scope="session")
def small_catalog():
    enterprise = _entry(
        "market.enterprise", "企业登记", "postgresql", {"table": "public.enterprise"},
        [
            _item("uscc", "统一社会信用代码", column="uniscid", element="legal_entity.uscc"),
            _item("name", "企业名称", column="entname", element="legal_entity.name"),
        ],
    )  # fmt: skip
    taxpayer = _entry(
        "tax.taxpayer", "纳税人", "csv", {"path": "taxpayer_*.csv"},
        [
            _item("uscc", "社会信用代码", element="legal_entity.uscc"),
            # A second-hand copy of the name, and what only this department knows.
            _item("name", "纳税人名称", element="legal_entity.name"),
            _item("grade", "信用等级", element="legal_entity.tax_grade",
                  responsible_org="provincial_tax"),
        ],
    )  # fmt: skip
    subject = {
        "id": "legal_entity", "name": "法人", "family": "subject_applicant", "meaning": "法人",
        "key": ["uscc"],
        "columns": [
            {"field": "uscc", "element": "legal_entity.uscc"},
            {"field": "legal_name", "element": "legal_entity.name"},
            {"field": "tax_grade", "element": "legal_entity.tax_grade"},
        ],
    }  # fmt: skip
    elements = [
        _element("legal_entity.uscc", "统一社会信用代码", "market.enterprise"),
        _element("legal_entity.name", "名称", "market.enterprise"),
        _element("legal_entity.tax_grade", "纳税信用等级", "tax.taxpayer"),
    ]
    return Catalog.model_validate(
        {
            "entries": {"market.enterprise": enterprise, "tax.taxpayer": taxpayer},
            "elements": {element["id"]: element for element in elements},
            "departments": {},
            "code_lists": {},
            "subjects": {"legal_entity": subject},
            "profiles": {},
        }
    )


@pytest.fixture
def enterprise(small_catalog):
    return small_catalog.entries["market.enterprise"]


@pytest.fixture
def moment():
    return Moment(
        "scheduled__2026-11-20", AT, nominal_at=AT.replace(second=0, microsecond=0),
        release_id="2026-11-19-1",
    )  # fmt: skip
