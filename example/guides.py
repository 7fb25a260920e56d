"""The tables around service items: guides, special lists, and packages for one thing (一件事)."""

import json

import numpy as np
import pyarrow as pa

from example import codes, faults, names
from example.chance import Index
from example.faults import FaultKind
from example.services import PACKAGES, approval_items, only_where, package_codes
from example.table import Place, Table, columns
from example.world import LAST_DAY, City, day_numbers

GROUPS = (
    "basic_info", "department_info", "windows", "acceptance_criteria", "materials", "process_flow",
    "time_limits", "fees", "approval_result", "legal_basis", "questions", "advice_and_complaints",
    "rights_and_duties", "legal_remedy",
)  # fmt: skip
"""The 14 groups of elements of a service guide (S004 Art.7)."""

_STAGES = (
    "application_scope", "application_conditions", "acceptance_conditions",
    "acceptance_discretion", "handling_steps", "handling_discretion",
)  # fmt: skip
MATERIALS = ("申请书", "营业执照", "身份证明", "场地证明", "委托书")
"""What guides ask for: the first always, and one of the others."""
_OTHER_LISTS = (
    "city_wide", "at_once", "nearby", "online", "on_phone", "without_licence", "in_seconds",
    "with_banks", "cross_province", "within_province", "yangtze_delta",
)  # fmt: skip
_MEMBERS = 4
"""Service items of each package."""

FORMS = {
    "申请书": ("application_blank.xlsx", "application_sample.xlsx"),
    "委托书": ("mandate_blank.xlsx", "mandate_sample.xlsx"),
}
"""The materials that are forms, each with the file of its blank and of its filled sample."""


def second_material(city: City, guide: Index) -> Index:
    """Which of ``MATERIALS`` guides ask for beside the first."""
    return 1 + city.dice.below("guide.materials", guide, len(MATERIALS) - 1)


def _listed(*wanted: str) -> str:
    """The materials of a guide as the JSON that departments keep them in."""
    plain = {"basis": "《中华人民共和国行政许可法》第三十一条", "format": "原件", "copies": 1}
    return json.dumps([_material(name) | plain for name in wanted], ensure_ascii=False)


def _material(name: str) -> dict[str, object]:
    blank, sample = FORMS.get(name, (None, None))
    form = {"is_form": True, "blank_form": blank, "sample_form": sample} if blank else {}
    return {"name": name, "signature": "申请人签字", **form}


def _texts(city: City, field: str, index: Index) -> pa.Array:
    """Paragraphs of a guide; one in twenty-five has not been written."""
    written = names.chosen(
        (f"{field}：按实施清单办理。", f"{field}：详见窗口公示。", f"{field}：可在线查询。"),
        city.dice.below(f"guide.{field}", index, 3),
    )
    return only_where(pa.array(~city.dice.often(f"guide.{field}.empty", index, 4)), written)


