"""The closed sets of sharing, each value with its Chinese label."""

from typing import Self

from catalog.vocabulary import Labelled, Sensitivity, ShareMode


class Purpose(Labelled):
    """What a grant's data may be used for; a call names it and another one is denied."""

    CASE_HANDLING = "case_handling", "办件办理"
    QUALIFICATION_REVIEW = "qualification_review", "资格审核"
    SUPERVISION = "supervision", "事中事后监管"
    STATISTICS = "statistics", "统计分析"


class Treatment(Labelled):
    """How a column's values are delivered."""

    CLEAR = "clear", "明文"
    MASKED = "masked", "脱敏"
    TOKEN = "token", "可关联令牌"


class ShareFormat(Labelled):
    """Formats of delivery; each belongs to one of the law's modes (Decree 809 Art.22)."""

    mode: ShareMode

    def __new__(
        cls, value: str, label_zh: str = "", mode: ShareMode = ShareMode.FILE_DOWNLOAD
    ) -> Self:
        """Make a member that carries its label and its mode."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label_zh = label_zh
        member.mode = mode
        return member

    JSON = "json", "查询接口（JSON）", ShareMode.API
    VERIFICATION = "verification", "在线核验", ShareMode.API
    DATABASE = "database", "数据库推送", ShareMode.BATCH_EXCHANGE
    DELTA_SHARING = "delta_sharing", "Delta Sharing", ShareMode.BATCH_EXCHANGE
    CSV_UTF8 = "csv_utf8", "CSV（UTF-8）", ShareMode.FILE_DOWNLOAD
    CSV_GB18030 = "csv_gb18030", "CSV（GB18030）", ShareMode.FILE_DOWNLOAD
    XLSX = "xlsx", "电子表格", ShareMode.FILE_DOWNLOAD
    PARQUET = "parquet", "Parquet 文件", ShareMode.FILE_DOWNLOAD


class RequestState(Labelled):
    """Where a request is."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "已受理"
    RETURNED = "returned", "退回补正"
    APPROVED = "approved", "已同意"
    REFUSED = "refused", "不予同意"
    WITHDRAWN = "withdrawn", "已撤回"


class RequestKind(Labelled):
    """What a request asks for; a change of scope is a new decision."""

    NEW = "new", "新申请"
    RENEWAL = "renewal", "续期"
    CHANGE = "change", "变更范围"


class GrantState(Labelled):
    """Where a grant and its channel are."""

    APPROVED = "approved", "待开通"
    OPEN = "open", "已开通"
    SUSPENDED = "suspended", "已暂停"
    CLOSED = "closed", "已关闭"
    EXPIRED = "expired", "已到期"


ENDED = (GrantState.CLOSED, GrantState.EXPIRED)
"""A channel that is over for good."""


class RegisterKind(Labelled):
    """What a consumer registers of a grant."""

    USE = "use", "使用情况"
    DISPOSAL = "disposal", "处置情况"


class Seat(Labelled):
    """Who decides: the providing department, the big-data authority, or both in sequence."""

    PROVIDER = "provider", "提供部门"
    AUTHORITY = "authority", "大数据主管部门"


class ApprovalLevel(Labelled):
    """How high a decision must go; the most sensitive element that is asked for decides."""

    SINGLE = "single", "一级审批"
    DOUBLE = "double", "提供部门与主管部门共同审批"


PERSONAL = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE_PERSONAL)
"""What is masked unless the request says why not."""
