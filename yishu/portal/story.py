"""What happened in the demo's city before somebody looks: requests, objections, clocks and cards.

Everything is done by the product's own functions, by the invented people of `yishu.portal.demo`,
at moments counted in working days before the present one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from catalog.load import load_catalog
from catalog.roles import Action
from catalog.vocabulary import AssessmentKind, ChangeCause
from yishu.clocks import WorkingDays, beijing_day
from yishu.governance import (
    accounts,
    assessment,
    catalog_clock,
    lifecycle,
    publication,
    sources,
    versions,
)
from yishu.governance import objections as cases
from yishu.governance.assessment import Judgement
from yishu.governance.candidate import Rules
from yishu.governance.objections import NewObjection, ObjectionState, Origin, Step
from yishu.governance.supervise import supervise
from yishu.governance.working_calendar import calendar_in_force, days_folder
from yishu.ledger.journal import Actor
from yishu.ledger.models import ShareRequest
from yishu.pipeline.cases import cases_of
from yishu.portal import demo
from yishu.portal.world import World
from yishu.sharing import deciding, filing, opening
from yishu.sharing.desk import Desk
from yishu.sharing.form import RequestForm
from yishu.sharing.installed import house_of

ENTERPRISES = "market_regulation.enterprise_registration"
SOCIETIES = "civil_affairs.social_organisation"
RESIDENTS = "public_security.resident"
TAXPAYERS = "taxation.taxpayer"
PERMITS = "housing_construction.construction_permit"

_TERM = timedelta(days=364)
_PEOPLE_SINCE = timedelta(days=90)


@dataclass(frozen=True)
class Told:
    """What a story put on record; all zero when it was there already."""

    requests: int = 0
    objections: int = 0
    changes: int = 0


@dataclass(frozen=True)
class _Past:
    """A desk whose moments are working days before the present one."""

    desk: Desk
    days: WorkingDays
    profile: str

    def at(self, days_ago: int, hours: int = 0) -> datetime:
        """The moment so many working days ago, and some hours later."""
        day = today = beijing_day(self.desk.at)
        while self.days.count(day, today) < days_ago:
            day -= timedelta(days=1)
        return self.desk.at - (today - day) + timedelta(hours=hours)

    def then(self, days_ago: int, hours: int = 0) -> Desk:
        """The desk as it was then."""
        return replace(self.desk, at=self.at(days_ago, hours))

    def who(self, account: str) -> Actor:
        """Who acts through an account of the demo."""
        return accounts.find(self.desk.connection, account, beijing_day(self.desk.at))


def happen(world: World) -> Told:
    """Let the story have happened, and supervise it: cards are issued as on any other day.

    Told again it changes nothing: a ledger that has requests is left as it is.
    """
    now = world.clock()
    house = house_of(world.settings, world.engine, lambda: now, world.release())
    with world.engine.begin() as connection:
        demo.add_people(connection, world.release(), world.today() - _PEOPLE_SINCE)
        days = calendar_in_force(connection, days_folder(world.settings))
        past = _Past(house.desk(connection), days, world.settings.rule_profile)
        _adopt(past, world)
        is_new = connection.scalar(select(ShareRequest.request_id).limit(1)) is None
        told = _tell(past, world.rules()) if is_new else Told()
    supervise(
        world.engine,
        world.release(),
        world.settings,
        now,
        cases=partial(cases_of, world.settings.library_dir, world.release()),
        reminds=True,
    )
    return told


def _adopt(past: _Past, world: World) -> None:
    """Take the catalog's files over as published versions, so that changes can be reviewed."""
    connection = past.desk.connection
    if publication.has_published(connection):
        return
    files, _ = load_catalog(world.settings.catalog_dir)
    by = (past.who("admin"), past.at(60))
    publication.adopt(connection, files, *by)
    sources.adopt(connection, files, *by)


def _tell(past: _Past, rules: Rules) -> Told:
    requests = [step(past) for step in _REQUESTS]
    objections = [step(past) for step in _OBJECTIONS]
    _declare_changes(past)
    _submit_entry(past, rules)
    return Told(len(requests), len(objections), len(_CHANGES) + 1)


def _draft(past: _Past) -> str:
    """Begun yesterday, and not finished: the legal basis and the uses are missing."""
    form = RequestForm(object_id=SOCIETIES, scenario="核对社会团体的用人单位信息")
    return filing.draft(past.then(1), form, past.who("officer.human_resources"))


def _waiting(past: _Past) -> str:
    """Waits for the reviewer, whose limit is near."""
    return _submitted(past, "taxation", ENTERPRISES, 8, _TAX)


def _fresh(past: _Past) -> str:
    """Came yesterday."""
    return _submitted(past, "transport", ENTERPRISES, 1, _HAULAGE)


