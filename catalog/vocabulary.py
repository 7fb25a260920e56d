"""The closed sets of the catalog, each value carrying its meaning.

Words, not digits: the national guide fixes no digit codes for most of them and implementations
disagree. ``label_zh`` is what a clerk reads.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Self


class Labelled(StrEnum):
    """A closed set whose values carry their Chinese label."""

    label_zh: str

    def __new__(cls, value: str, label_zh: str = "") -> Self:
        """Make a member that carries its label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label_zh = label_zh
        return member


class DataKind(Labelled):
    """Kinds of government-service data (S004 Art.13), an open list: ``service_item`` is ours."""

    SUBJECT_APPLICANT = "subject_applicant", "申请主体信息"
    SUBJECT_MATERIAL = "subject_material", "材料信息"
    SUBJECT_PROCESS = "subject_process", "过程信息"
    SUBJECT_RESULT = "subject_result", "结果信息"
    E_LICENCE = "e_licence", "电子证照"
    SERVICE_RATING = "service_rating", "好差评"
    SERVICE_ITEM = "service_item", "政务服务事项"


class ShareType(Labelled):
    """Sharing attribute (Decree 809 Art.14)."""

    UNCONDITIONAL = "unconditional", "无条件共享"
    CONDITIONAL = "conditional", "有条件共享"
    NOT_SHARED = "not_shared", "不予共享"


class ShareMode(Labelled):
    """How shared data reach the consumer (Decree 809 Art.22)."""

    API = "api", "服务接口"
    BATCH_EXCHANGE = "batch_exchange", "批量交换"
    FILE_DOWNLOAD = "file_download", "文件下载"


class OpenType(Labelled):
    """Open attribute: opening to society is not sharing between departments (S004 Art.14)."""

    OPEN = "open", "无条件开放"
    OPEN_CONDITIONAL = "open_conditional", "有条件开放"
    NOT_OPEN = "not_open", "不开放"


class Secrecy(Labelled):
    """Secrecy attribute; anything but ``none`` is out of scope (S004 Art.2, Decree 809 Art.3)."""

    NONE = "none", "非涉密"
    WORK_SECRET = "work_secret", "工作秘密"
    STATE_SECRET = "state_secret", "国家秘密"


