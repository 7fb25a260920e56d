"""Guides, cases, packages and special lists of the published library, held against each other.

Each rule is a function that yields findings. A rule whose tables are not published, or whose file
nobody gave, is not carried out and says why: silence would read as conformity.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from catalog.vocabulary import Labelled
from expectations.materials import (
    Form,
    Material,
    disagreements,
    forms,
    guide_materials,
    package_faults,
)
from yishu.library.case_file import FOLLOWS, CaseStage, refused_moves
from yishu.library.demands import circular_proofs, unsubmitted_materials
from yishu.library.errors import TableMissing
from yishu.library.item_lists import list_conflicts, unpaid_cases
from yishu.library.place import subject_table
from yishu.library.read import read, relation, session

MATERIALS, FORM_STATES = "办理材料", {"missing": "无此文件", "broken": "文件打不开"}
FIVE_ONES = {
    "has_one_window": "一窗受理",
    "has_one_form": "一表申请",
    "has_one_set": "一套材料",
    "has_one_submission": "一次提交",
    "has_one_completion": "一次办成",
}
"""What a package promises (S004 Art.11)."""

_WHICH = {"blank_form": "空表", "sample_form": "样表"}
_PACKAGE_TOLD = {
    "position": "成员次序应从 1 起连续",
    "implementation_code": "同一事项不应在一件事中出现两次",
    "material_name": "合并后的一套材料不应重复",
}
_LIST_TOLD = {"too_many_visits": "到现场次数超出清单要求"}


class ServiceRule(Labelled):
    """What is checked about services as a whole."""

    FORM = "form", "空表、样表可下载（S001 二(五)4）"
    BEYOND_GUIDE = "beyond_guide", "办件不得要求指南以外的材料（S003 二(四)）"
    NOTICE = "notice", "补正告知与指南一致（S004 第二十一条）"
    WINDOW = "window", "线上线下指南一致（S003 二(四)）"
    PACKAGE = "package", "一件事有编码、有次序、一套材料（S004 第十一条）"
    LIST = "list", "专项清单与事项相符（S000 二(二)3）"
    UNPAID = "unpaid", "收费办件有缴费记录"
    CIRCLE = "circle", "不存在循环证明（S003 二(二)）"
    COURSE = "course", "办件按环节次序办理（S004 第十九条、第二十二条）"
    SEAL = "seal", "签章无效的电子材料不算提交（S004 第二十五条）"


@dataclass(frozen=True)
class ServiceFinding:
    """One thing that is not as it should be.

    Attributes:
        item: Code of the guide, item or package; of an item where a case is the matter, empty if
            it is not known.
        element: What it is about, in Chinese or as the field's name.
        found: What there is; None: nothing.
        expected: What there should be; None: nothing.
        text_zh: The sentence for whoever mends it.
        case_no: The case, where one is the matter.
    """

    rule: ServiceRule
    item: str
    element: str
    found: str | None
    expected: str | None
    text_zh: str
    case_no: str | None = None


@dataclass(frozen=True)
class Checked:
    """What the rules found.

    Attributes:
        findings: By rule, in the order of ``ServiceRule``.
        unchecked: Why a rule was not carried out.
        forms: Every form of every guide with its digest.
    """

    findings: tuple[ServiceFinding, ...]
    unchecked: Mapping[ServiceRule, str]
    forms: tuple[Form, ...]


@dataclass(frozen=True)
class Services:
    """What the rules read.

    Attributes:
        root: Folder of the library.
        forms_folder: Where the files of forms are.
        window: Guides as the windows have them, with ``handling_item_code``.
        notices: Supplement notices: ``case_no``, ``implementation_code``, ``material_name``.
    """

    root: Path
    forms_folder: Path | None = None
    window: tuple[Mapping[str, Any], ...] | None = None
    notices: tuple[Mapping[str, Any], ...] | None = None

    @cached_property
    def guides(self) -> list[dict[str, Any]]:
        """The published guides."""
        return self.rows("service_guide")

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Every form of the guides; none without their folder."""
        return tuple(forms(self.materials("handling_item_code"), self.forms_folder or Path()))

    def materials(self, code: str) -> Iterator[Material]:
        """The materials of all guides, each by a code of its guide."""
        return guide_materials((guide[code], guide["materials"]) for guide in self.guides)

    def rows(self, subject: str) -> list[dict[str, Any]]:
        """All rows of a subject.

        Raises:
            TableMissing: it is not published.
        """
        found: list[dict[str, Any]] = read(self.root, subject_table(subject)).to_pylist()
        return found


