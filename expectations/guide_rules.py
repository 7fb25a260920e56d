"""The rules of guide accuracy, element by element (S001 二(五), S002 二(一)1, S003 二(四)).

A guide is a row of a service-item entry. Each rule says which element of S004 Art.7 it is about,
which columns it reads, what is demanded, and when it holds. A rule is planned for an entry that has
all its columns.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.model import CatalogEntry
from expectations import masks
from expectations.guide_elements import FIELDS, GuideElement
from expectations.kinds import CheckKind

Row = Mapping[str, Any]


WORDED = (
    "application_conditions",
    "acceptance_criteria",
    "process_flow",
    "acceptance_conditions",
    "materials",
    "process_steps",
    "charge_standard",
)
"""Items whose text the dictionary of vague wording is held against."""

PERMIT, NATURAL_PERSON, INSTANT = "01", "1", "1"
FULLY_ONLINE = frozenset("567")
STEPS = ("受理", "审核", "审批", "办结", "送达")

_AREA_CODE = re.compile(r"0\d{2,3}-?\d{7,8}")
_DOWN_TO_THE_DOOR = re.compile(r"窗口|室|号窗|柜台|厅[A-Za-z0-9一二三四五六七八九十]")
_MATERIAL_KEYS = ("name", "basis", "format", "copies", "signature")
_FORM_KEYS = ("blank_form", "sample_form")


@dataclass(frozen=True)
class GuideRule:
    """One rule of guide accuracy.

    Attributes:
        element: The element it is about.
        columns: Fields that it reads.
        right: Whether it holds for a row.
        is_about_absence: Breaking it means that something is missing rather than wrong.
    """

    id: str
    element: GuideElement
    columns: tuple[str, ...]
    text_zh: str
    text_en: str
    right: Callable[[Row], bool]
    is_about_absence: bool = False


def holds(columns: Sequence[pa.ChunkedArray], rule: str) -> masks.Mask:
    """True where a rule holds, for columns in the rule's order."""
    found = RULES[rule]
    values = [column.to_pylist() for column in columns]
    rows = (dict(zip(found.columns, row, strict=True)) for row in zip(*values, strict=True))
    return np.fromiter((found.right(row) for row in rows), np.bool_, len(values[0]))


def guide_checks(entry: CatalogEntry) -> Iterator[dict[str, Any]]:
    """Drafts of the checks for a service-item entry: the rules whose columns it has."""
    for rule in RULES.values():
        if set(rule.columns) <= set(entry.fields) and not _is_settled(rule, entry):
            yield _draft(
                f"guide.{rule.id}",
                CheckKind.GUIDE,
                rule.columns,
                (rule.text_zh, rule.text_en),
                rule=rule.id,
            )
    for field in WORDED:
        if field in entry.fields:
            name = entry.item(field).name
            texts = f"{name}不得有模糊语言或兜底条款", f"{field} must be clearly worded"
            yield _draft(f"{field}.clear_wording", CheckKind.CLEAR_WORDING, (field,), texts)


def _draft(
    id_: str, kind: CheckKind, columns: tuple[str, ...], texts: tuple[str, str], **args: object
) -> dict[str, Any]:
    text_zh, text_en = texts
    return {
        "id": id_,
        "kind": kind,
        "columns": columns,
        "args": args,
        "text_zh": text_zh,
        "text_en": text_en,
    }


def _is_settled(rule: "GuideRule", entry: CatalogEntry) -> bool:
    """Whether presence is demanded by the item itself, which is then a check of its own."""
    return rule.id == f"{rule.columns[0]}_given" and not entry.item(rule.columns[0]).nullable


def listed(text: str | None) -> list[dict[str, Any]]:
    """The records of a JSON list; none where the text is empty or is no such list."""
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    is_list = isinstance(found, list) and all(isinstance(one, dict) for one in found)
    return found if is_list else []


def _given(value: object) -> bool:
    return value is not None and str(value).strip() not in {"", "[]", "无"}


def _names(row: Row) -> list[str]:
    return [str(step.get("name", "")) for step in listed(row["process_steps"])]


def _days(row: Row) -> float:
    return sum(float(step.get("days") or 0) for step in listed(row["process_steps"]))


def _all_have(text: str | None, keys: Sequence[str]) -> bool:
    return all(_given(one.get(key)) for one in listed(text) for key in keys)