def _returned(past: _Past) -> str:
    """Sent back for completion: its clock is paused, the department has the file."""
    request_id = _submitted(past, "health", SOCIETIES, 5, _CLINICS)
    parts = ["请写明核对登记状态所依据的条款", "请说明住所用于哪个环节"]
    reviewer = past.who("reviewer")
    filing.return_once(past.then(3), request_id, parts, reviewer, Action.DECIDE_REQUEST)
    return request_id


def _to_be_opened(past: _Past) -> str:
    """Granted, and waits for the operator."""
    request_id = _submitted(past, "housing_construction", ENTERPRISES, 6, _BUILDERS)
    deciding.grant(past.then(2), request_id, past.who("reviewer"))
    return request_id


def _open(past: _Past) -> str:
    """Granted and open: its file is delivered at the next hour."""
    request_id = _submitted(past, "human_resources", ENTERPRISES, 12, _INSURANCE)
    grant_id = deciding.grant(past.then(10), request_id, past.who("reviewer"))
    if grant_id is not None:
        opening.open_channel(past.then(9), grant_id, past.who("operator"))
    return request_id


def _refused(past: _Past) -> str:
    """Refused, with the reason."""
    request_id = _submitted(past, "service_hall", RESIDENTS, 9, _VISITORS)
    why = "接待预约只需核验本人身份，请改用身份核验接口申请；批量取得人口信息超出最小够用范围"
    deciding.refuse(past.then(7), request_id, past.who("reviewer"), why)
    return request_id


def _to_be_verified(past: _Past) -> str:
    """Accepted and with the source department."""
    wanted = (Origin.MONITOR, ENTERPRISES, "登记状态为在业的部分企业已在年报系统中注销", "status")
    number = _objection(past, "monitor", 4, wanted)
    _step(past, number, 3, "reviewer", Step(ObjectionState.ACCEPTED))
    return number


def _to_be_accepted(past: _Past) -> str:
    """Raised yesterday by a department."""
    wanted = (Origin.DEPARTMENT, PERMITS, "部分施工许可证的发证日期晚于有效期止", None)
    return _objection(past, "officer.market_regulation", 1, wanted)


def _answered(past: _Past) -> str:
    """Rejected by the source with its reason, and closed."""
    wanted = (Origin.DEPARTMENT, SOCIETIES, "个别社会团体的住所为空", None)
    number = _objection(past, "officer.taxation", 15, wanted)
    source = "officer.civil_affairs"
    _step(past, number, 14, "reviewer", Step(ObjectionState.ACCEPTED))
    _step(past, number, 12, source, Step(ObjectionState.VERIFIED, "已核对登记档案"))
    why = "未办理住所登记的社会团体该项允许为空，目录已注明"
    _step(past, number, 11, source, Step(ObjectionState.REJECTED, why))
    _step(past, number, 10, "officer.taxation", Step(ObjectionState.CLOSED))
    return number


_REQUESTS: tuple[Callable[[_Past], str], ...] = (
    _open, _refused, _waiting, _to_be_opened, _returned, _fresh, _draft,
)  # fmt: skip
_OBJECTIONS: tuple[Callable[[_Past], str], ...] = (_answered, _to_be_verified, _to_be_accepted)

_CHANGES = (
    (TAXPAYERS, ChangeCause.LAW_CHANGE, 19, "纳税人信用等级口径调整，目录应同步更新"),
    (TAXPAYERS, ChangeCause.ELEMENT_CHANGE, 2, "征管系统新增申报方式，目录应补充该项"),
    (RESIDENTS, ChangeCause.ELEMENT_CHANGE, 13, "业务系统新增居住登记字段"),
    (PERMITS, ChangeCause.ELEMENT_CHANGE, 4, "施工许可证新增工程等级"),
)
"""Changes that the catalog has to follow in 15 working days: one is overdue, one near its end,
and the department of the overdue one has another that has just begun."""


def _declare_changes(past: _Past) -> None:
    catalog, connection = past.desk.catalog, past.desk.connection
    for entry_id, cause, days_ago, reason in _CHANGES:
        org, day = catalog.entries[entry_id].provider_org, beijing_day(past.at(days_ago))
        declared = catalog_clock.Declared({entry_id: org}, cause, day, reason)
        actor, now = past.who("reviewer"), past.at(days_ago - 1)
        catalog_clock.on_change(connection, declared, past.profile, actor=actor, now=now)