def check_services(services: Services, rules: Iterable[ServiceRule] = ServiceRule) -> Checked:
    """Carry out rules over the library as it is published."""
    found: list[ServiceFinding] = []
    unchecked: dict[ServiceRule, str] = {}
    for rule in rules:
        if missing := _file_missing(rule, services):
            unchecked[rule] = missing
            continue
        try:
            found += _RULES[rule](services)
        except TableMissing as error:
            unchecked[rule] = f"{error.obj} is not published"
    is_read = ServiceRule.FORM in rules and ServiceRule.FORM not in unchecked
    return Checked(tuple(found), unchecked, services.forms if is_read else ())


def _file_missing(rule: ServiceRule, services: Services) -> str | None:
    given = {
        ServiceRule.FORM: (services.forms_folder, "no folder of forms was given"),
        ServiceRule.WINDOW: (services.window, "no file of the windows' guides was given"),
        ServiceRule.NOTICE: (services.notices, "no file of supplement notices was given"),
    }
    value, reason = given.get(rule, ("", ""))
    return reason if value is None else None


def _forms(services: Services) -> Iterator[ServiceFinding]:
    for one in services.forms:
        if one.state != "ok":
            which, state = _WHICH[one.which], FORM_STATES[one.state]
            yield ServiceFinding(
                ServiceRule.FORM,
                one.item,
                f"{MATERIALS}：{one.material}（{which}）",
                f"{one.name or '未填写'}：{state}",
                "可下载并打开的文件",
                f"“{one.material}”的{which}{state}，请上传后重新发布指南",
            )


def _beyond_guide(services: Services) -> Iterator[ServiceFinding]:
    with session() as connection:
        for subject in ("case_application", "case_material"):
            relation(connection, services.root, subject_table(subject)).create_view(subject)
        asked = (
            "SELECT case_no, implementation_code, material_name "
            "FROM case_material JOIN case_application USING (case_no)"
        )
        yield from _beyond(services, connection, asked, ServiceRule.BEYOND_GUIDE)


def _notices(services: Services) -> Iterator[ServiceFinding]:
    with session() as connection:
        columns = ("case_no", "implementation_code", "material_name")
        given = {name: [str(one[name]) for one in services.notices or ()] for name in columns}
        connection.register("notices", pa.table(given))
        yield from _beyond(services, connection, "SELECT * FROM notices", ServiceRule.NOTICE)


def _beyond(
    services: Services, connection: duckdb.DuckDBPyConnection, asked: str, rule: ServiceRule
) -> Iterator[ServiceFinding]:
    """What is asked beyond the guides; an item whose guide lists no materials is not judged."""
    listed: dict[str, list[str]] = {}
    for one in services.materials("implementation_code"):
        listed.setdefault(one.item, []).append(one.name)
    pairs = [(item, name) for item, names in listed.items() for name in names]
    items, names = zip(*pairs, strict=True) if pairs else ((), ())
    table = pa.table({"item": pa.array(items, pa.string()), "name": pa.array(names, pa.string())})
    connection.register("guided", table)
    rows = connection.execute(
        f"SELECT * FROM ({asked}) a SEMI JOIN guided ON guided.item = a.implementation_code "
        "ANTI JOIN guided g ON g.item = a.implementation_code AND g.name = a.material_name "
        "ORDER BY ALL"
    ).fetchall()
    source = "补正告知" if rule is ServiceRule.NOTICE else "办件"
    for case_no, item, material in rows:
        yield ServiceFinding(
            rule,
            item,
            MATERIALS,
            material,
            "；".join(dict.fromkeys(listed[item])),
            f"{source}要求“{material}”，办事指南没有这份材料：不得自行增加办事要求",
            case_no,
        )


def _window(services: Services) -> Iterator[ServiceFinding]:
    for one in disagreements(services.guides, services.window or (), "handling_item_code"):
        absent = "线上" if one.first is None else "窗口"
        text = f"“{one.element}”线上与窗口不一致，请核实后统一"
        if one.element == "handling_item_code":
            text = f"{absent}没有这份指南，请核实后补上或撤下"
        yield ServiceFinding(ServiceRule.WINDOW, one.item, one.element, one.second, one.first, text)