def _ends(kind: str, ending: str) -> Callable[[Row], bool]:
    return lambda row: (
        not str(row["result_name"] or "").endswith(ending) or (row["result_type"] == kind)
    )


def _is_fully_online(row: Row) -> bool:
    return bool(FULLY_ONLINE & set(str(row["online_depth"] or "").split("^")))


def _given_rules() -> Iterator[GuideRule]:
    required = {
        field: element
        for element, fields in FIELDS.items()
        for field in fields
        if field not in {"charge_standard", "pays_online", "result_type", "result_sample"}
    }
    for field, element in required.items():
        yield GuideRule(
            f"{field}_given",
            element,
            (field,),
            f"{element.label_zh}：不得缺项",
            f"{field} must be given",
            lambda row, field=field: _given(row[field]),  # type: ignore[misc]
            is_about_absence=True,
        )


_E = GuideElement
_RULES: tuple[GuideRule, ...] = (
    GuideRule(
        "instant_case",
        _E.BASIC,
        ("promised_days", "case_type"),
        "承诺时限为0的应为即办件",
        "no promised day means an instant case",
        lambda r: r["promised_days"] != 0 or r["case_type"] == INSTANT,
    ),
    GuideRule(
        "promised_case",
        _E.BASIC,
        ("promised_days", "case_type"),
        "承诺时限不为0的不应为即办件",
        "promised days mean no instant case",
        lambda r: not r["promised_days"] or r["case_type"] != INSTANT,
    ),
    GuideRule(
        "result_licence",
        _E.RESULT,
        ("result_name", "result_type"),
        "结果名称为“证”的，结果类型应为出证办结",
        "a result named licence ends with a licence",
        _ends("1", "证"),
    ),
    GuideRule(
        "result_document",
        _E.RESULT,
        ("result_name", "result_type"),
        "结果名称为“文”的，结果类型应为出文办结",
        "a result named document ends with a document",
        _ends("2", "文"),
    ),
    GuideRule(
        "result_reply",
        _E.RESULT,
        ("result_name", "result_type"),
        "结果名称为“批复”的，结果类型应为审批办结",
        "a result named reply ends with an approval",
        _ends("3", "批复"),
    ),
    GuideRule(
        "result_type_given",
        _E.RESULT,
        ("result_name", "result_type"),
        "有结果名称的应有结果类型",
        "a named result has a type",
        lambda r: not _given(r["result_name"]) or _given(r["result_type"]),
        is_about_absence=True,
    ),
    GuideRule(
        "result_sample_given",
        _E.RESULT,
        ("result_name", "result_sample"),
        "有结果名称的应有结果样本",
        "a named result has a sample",
        lambda r: not _given(r["result_name"]) or _given(r["result_sample"]),
        is_about_absence=True,
    ),
    GuideRule(
        "visits_reason",
        _E.BASIC,
        ("visit_count", "visit_reason"),
        "到现场次数不为0的应说明理由",
        "visits have a reason",
        lambda r: not r["visit_count"] or _given(r["visit_reason"]),
        is_about_absence=True,
    ),
    GuideRule(
        "no_visits_no_reason",
        _E.BASIC,
        ("visit_count", "visit_reason"),
        "到现场次数为0的不应有理由",
        "no visits have no reason",
        lambda r: r["visit_count"] != 0 or not _given(r["visit_reason"]),
    ),
    GuideRule(
        "no_visits_by_post",
        _E.BASIC,
        ("visit_count", "online_depth", "accepts_post"),
        "不需到现场且不能全程网办的应可邮寄",
        "without visits and not online it goes by post",
        lambda r: r["visit_count"] != 0 or _is_fully_online(r) or bool(r["accepts_post"]),
    ),
    GuideRule(
        "online_no_visits",
        _E.BASIC,
        ("visit_count", "online_depth"),
        "全程网办的到现场次数应为0",
        "fully online means no visits",
        lambda r: not _is_fully_online(r) or not r["visit_count"],
    ),
    GuideRule(
        "phones_differ",
        _E.CONTACT,
        ("consult_phone", "complaint_phone"),
        "咨询电话与投诉电话不应相同",
        "the two phones differ",
        lambda r: not _given(r["consult_phone"]) or r["consult_phone"] != r["complaint_phone"],
    ),
    GuideRule(
        "consult_area_code",
        _E.CONTACT,
        ("consult_phone",),
        "咨询电话应带区号",
        "the consulting phone has its area code",
        lambda r: not _given(r["consult_phone"]) or bool(_AREA_CODE.search(r["consult_phone"])),
    ),
    GuideRule(
        "complaint_area_code",
        _E.CONTACT,
        ("complaint_phone",),
        "投诉电话应带区号",
        "the complaint phone has its area code",
        lambda r: not _given(r["complaint_phone"]) or bool(_AREA_CODE.search(r["complaint_phone"])),
    ),
    GuideRule(
        "hours_say_workdays",
        _E.WINDOW,
        ("working_hours",),
        "办公时间应写明工作日",
        "working hours say working days",
        lambda r: not _given(r["working_hours"]) or "工作日" in r["working_hours"],
    ),
    GuideRule(
        "address_to_the_door",
        _E.WINDOW,
        ("window_address",),
        "办理地址应具体到窗口或房间",
        "the address names window or room",
        lambda r: (
            not _given(r["window_address"]) or bool(_DOWN_TO_THE_DOOR.search(r["window_address"]))
        ),
    ),
    GuideRule(
        "theme_fits_object",
        _E.BASIC,
        ("service_object", "person_theme", "legal_theme"),
        "服务对象应与主题分类相符",
        "service object and theme agree",
        lambda r: _given(
            r["person_theme" if r["service_object"] == NATURAL_PERSON else "legal_theme"]
        ),
    ),
    GuideRule(
        "permit_questions",
        _E.QUESTIONS,
        ("item_type", "questions"),
        "行政许可应有常见问题",
        "a permit has a question answered",
        lambda r: r["item_type"] != PERMIT or _given(r["questions"]),
        is_about_absence=True,
    ),
    GuideRule(
        "permit_steps",
        _E.PROCESS,
        ("item_type", "process_steps"),
        "行政许可流程应有受理、审核、审批、办结、送达",
        "a permit has all five steps",
        lambda r: r["item_type"] != PERMIT or set(STEPS) <= set(_names(r)),
        is_about_absence=True,
    ),
    GuideRule(
        "steps_in_order",
        _E.PROCESS,
        ("process_steps",),
        "办理流程应由受理到送达依次进行",
        "steps run from acceptance to delivery",
        lambda r: _in_order(_names(r)),
    ),
    GuideRule(
        "step_days",
        _E.TIME,
        ("process_steps", "promised_days"),
        "各环节时限之和不得超过承诺时限",
        "the days of the steps are within the promise",
        lambda r: r["promised_days"] is None or _days(r) <= r["promised_days"],
    ),
    GuideRule(
        "promise_within_statute",
        _E.TIME,
        ("promised_days", "statutory_days"),
        "承诺时限不得超过法定时限",
        "the promise is within the statute",
        lambda r: (
            None in (r["promised_days"], r["statutory_days"])
            or r["promised_days"] <= r["statutory_days"]
        ),
    ),
    GuideRule(
        "free_means_no_payment",
        _E.CHARGE,
        ("is_charged", "pays_online"),
        "不收费的不应有网上支付",
        "what is free is not paid online",
        lambda r: r["is_charged"] is not False or not r["pays_online"],
    ),
    GuideRule(
        "charge_standard_given",
        _E.CHARGE,
        ("is_charged", "charge_standard"),
        "收费的应有收费标准",
        "a charge has a standard",
        lambda r: not r["is_charged"] or _given(r["charge_standard"]),
        is_about_absence=True,
    ),
    GuideRule(
        "materials_whole",
        _E.MATERIALS,
        ("materials",),
        "每份材料应有名称、依据、格式、份数、签名签章要求",
        "a material has name, basis, format, copies, signature",
        lambda r: _all_have(r["materials"], _MATERIAL_KEYS),
        is_about_absence=True,
    ),
    GuideRule(
        "forms_given",
        _E.MATERIALS,
        ("materials",),
        "每份表格应有空表和样表",
        "a form has a blank and a filled sample",
        lambda r: all(
            _given(m.get(k)) for m in listed(r["materials"]) if m.get("is_form") for k in _FORM_KEYS
        ),
        is_about_absence=True,
    ),
)


def _in_order(names: Sequence[str]) -> bool:
    places = [STEPS.index(name) for name in names if name in STEPS]
    return not names or (places == sorted(places) and names[0] == STEPS[0])


RULES: Mapping[str, GuideRule] = {rule.id: rule for rule in (*_given_rules(), *_RULES)}
"""All rules by id: first that each element is there, then those about what it says."""
