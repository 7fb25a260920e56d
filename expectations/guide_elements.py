"""The elements of a service guide, the items that carry them, and the stages that need them."""

from collections.abc import Mapping

from catalog.vocabulary import Labelled


class GuideElement(Labelled):
    """The fourteen elements of a service guide (S004 Art.7)."""

    BASIC = "basic", "基本信息"
    DEPARTMENT = "department", "部门信息"
    WINDOW = "window", "办理窗口"
    ACCEPTANCE = "acceptance", "受理标准"
    MATERIALS = "materials", "办理材料"
    PROCESS = "process", "办理流程"
    TIME = "time", "办理时限"
    CHARGE = "charge", "收费情况"
    RESULT = "result", "审批结果"
    LEGAL_BASIS = "legal_basis", "法律依据"
    QUESTIONS = "questions", "常见问题"
    CONTACT = "contact", "咨询投诉"
    RIGHTS = "rights", "权利义务"
    REMEDY = "remedy", "法律救济"


FIELDS: Mapping[GuideElement, tuple[str, ...]] = {
    GuideElement.BASIC: (
        "item_name",
        "implementation_code",
        "basic_code",
        "item_type",
        "service_object",
        "case_type",
        "exercise_level",
        "online_depth",
        "visit_count",
        "basic_info",
    ),
    GuideElement.DEPARTMENT: ("org_name", "org_uscc", "body_nature", "department_info"),
    GuideElement.WINDOW: ("window_address", "working_hours", "windows"),
    GuideElement.ACCEPTANCE: (
        "acceptance_criteria",
        "application_scope",
        "application_conditions",
        "acceptance_conditions",
        "acceptance_discretion",
    ),
    GuideElement.MATERIALS: ("materials",),
    GuideElement.PROCESS: (
        "process_steps",
        "process_flow",
        "handling_steps",
        "handling_discretion",
    ),
    GuideElement.TIME: ("statutory_days", "promised_days", "time_limits"),
    GuideElement.CHARGE: ("is_charged", "charge_standard", "pays_online", "fees"),
    GuideElement.RESULT: ("result_name", "result_type", "result_sample", "approval_result"),
    GuideElement.LEGAL_BASIS: ("legal_basis",),
    GuideElement.QUESTIONS: ("questions",),
    GuideElement.CONTACT: ("consult_phone", "complaint_phone", "advice_and_complaints"),
    GuideElement.RIGHTS: ("rights_and_duties",),
    GuideElement.REMEDY: ("legal_remedy",),
}
"""The items that carry each element. ``materials`` and ``process_steps`` are JSON lists: of name,
basis, format, copies, signature, blank_form, sample_form; and of name, days."""

S003_CONTENT: Mapping[str, GuideElement] = {
    "依据条件": GuideElement.LEGAL_BASIS,
    "流程时限": GuideElement.PROCESS,
    "收费标准": GuideElement.CHARGE,
    "注意事项": GuideElement.QUESTIONS,
    "材料名称": GuideElement.MATERIALS,
    "材料依据": GuideElement.MATERIALS,
    "材料格式": GuideElement.MATERIALS,
    "材料份数": GuideElement.MATERIALS,
    "签名签章": GuideElement.MATERIALS,
    "空白表格": GuideElement.MATERIALS,
    "填写说明": GuideElement.MATERIALS,
    "样表": GuideElement.MATERIALS,
}
"""Where the further content that S003 二(四) asks for stands among the fourteen."""

STAGES: Mapping[str, tuple[str, ...]] = {
    "申办": ("application_scope", "application_conditions", "materials", "time_limits"),
    "受理": ("acceptance_conditions", "acceptance_discretion"),
    "办理": ("handling_steps", "handling_discretion", "promised_days"),
}
"""Which items each stage of S002 二(一)1(2) has; discretion standards may be empty, but count."""