def _packages(services: Services) -> Iterator[ServiceFinding]:
    packages = {row["package_code"]: row for row in services.rows("service_package")}
    members = services.rows("service_package_member")
    fields = ("package_code", "position", "implementation_code", "material_name")
    for code, field, found, expected in package_faults(
        tuple(row[name] for name in fields) for row in members
    ):
        yield _of_package(code, field, found, expected, _PACKAGE_TOLD[field])
    used = {row["package_code"] for row in members}
    for code in sorted(used - packages.keys()):
        yield _of_package(
            code, "package_code", code, "清单中的一件事编码", "成员所属的一件事没有赋码"
        )
    for code, package in sorted(packages.items()):
        if code not in used:
            yield _of_package(
                code, "implementation_code", None, "至少一个事项", "一件事没有成员事项"
            )
        for field, label in FIVE_ONES.items():
            if not package[field]:
                yield _of_package(code, label, "否", "是", f"一件事未做到{label}")


def _of_package(
    code: str, element: str, found: str | None, expected: str, text: str
) -> ServiceFinding:
    return ServiceFinding(ServiceRule.PACKAGE, code, element, found, expected, text)


def _lists(services: Services) -> Iterator[ServiceFinding]:
    for one in list_conflicts(services.root):
        text = _LIST_TOLD.get(one.reason, f"与清单“{one.reason}”互斥，不应同时列入")
        yield ServiceFinding(
            ServiceRule.LIST,
            one.implementation_code,
            "专项清单",
            one.service_list,
            None,
            f"列入“{one.service_list}”，但{text}",
        )


def _unpaid(services: Services) -> Iterator[ServiceFinding]:
    for case_no, item in unpaid_cases(services.root):
        text = "事项收费且办件已受理，没有缴费记录"
        yield ServiceFinding(ServiceRule.UNPAID, item, "收费情况", None, "缴费记录", text, case_no)


def _circles(services: Services) -> Iterator[ServiceFinding]:
    demands = [(one.item, one.name) for one in services.materials("handling_item_code")]
    results = [
        (guide["handling_item_code"], str(guide["approval_result"]).strip())
        for guide in services.guides
        if guide["approval_result"]
    ]
    for group in circular_proofs(demands, results):
        text = f"这 {len(group)} 个事项互为前提，无法先办任何一个"
        yield ServiceFinding(ServiceRule.CIRCLE, group[0], MATERIALS, "；".join(group), None, text)


def _courses(services: Services) -> Iterator[ServiceFinding]:
    for case_no, move in refused_moves(services.root):
        found, before = move.step.label_zh, move.before.label_zh
        allowed = [stage.label_zh for stage in CaseStage if stage in FOLLOWS[move.before]]
        text = f"“{before}”之后不应为“{found}”，该环节未采用，请核实环节和时间后重新报送"
        expected = "或".join(allowed) or None
        yield ServiceFinding(ServiceRule.COURSE, "", "办理环节", found, expected, text, case_no)


def _seals(services: Services) -> Iterator[ServiceFinding]:
    for row in unsubmitted_materials(services.root).to_pylist():
        found = "未核验" if row["seal_result"] is None else "核验无效"
        yield ServiceFinding(
            ServiceRule.SEAL,
            row["implementation_code"] or "",
            f"{MATERIALS}：{row['material_name']}",
            found,
            "核验有效的电子签名或印章",
            f"“{row['material_name']}”的电子签名或印章{found}，不算已提交，请重新签章后提交",
            row["case_no"],
        )


_RULES: Mapping[ServiceRule, Callable[[Services], Iterable[ServiceFinding]]] = {
    ServiceRule.FORM: _forms,
    ServiceRule.BEYOND_GUIDE: _beyond_guide,
    ServiceRule.NOTICE: _notices,
    ServiceRule.WINDOW: _window,
    ServiceRule.PACKAGE: _packages,
    ServiceRule.LIST: _lists,
    ServiceRule.UNPAID: _unpaid,
    ServiceRule.CIRCLE: _circles,
    ServiceRule.COURSE: _courses,
    ServiceRule.SEAL: _seals,
}
