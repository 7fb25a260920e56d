"""The states of an objection, and the one table of steps between them: who may do which."""

from collections.abc import Mapping

from catalog.roles import Action
from catalog.vocabulary import Labelled


class Origin(Labelled):
    """Who found the fault."""

    DEPARTMENT = "department", "使用部门"
    MONITOR = "monitor", "数据质量监督员"
    CROSS_CHECK = "cross_check", "系统比对"


class ObjectionState(Labelled):
    """How far an objection came; the words are those of the regulation where it has any."""

    RAISED = "raised", "提出"
    MERGED = "merged", "并案"
    ACCEPTED = "accepted", "受理"
    DECLINED = "declined", "不予受理"
    FORWARDED = "forwarded", "转提供方"
    VERIFIED = "verified", "核实"
    CORRECTED = "corrected", "更正"
    REJECTED = "rejected", "驳回"
    FED_BACK = "fed_back", "反馈"
    DISPUTED = "disputed", "提请上级裁定"
    UPHELD = "upheld", "裁定成立"
    DISMISSED = "dismissed", "裁定不成立"
    REOPENED = "reopened", "重新启动"
    CLOSED = "closed", "关闭"


_S = ObjectionState

STEPS: Mapping[ObjectionState, Mapping[ObjectionState, Action]] = {
    _S.RAISED: {
        _S.ACCEPTED: Action.ACCEPT_OBJECTION,
        _S.DECLINED: Action.ACCEPT_OBJECTION,
    },
    _S.FORWARDED: {_S.VERIFIED: Action.ANSWER_OBJECTION},
    _S.VERIFIED: {
        _S.CORRECTED: Action.ANSWER_OBJECTION,
        _S.REJECTED: Action.ANSWER_OBJECTION,
    },
    _S.DECLINED: {
        _S.DISPUTED: Action.DISPUTE_OBJECTION,
        _S.CLOSED: Action.CLOSE_OBJECTION,
    },
    _S.FED_BACK: {
        _S.DISPUTED: Action.DISPUTE_OBJECTION,
        _S.CLOSED: Action.CLOSE_OBJECTION,
    },
    _S.DISPUTED: {
        _S.UPHELD: Action.DECIDE_DISPUTE,
        _S.DISMISSED: Action.DECIDE_DISPUTE,
    },
    _S.CLOSED: {_S.REOPENED: Action.DISPUTE_OBJECTION},
}
"""Steps that a person takes. ``corrected`` waits for the next publication of the source entry."""

FOLLOWS: Mapping[ObjectionState, ObjectionState] = {
    _S.ACCEPTED: _S.FORWARDED,
    _S.REJECTED: _S.FED_BACK,
    _S.UPHELD: _S.FORWARDED,
    _S.DISMISSED: _S.CLOSED,
    _S.REOPENED: _S.FORWARDED,
}
"""Steps that follow by themselves at the same moment: routing needs nobody's hand."""

NEED_A_REASON = frozenset(
    {
        _S.DECLINED, _S.VERIFIED, _S.CORRECTED, _S.REJECTED, _S.DISPUTED, _S.UPHELD,
        _S.DISMISSED, _S.REOPENED,
    }
)  # fmt: skip

OF_THE_SOURCE = frozenset({_S.VERIFIED, _S.CORRECTED, _S.REJECTED})
"""Steps of the source department; the others are of whoever objected or of the authority."""

OF_THE_OBJECTOR = frozenset({_S.DISPUTED, _S.REOPENED, _S.CLOSED})

DONE = frozenset({_S.MERGED, _S.CLOSED})
"""Nothing is waited for."""

WAITS_FOR_SOURCE = frozenset({_S.FORWARDED, _S.VERIFIED})
"""The clock of the source department runs."""
