"""Who may do what: roles, actions, and the one table that joins them (S004 Art.5, 13 to 18).

An action that is not in the table is permitted to nobody. Actions marked ``OWN_ORG`` are permitted
for objects of the actor's own body alone.
"""

from collections.abc import Mapping

from catalog.vocabulary import Labelled


class Role(Labelled):
    """Duties that an account acts in; local names of the bodies are in ``departments.yaml``."""

    DEPARTMENT_OFFICER = "department_officer", "部门数据专员"
    DEPARTMENT_HEAD = "department_head", "部门负责人"
    PROVIDER_REVIEWER = "provider_reviewer", "提供部门审核员"
    AUTHORITY_REVIEWER = "authority_reviewer", "数据主管部门审核员"
    CENTRE_OPERATOR = "centre_operator", "指挥中心操作员"
    SERVICE_AUTHORITY = "service_authority", "政务服务主管部门"
    QUALITY_MONITOR = "quality_monitor", "数据质量监督员"
    AUDITOR = "auditor", "审计员"
    ADMINISTRATOR = "administrator", "系统管理员"
    RULE = "rule", "系统规则"
    """What a rule decides without a person; no account has it."""


class Action(Labelled):
    """Everything that somebody can be permitted to do."""

    COMPILE_ENTRY = "compile_entry", "编制目录"
    CONSENT_ENTRY = "consent_entry", "同意目录提交"
    REVIEW_ENTRY = "review_entry", "审核目录"
    PUBLISH_ENTRY = "publish_entry", "发布目录"
    REVOKE_ENTRY = "revoke_entry", "撤销目录"
    REVIEW_CONFIDENTIALITY = "review_confidentiality", "保密审查"
    CLAIM_SOURCE = "claim_source", "认定数源"
    OPEN_DISPUTE = "open_dispute", "提出争议"
    DECIDE_DISPUTE = "decide_dispute", "裁定争议"
    REPORT_CHANGE = "report_change", "登记目录变化"
    EXTEND_CLOCK = "extend_clock", "批准延期"
    PAUSE_CLOCK = "pause_clock", "暂停计时"
    ORDER_SUPERVISION = "order_supervision", "督办"
    ANSWER_SUPERVISION = "answer_supervision", "督办反馈"
    RAISE_OBJECTION = "raise_objection", "提出异议"
    ACCEPT_OBJECTION = "accept_objection", "受理异议"
    ANSWER_OBJECTION = "answer_objection", "核实异议"
    DISPUTE_OBJECTION = "dispute_objection", "对异议结果提出争议"
    CLOSE_OBJECTION = "close_objection", "关闭异议"
    CHECK_SAMPLE = "check_sample", "抽查"
    RELEASE_QUARANTINE = "release_quarantine", "放行隔离数据"
    WAIVE_RULE = "waive_rule", "豁免规则"
    ANSWER_FIGURE = "answer_figure", "回应评分"
    FREEZE_PERIOD = "freeze_period", "冻结期间"
    FILE_REQUEST = "file_request", "提出共享申请"
    CONSENT_REQUEST = "consent_request", "同意申请提交"
    REVIEW_REQUEST = "review_request", "提供部门审核申请"
    DECIDE_REQUEST = "decide_request", "审批共享申请"
    OPEN_CHANNEL = "open_channel", "开通数据通道"
    SUSPEND_CHANNEL = "suspend_channel", "暂停数据通道"
    CLOSE_CHANNEL = "close_channel", "关闭数据通道"
    READ_JOURNAL = "read_journal", "查阅留痕"
    UNMASK = "unmask", "查看明文"
    MANAGE_ACCOUNTS = "manage_accounts", "管理账号"
    MANAGE_RULES = "manage_rules", "管理规则"
    LOAD_CALENDAR = "load_calendar", "维护工作日历"
    ASSESS_PERSONAL_INFORMATION = "assess_personal_information", "个人信息保护影响评估"
    MANAGE_ORGANISATIONS = "manage_organisations", "管理机构"
    CLAIM_ITEM = "claim_item", "认领事项"
    MAINTAIN_ITEMS = "maintain_items", "维护事项目录和清单"
    KEEP_SECURITY = "keep_security", "登记网络安全"
    APPOINT_DEPUTY = "appoint_deputy", "指定代理人"
    CONSULT_DISPUTE = "consult_dispute", "参与争议协商"
    RUN_CLOCK = "run_clock", "计时"
    SWEEP_CLOCKS = "sweep_clocks", "巡检计时"
    REASSIGN_CLOCK = "reassign_clock", "移交计时事项"
    ACCEPT_NO_CHANGE = "accept_no_change", "认定无需变更目录"
    RECORD_TASK = "record_task", "登记任务进展"
    SIGN_IN = "sign_in", "登录"
    VIEW_PERSONAL = "view_personal", "查看个人信息"
    MANAGE_TOKEN = "manage_token", "管理接口令牌"