def _submit_entry(past: _Past, rules: Rules) -> None:
    """A new version of an entry waits for its review, with every assessment made."""
    connection, org = past.desk.connection, "civil_affairs"
    officer, head, reviewer = (
        past.who(one) for one in (f"officer.{org}", f"head.{org}", "reviewer")
    )
    in_force = versions.in_force(connection, SOCIETIES)
    if in_force is None:  # somebody revoked it before anything was requested
        return
    content = {**in_force.content, "update_cycle": "daily"}
    why, changed_on = "登记系统改为每日同步", beijing_day(past.at(6))
    draft = lifecycle.Draft(SOCIETIES, content, ChangeCause.ELEMENT_CHANGE, why, changed_on)
    lifecycle.save(connection, draft, officer, past.at(5), profile=past.profile)
    for kind, verdict, actor in (
        (AssessmentKind.PERSONAL_INFORMATION, "acceptable", head),
        (AssessmentKind.HEAD_CONSENT, "consented", head),
        (AssessmentKind.CONFIDENTIALITY, "may_be_shared_with_masking", reviewer),
    ):
        said = Judgement(kind, verdict, "不含国家秘密和工作秘密，个人信息脱敏后提供")
        assessment.assess(connection, SOCIETIES, said, actor, past.at(4))
    lifecycle.submit(connection, rules, SOCIETIES, officer, past.at(3))


def _submitted(
    past: _Past, consumer: str, object_id: str, days_ago: int, asked: Mapping[str, Any]
) -> str:
    """A request that was drafted, consented to and received so many working days ago."""
    first: date = beijing_day(past.at(days_ago))
    term = {"valid_from": first, "valid_until": first + _TERM}
    form = RequestForm.model_validate({"object_id": object_id, **_COMMON, **term, **asked})
    officer, head = past.who(f"officer.{consumer}"), past.who(f"head.{consumer}")
    request_id = filing.draft(past.then(days_ago), form, officer)
    filing.consent(past.then(days_ago, 1), request_id, head)
    filing.submit(past.then(days_ago, 2), request_id, officer)
    return request_id


def _objection(
    past: _Past, account: str, days_ago: int, wanted: tuple[Origin, str, str, str | None]
) -> str:
    desk, (origin, entry_id, summary, column) = past.desk, wanted
    authority = desk.authority
    new = NewObjection(origin, entry_id, summary, column, profile=past.profile, authority=authority)
    at = past.at(days_ago)
    return cases.raise_objection(desk.connection, new, desk.catalog, past.who(account), at)


def _step(past: _Past, number: str, days_ago: int, account: str, step: Step) -> None:
    at = past.at(days_ago)
    cases.move(past.desk.connection, number, step, past.who(account), at)


def _uses(**uses: str) -> list[dict[str, str]]:
    return [{"field": field, "use": use} for field, use in uses.items()]


_COMMON = {
    "purpose_code": "case_handling",
    "mode": "api",
    "format": "json",
    "cycle": "daily",
    "contact": "信息中心 李专",
}
_TAX = {
    "scenario": "核对纳税人登记",
    "service_items": ["320107009000"],
    "purpose": "办理税务登记时核对企业登记信息，申请人不再提交营业执照",
    "legal_basis": "《税收征收管理法》第十五条",
    "elements": _uses(uscc="定位企业记录", industry_code="判断所属行业适用的税种"),
}
_HAULAGE = {
    "scenario": "道路货物运输经营许可核查申请人资格",
    "service_items": ["320106001000"],
    "purpose": "许可审查时核对企业登记状态，申请人不再提交营业执照",
    "legal_basis": "《道路运输条例》第二十四条",
    "elements": _uses(uscc="定位企业记录", name="核对申请人名称", status="核对登记状态"),
}
_CLINICS = {
    "scenario": "民办医疗机构执业登记核对举办者",
    "service_items": ["320106001000"],
    "purpose": "核对举办医疗机构的社会组织的登记信息",
    "legal_basis": "《医疗机构管理条例》第十六条",
    "elements": _uses(uscc="定位社会组织", name="核对举办者名称"),
}
_BUILDERS = {
    "scenario": "施工许可核对建设单位",
    "service_items": ["320106001000"],
    "purpose": "核对建设单位的登记信息，申请人不再提交营业执照",
    "legal_basis": "《建筑法》第八条",
    "elements": _uses(uscc="定位企业记录", name="核对建设单位名称"),
}
_INSURANCE = {
    "scenario": "社会保险登记时核对企业登记状态",
    "service_items": ["320106001000"],
    "purpose": "核对参保单位的登记信息，申请人不再提交营业执照",
    "legal_basis": "《社会保险法》第五十七条",
    "elements": _uses(uscc="定位参保单位", name="核对单位名称", status="核对登记状态"),
    "mode": "file_download",
    "format": "csv_utf8",
}
_VISITORS = {
    "scenario": "政务服务中心接待预约",
    "service_items": ["320106001000"],
    "purpose": "提前登记来访人员信息",
    "legal_basis": "《政务服务中心管理办法》",
    "elements": _uses(name="登记来访人员姓名"),
}