class UpdateCycle(Labelled):
    """Update cycle; it carries the schedule (cron, Asia/Shanghai) and the freshness limit.

    ``on_demand`` has neither: somebody triggers the pull and no data is ever stale.
    ``realtime`` is served by a pull every ten minutes.
    """

    cron: str | None
    freshness: timedelta | None

    def __new__(
        cls,
        value: str,
        label_zh: str = "",
        cron: str | None = None,
        freshness: timedelta | None = None,
    ) -> Self:
        """Make a member that carries its label, schedule and freshness limit."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label_zh = label_zh
        member.cron = cron
        member.freshness = freshness
        return member

    REALTIME = "realtime", "实时", "*/10 * * * *", timedelta(minutes=30)
    DAILY = "daily", "每日", "30 1 * * *", timedelta(days=1)
    WEEKLY = "weekly", "每周", "30 1 * * 1", timedelta(days=7)
    MONTHLY = "monthly", "每月", "30 1 1 * *", timedelta(days=31)
    QUARTERLY = "quarterly", "每季度", "30 1 1 1,4,7,10 *", timedelta(days=92)
    HALF_YEARLY = "half_yearly", "每半年", "30 1 1 1,7 *", timedelta(days=184)
    YEARLY = "yearly", "每年", "30 1 1 1 *", timedelta(days=366)
    ON_DEMAND = "on_demand", "按需", None, None


class SystemKind(Labelled):
    """Kinds of department systems that a pull can read."""

    POSTGRESQL = "postgresql", "PostgreSQL 数据库"
    SQL = "sql", "关系数据库"
    CSV = "csv", "CSV 文件"
    XLSX = "xlsx", "电子表格"
    PARQUET = "parquet", "Parquet 文件"
    REST = "rest", "服务接口"


class Arrival(Labelled):
    """When a delivery in a drop folder counts as there in full."""

    PRESENT = "present", "文件出现"
    DONE_MARKER = "done_marker", "完成标记"
    STABLE_SIZE = "stable_size", "大小稳定"


class Pagination(Labelled):
    """How a query service says where its next page is."""

    PAGE = "page", "页码"
    CURSOR = "cursor", "游标"
    LINK = "link", "链接"


class RestAuth(Labelled):
    """How a pull signs in to a query service; the secret itself is in the connection."""

    NONE = "none", "无"
    BEARER = "bearer", "令牌"
    BASIC = "basic", "用户名口令"
    API_KEY = "api_key", "接口密钥"
    OAUTH2 = "oauth2", "客户端凭证"


class Direction(Labelled):
    """Which way data move between a docked system and the city."""

    INBOUND = "inbound", "汇聚"
    OUTBOUND = "outbound", "下发"
    BOTH = "both", "双向"


class Weekday(Labelled):
    """Days of the week, in order."""

    MON = "mon", "星期一"
    TUE = "tue", "星期二"
    WED = "wed", "星期三"
    THU = "thu", "星期四"
    FRI = "fri", "星期五"
    SAT = "sat", "星期六"
    SUN = "sun", "星期日"


class PullMode(Labelled):
    """How much a pull brings."""

    FULL = "full", "全量"
    INCREMENTAL = "incremental", "增量"
    CHANGE_LOG = "change_log", "变更日志"


class DataType(Labelled):
    """Standard types of data items."""

    STRING = "string", "字符"
    INTEGER = "integer", "整型"
    DECIMAL = "decimal", "数值"
    MONEY = "money", "货币（元）"
    DATE = "date", "日期"
    TIMESTAMP = "timestamp", "日期时间"
    BOOLEAN = "boolean", "逻辑"


class ItemFormat(Labelled):
    """Identifiers and shapes with a rule of their own, beyond the data type."""

    USCC = "uscc", "统一社会信用代码"
    RESIDENT_ID = "resident_id", "公民身份号码"
    LICENCE_IDENTIFIER = "licence_identifier", "电子证照标识"
    BASIC_CODE = "basic_code", "基本编码"
    IMPLEMENTATION_CODE = "implementation_code", "实施编码"
    HANDLING_ITEM_CODE = "handling_item_code", "业务办理项编码"
    MOBILE_PHONE = "mobile_phone", "移动电话"
    POSTCODE = "postcode", "邮政编码"
    ORGANISATION_CODE = "organisation_code", "组织机构代码"
    PASSPORT = "passport", "护照号码"
    TRAVEL_PERMIT = "travel_permit", "往来大陆（内地）通行证号码"
    RESIDENCE_CARD = "residence_card", "外国人永久居留身份证号码"
    FIXED_PHONE = "fixed_phone", "固定电话"
    REGION_CODE = "region_code", "行政区划代码"


class Sensitivity(Labelled):
    """How sensitive a data item is; unknown never means harmless, so there is no default."""

    NONE = "none", "不敏感"
    INTERNAL = "internal", "内部"
    PERSONAL = "personal", "个人信息"
    SENSITIVE_PERSONAL = "sensitive_personal", "敏感个人信息"


class Mask(Labelled):
    """How a value is shown outside need-to-know."""

    NONE = "none", "不脱敏"
    NAME = "name", "保留姓氏"
    RESIDENT_ID = "resident_id", "保留前四位"
    PHONE = "phone", "前三后四"
    ADDRESS = "address", "保留到区县"
    FULL = "full", "全部隐藏"


class DataGrade(Labelled):
    """Data grade (GB/T 43697-2024); general data in four local levels."""

    CORE = "core", "核心数据"
    IMPORTANT = "important", "重要数据"
    GENERAL_4 = "general_4", "一般数据4级"
    GENERAL_3 = "general_3", "一般数据3级"
    GENERAL_2 = "general_2", "一般数据2级"
    GENERAL_1 = "general_1", "一般数据1级"


class OrgKind(Labelled):
    """Kinds of bodies in scope (S004 Art.2); vertical departments take part by reference."""

    ORGAN = "organ", "行政机关"
    INSTITUTION = "institution", "公共服务事业单位"
    UTILITY = "utility", "公用企业"
    VERTICAL = "vertical", "垂直管理部门（参照执行）"


class QualityDimension(Labelled):
    """Dimensions of data quality (GB/T 36344-2018)."""

    CONFORMITY = "conformity", "规范性"
    COMPLETENESS = "completeness", "完整性"
    ACCURACY = "accuracy", "准确性"
    CONSISTENCY = "consistency", "一致性"
    TIMELINESS = "timeliness", "时效性"
    ACCESSIBILITY = "accessibility", "可访问性"


class Severity(Labelled):
    """``fail`` quarantines the row and can block the batch; ``warn`` is only seen."""

    FAIL = "fail", "不通过"
    WARN = "warn", "提示"


class LateDepartment(Labelled):
    """What a late department does to a subject; one never blocks a subject for good."""

    PUBLISH_WITHOUT = "publish_without", "任一来源到达即发布"
    WAIT_FOR_ALL = "wait_for_all", "全部来源到达后发布"


class ChangeCause(Labelled):
    """Why an entry has a new version (S004 Art.14, Decree 809 Art.17)."""

    INITIAL = "initial", "首次编制"
    ELEMENT_CHANGE = "element_change", "要素调整"
    FUNCTION_CHANGE = "function_change", "职能变化"
    LAW_CHANGE = "law_change", "法律法规或者国务院决定调整"


class EntryState(Labelled):
    """Where a version of an entry is on its way (Decree 809 Art.16)."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待审核"
    RETURNED = "returned", "已退回"
    APPROVED = "approved", "已审核"
    PUBLISHED = "published", "已发布"
    SUPERSEDED = "superseded", "已更替"
    REVOKED = "revoked", "已撤销"