PERMITTED: Mapping[Action, frozenset[Role]] = {
    Action.COMPILE_ENTRY: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.CONSENT_ENTRY: frozenset({Role.DEPARTMENT_HEAD}),
    Action.REVIEW_ENTRY: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.PUBLISH_ENTRY: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.REVOKE_ENTRY: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.REVIEW_CONFIDENTIALITY: frozenset({Role.DEPARTMENT_HEAD, Role.AUTHORITY_REVIEWER}),
    Action.CLAIM_SOURCE: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.OPEN_DISPUTE: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.DECIDE_DISPUTE: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.REPORT_CHANGE: frozenset({Role.DEPARTMENT_OFFICER, Role.AUTHORITY_REVIEWER}),
    Action.EXTEND_CLOCK: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.PAUSE_CLOCK: frozenset({Role.AUTHORITY_REVIEWER, Role.PROVIDER_REVIEWER}),
    Action.ORDER_SUPERVISION: frozenset({Role.QUALITY_MONITOR, Role.SERVICE_AUTHORITY}),
    Action.ANSWER_SUPERVISION: frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD}),
    Action.RAISE_OBJECTION: frozenset({Role.DEPARTMENT_OFFICER, Role.QUALITY_MONITOR, Role.RULE}),
    Action.ACCEPT_OBJECTION: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.ANSWER_OBJECTION: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.DISPUTE_OBJECTION: frozenset({Role.DEPARTMENT_OFFICER, Role.QUALITY_MONITOR}),
    Action.CLOSE_OBJECTION: frozenset(
        {Role.DEPARTMENT_OFFICER, Role.QUALITY_MONITOR, Role.AUTHORITY_REVIEWER}
    ),
    Action.CHECK_SAMPLE: frozenset({Role.QUALITY_MONITOR}),
    Action.RELEASE_QUARANTINE: frozenset({Role.QUALITY_MONITOR}),
    Action.WAIVE_RULE: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.ANSWER_FIGURE: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.FREEZE_PERIOD: frozenset({Role.QUALITY_MONITOR}),
    Action.FILE_REQUEST: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.CONSENT_REQUEST: frozenset({Role.DEPARTMENT_HEAD}),
    Action.REVIEW_REQUEST: frozenset({Role.PROVIDER_REVIEWER}),
    Action.DECIDE_REQUEST: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.OPEN_CHANNEL: frozenset({Role.CENTRE_OPERATOR}),
    Action.SUSPEND_CHANNEL: frozenset({Role.CENTRE_OPERATOR}),
    Action.CLOSE_CHANNEL: frozenset({Role.CENTRE_OPERATOR}),
    Action.READ_JOURNAL: frozenset({Role.AUDITOR}),
    Action.UNMASK: frozenset({Role.QUALITY_MONITOR}),
    Action.MANAGE_ACCOUNTS: frozenset({Role.ADMINISTRATOR}),
    Action.MANAGE_RULES: frozenset({Role.ADMINISTRATOR, Role.AUTHORITY_REVIEWER}),
    Action.LOAD_CALENDAR: frozenset({Role.ADMINISTRATOR, Role.AUTHORITY_REVIEWER}),
    Action.ASSESS_PERSONAL_INFORMATION: frozenset({Role.DEPARTMENT_HEAD, Role.PROVIDER_REVIEWER}),
    Action.MANAGE_ORGANISATIONS: frozenset({Role.ADMINISTRATOR, Role.AUTHORITY_REVIEWER}),
    Action.CLAIM_ITEM: frozenset({Role.DEPARTMENT_OFFICER}),
    Action.MAINTAIN_ITEMS: frozenset({Role.SERVICE_AUTHORITY}),
    Action.KEEP_SECURITY: frozenset({Role.CENTRE_OPERATOR, Role.AUTHORITY_REVIEWER}),
    Action.APPOINT_DEPUTY: frozenset({Role.DEPARTMENT_HEAD, Role.ADMINISTRATOR}),
    Action.CONSULT_DISPUTE: frozenset({Role.DEPARTMENT_OFFICER, Role.DEPARTMENT_HEAD}),
    Action.RUN_CLOCK: frozenset({Role.RULE}),
    Action.SWEEP_CLOCKS: frozenset({Role.RULE}),
    Action.REASSIGN_CLOCK: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.ACCEPT_NO_CHANGE: frozenset({Role.AUTHORITY_REVIEWER}),
    Action.RECORD_TASK: frozenset({Role.SERVICE_AUTHORITY, Role.QUALITY_MONITOR}),
    Action.SIGN_IN: frozenset(Role) - {Role.RULE},
    Action.VIEW_PERSONAL: frozenset(Role) - {Role.RULE},
    Action.MANAGE_TOKEN: frozenset(Role) - {Role.RULE},
}

OWN_ORG: frozenset[Action] = frozenset(
    {
        Action.COMPILE_ENTRY,
        Action.CONSENT_ENTRY,
        Action.CLAIM_SOURCE,
        Action.ANSWER_SUPERVISION,
        Action.ANSWER_OBJECTION,
        Action.DISPUTE_OBJECTION,
        Action.CLOSE_OBJECTION,
        Action.ANSWER_FIGURE,
        Action.FILE_REQUEST,
        Action.CONSENT_REQUEST,
        Action.REVIEW_REQUEST,
        Action.ASSESS_PERSONAL_INFORMATION,
        Action.CLAIM_ITEM,
        Action.OPEN_DISPUTE,
    }
)
"""Permitted only for objects of the actor's own body."""


def may(role: Role, action: Action, *, org: str, object_org: str | None = None) -> bool:
    """Whether a role of a body may do an action to an object of a body (None: nobody's own)."""
    if role not in PERMITTED.get(action, frozenset()):
        return False
    return action not in OWN_ORG or object_org == org
