"""The timeline of a request or grant: what both sides see, the days left and what comes next."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from catalog.vocabulary import Labelled
from yishu.clocks import WorkingDays
from yishu.governance.clock_rules import clock_rules
from yishu.governance.promises import clock_rows, standings
from yishu.ledger.models import ShareGrant, ShareStep
from yishu.sharing.deciding import next_chair
from yishu.sharing.desk import Desk
from yishu.sharing.vocabulary import GrantState, RequestState, Seat


class StepKind(Labelled):
    """What happens to requests and grants, as both sides read it."""

    DRAFTED = "drafted", "起草申请"
    EDITED = "edited", "修改申请"
    CONSENTED = "consented", "本部门负责人同意"
    RECEIVED = "received", "受理申请"
    RETURNED = "returned", "一次性告知，退回补正"
    WITHDRAWN = "withdrawn", "撤回申请"
    GRANTED = "granted", "同意共享"
    REFUSED = "refused", "不予同意"
    AUTHORISED = "authorised", "形成授权"
    OPENED = "opened", "开通数据通道"
    TOKEN_RENEWED = "token_renewed", "更换令牌"
    SUSPENDED = "suspended", "暂停数据通道"
    OPEN = "open", "恢复数据通道"
    CLOSED = "closed", "关闭数据通道"
    EXPIRED = "expired", "授权到期"
    RECALLED = "recalled", "召回已交付数据"
    USE_REGISTERED = "use_registered", "登记使用情况"
    DISPOSAL_REGISTERED = "disposal_registered", "登记数据处置"


class NextStep(Labelled):
    """What a request or grant waits for, and at whose place; the value says it in English."""

    FILING = "consent_and_submission_by_requester", "待本部门负责人同意并提交"
    COMPLETION = "completion_by_requester", "待申请部门补正后重新提交"
    PROVIDER = "decision_by_provider", "待提供部门审批"
    AUTHORITY = "decision_by_authority", "待大数据主管部门审批"
    OPENING = "opening_by_command_centre", "待指挥中心开通数据通道"
    IN_USE = "in_use", "通道已开通，使用中"
    REMEDY = "suspended_until_remedied", "通道已暂停，待整改核实"
    DISPOSAL_CLOSED = "closed_and_disposal_to_register", "通道已关闭，待申请部门登记数据处置"
    DISPOSAL_EXPIRED = "expired_and_disposal_to_register", "授权已到期，待申请部门登记数据处置"
    RENEWED = "continued_by_renewal", "授权已由续期申请接续，办结"
    REFUSED = "answered_and_refused", "已答复，办结"
    WITHDRAWN = "withdrawn", "已撤回，办结"


@dataclass(frozen=True)
class Due:
    """A clock as the timeline shows it; ``remaining`` in working days, negative once overdue."""

    promise: str
    holder_org: str
    state: str
    due_on: date
    remaining: int
    is_provisional: bool


@dataclass(frozen=True)
class Timeline:
    """Steps, clocks and the next step of a request, with those of its grant.

    Attributes:
        next_org: Department whose turn it is; None where nothing is awaited.
    """

    steps: Sequence[Row[Any]]
    dues: Sequence[Due]
    next_step: NextStep
    next_org: str | None

    def plain(self) -> dict[str, Any]:
        """As records, for programs: nobody's name, only body and role."""
        columns = ("at", "kind", "org", "role", "note")
        steps = [{name: getattr(step, name) for name in columns} for step in self.steps]
        dues = [asdict(due) for due in self.dues]
        return {
            "steps": steps,
            "dues": dues,
            "next": self.next_step.label_zh,
            "next_org": self.next_org,
        }


def timeline(desk: Desk, request_id: str, calendar: WorkingDays) -> Timeline:
    """The timeline of a request.

    Raises:
        RequestUnknown: there is none.
    """
    request = desk.request(request_id, lock=False)
    asked = select(ShareGrant.__table__).where(ShareGrant.request_id == request_id)
    grant = desk.connection.execute(asked).one_or_none()
    ids = [request_id, *([grant.grant_id] if grant else [])]
    steps = select(ShareStep.__table__).where(ShareStep.object_id.in_(ids))
    rows = [row for id_ in ids for row in clock_rows(desk.connection, object_id=id_)]
    rules = clock_rules(
        desk.catalog,
        calendar,
        profile=request.profiles[0],
        authority=desk.authority,
        operator=desk.operator,
    )
    return Timeline(
        desk.connection.execute(steps.order_by(ShareStep.number)).all(),
        [_due(one) for one in standings(rows, rules, desk.at)],
        *_next(desk, request, grant),
    )


def _due(standing: Any) -> Due:
    now = standing.status
    return Due(
        standing.promise.name,
        standing.row.holder_org,
        now.state.value,
        now.due_on,
        now.remaining,
        now.is_provisional,
    )


def _next(desk: Desk, request: Row[Any], grant: Row[Any] | None) -> tuple[NextStep, str | None]:
    if grant is not None:
        step = _NEXT_OF_GRANT[GrantState(grant.state)]
    elif request.state == RequestState.SUBMITTED:
        return _awaited(desk, request)
    else:
        step = _NEXT[RequestState(request.state)]
    if step is NextStep.OPENING:
        return step, desk.operator
    return step, request.consumer_org if step in _BY_REQUESTER else None


def _awaited(desk: Desk, request: Row[Any]) -> tuple[NextStep, str]:
    chair = next_chair(desk, request)
    if chair is None:
        raise ValueError(f"{request.request_id} waits for a decision that every seat has taken")
    if chair.seat is Seat.AUTHORITY:
        return NextStep.AUTHORITY, desk.authority
    return NextStep.PROVIDER, chair.org


_NEXT = {
    RequestState.DRAFT: NextStep.FILING,
    RequestState.RETURNED: NextStep.COMPLETION,
    RequestState.APPROVED: NextStep.RENEWED,
    RequestState.REFUSED: NextStep.REFUSED,
    RequestState.WITHDRAWN: NextStep.WITHDRAWN,
}
_NEXT_OF_GRANT = {
    GrantState.APPROVED: NextStep.OPENING,
    GrantState.OPEN: NextStep.IN_USE,
    GrantState.SUSPENDED: NextStep.REMEDY,
    GrantState.CLOSED: NextStep.DISPOSAL_CLOSED,
    GrantState.EXPIRED: NextStep.DISPOSAL_EXPIRED,
}
_BY_REQUESTER = {
    NextStep.FILING,
    NextStep.COMPLETION,
    NextStep.REMEDY,
    NextStep.DISPOSAL_CLOSED,
    NextStep.DISPOSAL_EXPIRED,
}