def service_guide(city: City) -> Table:
    """Guides of the business items of the approval system."""
    items = approval_items(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        item = items.business[index]
        handled = np.concatenate([items.codes[:, item], codes.repeated("01", len(index))])
        wanted = [_listed(MATERIALS[0], name) for name in MATERIALS[1:]]
        return {
            "handling_item_code": codes.strings(handled),
            "implementation_code": codes.strings(items.codes[:, item]),
            **{field: _texts(city, field, index) for field in (*GROUPS, *_STAGES)},
            "materials": names.chosen(tuple(wanted), second_material(city, index) - 1),
        }

    listing = "\n".join(
        [
            "handling_item_code handle_item_code",
            "implementation_code task_code",
            *(f"{field} g_{field}" for field in GROUPS),
            *(f"{field} s_{field}" for field in _STAGES),
        ]
    )
    return Table(
        "administrative_approval.service_guide",
        "handling_item_code",
        Place("administrative_approval_db", "qlt_bszn", typed=True),
        columns(listing),
        len(items.business),
        facts,
        (
            faults.respelt(FaultKind.LOWER_CASE, "handling_item_code"),
            faults.duplicate("handling_item_code"),
            faults.null_spelling("materials", nullable=True),
            faults.no_such("implementation_code"),
            faults.dead_link("materials", FORMS["申请书"][1]),
        ),
    )


def service_list_member(city: City) -> Table:
    """Two memberships in special lists for every item of the approval system."""
    items = approval_items(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        item, number = np.divmod(index, 2)
        by_visits = names.chosen(
            ("no_meeting", "one_meeting", "assisted"), items.visits(city, item)
        )
        other = names.chosen(_OTHER_LISTS, city.dice.below("list.other", index, len(_OTHER_LISTS)))
        mark = [codes.repeated("QD", len(index)), codes.digits(index + 1, 10)]
        return {
            "list_member_no": codes.strings(np.concatenate(mark)),
            "service_list": pa.compute.if_else(pa.array(number == 0), by_visits, other),
            "implementation_code": codes.strings(items.codes[:, item]),
            "listed_on": day_numbers(LAST_DAY - city.dice.below("list.day", index, 700)),
        }

    return Table(
        "administrative_approval.service_list_member",
        "list_member_no",
        Place("administrative_approval_db", "qlt_zxqd", typed=True),
        columns("""
            list_member_no row_guid
            service_list list_code
            implementation_code task_code
            listed_on list_date date
        """),
        items.count * 2,
        facts,
        (
            faults.duplicate("list_member_no"),
            faults.unknown_code("service_list", "no_paper"),
            faults.missing("listed_on"),
            faults.no_such("implementation_code"),
        ),
    )


def service_package(city: City) -> Table:
    """Packages that bring the items of one thing together, with codes of their own."""
    offices = approval_items(city).offices

    def facts(index: Index) -> dict[str, pa.Array]:
        themes = ("start_up", "construction", "real_estate", "certificates", "other")
        what = ("企业开办", "工程建设", "不动产登记", "证明开具", "公民身后")
        titles = tuple(f"{word}一件事（{n}）" for n in range(PACKAGES) for word in what)
        flags = ("window", "form", "set", "submission", "completion")
        return {
            "package_code": package_codes(index),
            "package_name": names.chosen(titles, index),
            "package_theme": names.chosen(themes, index % len(themes)),
            "lead_org_uscc": names.chosen(offices.codes, index % len(names.REGIONS)),
            **{
                f"has_one_{flag}": pa.array(city.dice.often(f"package.{flag}", index, 90))
                for flag in flags
            },
        }

    return Table(
        "administrative_approval.service_package",
        "package_code",
        Place("administrative_approval_db", "qlt_yjs", typed=True),
        columns("""
            package_code yjs_code
            package_name yjs_name
            package_theme yjs_theme
            lead_org_uscc lead_org_code
            has_one_window has_one_window boolean
            has_one_form has_one_form boolean
            has_one_set has_one_set boolean
            has_one_submission has_one_submission boolean
            has_one_completion has_one_completion boolean
        """),
        PACKAGES,
        facts,
        (faults.duplicate("package_code"), faults.check_digit("lead_org_uscc")),
    )


def service_package_member(city: City) -> Table:
    """The items of each package, in their order."""
    items = approval_items(city)

    def facts(index: Index) -> dict[str, pa.Array]:
        package, position = np.divmod(index, _MEMBERS)
        item = items.business[index * 7 % len(items.business)]
        mark = [codes.repeated("YJM", len(index)), codes.digits(index + 1, 8)]
        return {
            "package_member_no": codes.strings(np.concatenate(mark)),
            "package_code": package_codes(package),
            "implementation_code": codes.strings(items.codes[:, item]),
            "position": pa.array(position + 1),
            "material_name": names.chosen(MATERIALS, position % len(MATERIALS)),
        }

    return Table(
        "administrative_approval.service_package_member",
        "package_member_no",
        Place("administrative_approval_db", "qlt_yjs_sx", typed=True),
        columns("""
            package_member_no row_guid
            package_code yjs_code
            implementation_code task_code
            position seq_no integer
            material_name material_name
        """),
        PACKAGES * _MEMBERS,
        facts,
        (
            faults.duplicate("package_member_no"),
            faults.missing("implementation_code"),
            faults.no_such("package_code"),
        ),
    )
