"""A small sound catalog as plain data, and its files: each test changes one thing in it.

Credit codes are literal: ``11320200YQ00001175`` and its like have right check characters.
"""

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.model import Catalog

CREDIT_CODES = {
    "big_data_bureau": "11320200YQ00001175",
    "market_regulation": "11320200YQ0000336F",
    "civil_affairs": "11320200YQ0000555R",
}


def item(name, field, type_="string", **more):
    return {"name": name, "field": field, "type": type_, "sensitivity": "none"} | more


def entry(id_, registrar, sequence):
    """An entry of three items: credit code (key), name, and a person's name."""
    return {
        "id": id_,
        "version": 1,
        "resource_code": f"307015020003000001/{sequence}",
        "name": "登记信息",
        "summary": "登记的法人的基本信息",
        "category_path": ["部门信息资源", "无锡市"],
        "data_kind": "subject_applicant",
        "provider_org": id_.partition(".")[0],
        "data_source": "登记系统",
        "format": {"format_class": "数据库", "format_type": "postgresql"},
        "items": [
            item(
                "统一社会信用代码",
                "uscc",
                nullable=False,
                format="uscc",
                element="legal_entity.uscc",
            ),
            item("名称", "name", length=200, element="legal_entity.name"),
            item("法定代表人", "legal_representative")
            | {"sensitivity": "personal", "mask": "name"},
        ],
        "key": ["uscc"],
        "share": {"type": "unconditional", "modes": ["api", "file_download"]},
        "open": {"type": "not_open"},
        "update_cycle": "daily",
        "published_on": dt.date(2026, 1, 5),
        "data_grade": "general_2",
        "secrecy": "none",
        "use_condition": "仅限履行法定职责",
        "source": {"connection": "db", "kind": "postgresql", "table": f"public.t{registrar}"},
        "confidentiality_review": {
            "reviewer_org": "big_data_bureau",
            "reviewed_on": dt.date(2025, 12, 20),
            "verdict": "may_be_shared_with_masking",
            "basis": "不含国家秘密和工作秘密",
        },
    }


def element(id_, name, **more):
    """A data element with one source for registrar 9 and another for registrar 5."""
    return {
        "id": id_,
        "name": name,
        "type": "string",
        "meaning": name,
        "sensitivity": "none",
        "scope_list": "registrar",
        "sources": [
            {
                "entry": "market_regulation.enterprise",
                "scope": {"by": "registrar", "values": ["9"]},
            },
            {
                "entry": "civil_affairs.organisation",
                "scope": {"by": "registrar", "values": ["5"]},
            },
        ],
    } | more


def small_data() -> dict[str, Any]:
    """Every file of a small sound catalog: path below the root -> content."""
    return {
        "departments.yaml": {
            "departments": [
                {
                    "id": id_,
                    "name": f"无锡市{id_}",
                    "uscc": code,
                    "org_kind": "organ",
                    "region_code": "320200",
                    "contact": "数据科",
                }
                for id_, code in CREDIT_CODES.items()
            ]
        },
        "elements.yaml": {
            "elements": [
                element("legal_entity.uscc", "统一社会信用代码", format="uscc"),
                element("legal_entity.name", "法人名称"),
            ]
        },
        "entries/market_regulation/enterprise.yaml": entry("market_regulation.enterprise", "9", 1),
        "entries/civil_affairs/organisation.yaml": entry("civil_affairs.organisation", "5", 2),
        "code_lists/registrar.yaml": {
            "id": "registrar",
            "name": "登记管理部门",
            "standard": "GB 32100-2015",
            "codes": {"5": "民政", "9": "市场监管"},
        },
        "code_lists/region.yaml": {
            "id": "region",
            "name": "行政区划",
            "standard": "GB/T 2260",
            "codes": {"320200": "无锡市"},
        },
        "subjects/legal_entity.yaml": {
            "id": "legal_entity",
            "name": "法人主题库",
            "family": "subject_applicant",
            "meaning": "法人和其他组织",
            "key": ["uscc"],
            "columns": [
                {"field": "uscc", "element": "legal_entity.uscc"},
                {"field": "name", "element": "legal_entity.name"},
            ],
        },
        "profiles/wuxi_2022.yaml": {
            "id": "wuxi_2022",
            "name": "无锡市",
            "reply_by": "data_authority",
            "onward_transfer": "forbidden",
            "promises": {
                "catalog_update": {"name": "目录更新", "working_days": 15, "basis": "S004"}
            },
        },
    }


@pytest.fixture
def data() -> dict[str, Any]:
    """The small catalog's files as data, to be changed by the test."""
    return small_data()


@pytest.fixture
def enterprise(data: dict[str, Any]) -> dict[str, Any]:
    """The entry ``market_regulation.enterprise`` inside ``data``."""
    return data["entries/market_regulation/enterprise.yaml"]


@pytest.fixture
def elements(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The list of data elements inside ``data``."""
    return data["elements.yaml"]["elements"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Writes catalog files below a fresh root and returns it; a text is written as it is."""

    def write_files(files: dict[str, Any]) -> Path:
        root = tmp_path / "catalog"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (
                content
                if isinstance(content, str)
                else yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
            )
            path.write_text(text, encoding="utf-8")
        return root

    return write_files


@pytest.fixture
def catalog_of() -> Callable[[dict[str, Any]], Catalog]:
    """Builds a catalog from the data of its files, without files."""

    def build(files: dict[str, Any]) -> Catalog:
        files = copy.deepcopy(files)
        objects: dict[str, dict[str, Any]] = {
            "elements": {one["id"]: one for one in files["elements.yaml"]["elements"]},
            "departments": {one["id"]: one for one in files["departments.yaml"]["departments"]},
        }
        for kind in ("entries", "code_lists", "subjects", "profiles"):
            objects[kind] = {
                content["id"]: content
                for name, content in files.items()
                if name.startswith(f"{kind}/")
            }
        return Catalog.model_validate(objects)

    return build


@pytest.fixture
def small_catalog(data: dict[str, Any], catalog_of: Callable[..., Catalog]) -> Catalog:
    """The small sound catalog."""
    return catalog_of(data)