class AssessmentKind(Labelled):
    """What precedes the submission of an entry (S003 二(九), Decree 809 Art.13)."""

    CONFIDENTIALITY = "confidentiality", "保密审查"
    PERSONAL_INFORMATION = "personal_information", "个人信息保护影响评估"
    HEAD_CONSENT = "head_consent", "部门负责人同意"


class OrgLevel(Labelled):
    """Levels of administration (S004 Art.20), top down; a body is one level below its parent."""

    CITY = "city", "市"
    COUNTY = "county", "市（县）、区"
    TOWN = "town", "镇（街道）"
    VILLAGE = "village", "村（社区）"


class CodeSystem(Labelled):
    """Whose region codes they are: zones such as a development zone have none in GB/T 2260."""

    GB2260 = "gb2260", "GB/T 2260"
    LOCAL = "local", "本地代码"


class DutyPart(Labelled):
    """What a body does in a task beside its lead (S003 二, S002 附件)."""

    COOPERATING = "cooperating", "配合单位"
    RESPONSIBLE = "responsible", "责任单位"


class ContactDuty(Labelled):
    """For what a contact of a body answers."""

    DATA = "data", "政务数据共享"
    POWER_LIST = "power_list", "权力清单调整（编办）"
    ITEM_GUIDANCE = "item_guidance", "事项编制指导（政务办）"
    TECHNICAL_SUPPORT = "technical_support", "技术支撑（信息中心）"
    SECURITY = "security", "网络和数据安全"


class BodyFigure(Labelled):
    """What is counted by body and rolled up along the tree (EXC-09)."""

    ENTRIES = "entries", "已发布目录"
    ITEMS = "items", "政务服务事项"
    CLOCKS = "clocks", "未结时限"
    OBJECTIONS = "objections", "收到的异议"


class ListKind(Labelled):
    """Lists that are published as versions: the five of S001 and S002, and ours beside them."""

    POWER = "power", "权责清单"
    ADMINISTRATIVE_FEE = "administrative_fee", "行政事业性收费清单"
    INTERMEDIARY = "intermediary", "中介服务事项清单"
    PUBLIC_SERVICE = "public_service", "公共服务事项清单"
    AT_MOST_ONE_VISIT = "at_most_one_visit", "最多跑一次（零跑腿）清单"
    MATERIAL = "material", "办事材料目录"
    SHARED_LICENCE = "shared_licence", "电子证照共享目录"
    PROVINCIAL_ITEM = "provincial_item", "省政务服务事项库"


class PublicationSlot(Labelled):
    """What is published about a service item (S003 二(四))."""

    LAWS = "laws", "法律法规"
    POLICIES = "policies", "政策文件"
    NOTICES = "notices", "通知公告"
    GUIDE = "guide", "办事指南"
    REVIEW_RULES = "review_rules", "审查细则"
    FAQ = "faq", "常见问题"
    SUPERVISION_CHANNEL = "supervision_channel", "监督举报渠道"
    ONLINE_DEPTH = "online_depth", "网上可办理程度"
    INTERMEDIARY_LIST = "intermediary_list", "中介服务清单"
    AGENCY_DIRECTORY = "agency_directory", "机构名录"


class IncidentPhase(Labelled):
    """The mechanism against incidents, in its order (S003 二(九))."""

    PREVENTION = "prevention", "防范"
    MONITORING = "monitoring", "监测"
    NOTIFICATION = "notification", "通报"
    RESPONSE = "response", "响应"
    DISPOSAL = "disposal", "处置"
