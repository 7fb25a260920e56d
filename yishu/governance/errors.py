"""Errors of governance.

GovernanceError (YishuError)
├── Forbidden          this role may not do that, or not to that object
├── AccountUnknown     nobody acts through that account now
├── ObjectionMisplaced    an objection to what the catalog does not have
├── ObjectionUnknown      no objection of that number
├── ObjectionStepRefused  a step that does not follow, or lacks its reason
├── EvidenceRefused       a file that is not kept as evidence
├── PeriodFrozen          a period whose figures do not move any more
├── PeriodFaulty          no month or quarter of that name, or not yet over
├── AnswerRefused         an answer to a figure outside its days
├── NotFound           no such thing is on record
├── StateRefused       it is not in the state that this needs
├── ChangedMeanwhile   somebody else changed it since it was read
├── ReasonMissing      a decision without its reason
├── NotSeparate        one person, or one body, would do both of two separate duties
├── CodeRefused        a code of an item that is malformed
├── DuplicateSource    a second source for a datum that has one
├── SecretRefused      secret data are out of scope
├── ClockUnknown       no clock of that id
├── ClockEnded         the clock has ended and takes no such event
├── ExtensionRefused   too late, too long, or for no listed cause
├── PauseRefused       no listed cause, or nobody who consents
├── OrderUnknown       no supervision order of that number that waits for an answer
├── TaskUnknown        no such task in the plan
└── NoticeUnsent       a mail server or an address did not take a notice           retryable
"""

from catalog.errors import YishuError


class GovernanceError(YishuError):
    """A rule about people and their decisions does not allow what was asked."""

    code = "GOV_ERROR"


class Forbidden(GovernanceError):
    """The role may not do that, or not to an object of another body."""

    code = "GOV_FORBIDDEN"


class AccountUnknown(GovernanceError):
    """No such account, or it is not valid on that day."""

    code = "GOV_ACCOUNT_UNKNOWN"


class ObjectionMisplaced(GovernanceError):
    """The catalog does not have what is objected to."""

    code = "GOV_OBJECTION_MISPLACED"


class ObjectionUnknown(GovernanceError):
    """No objection of that number."""

    code = "GOV_OBJECTION_UNKNOWN"


class ObjectionStepRefused(GovernanceError):
    """The step does not follow from the present state, or lacks its reason."""

    code = "GOV_OBJECTION_STEP"


class EvidenceRefused(GovernanceError):
    """The file is too large, empty, or of a kind that is not kept."""

    code = "GOV_EVIDENCE_REFUSED"


class PeriodFrozen(GovernanceError):
    """The figures of the period are frozen; they do not move any more."""

    code = "GOV_PERIOD_FROZEN"


class PeriodFaulty(GovernanceError):
    """No month or quarter is called so, or it is not over yet."""

    code = "GOV_PERIOD_FAULTY"


class AnswerRefused(GovernanceError):
    """A department answers its figures within the days before they are frozen."""

    code = "GOV_ANSWER_REFUSED"


class NotFound(GovernanceError):
    """No such thing is on record."""

    code = "GOV_NOT_FOUND"


class StateRefused(GovernanceError):
    """It is not in the state that this needs, e.g. two reviewers decide at once."""

    code = "GOV_STATE_REFUSED"


class ChangedMeanwhile(GovernanceError):
    """Somebody else changed it since it was read; nothing of theirs is overwritten."""

    code = "GOV_CHANGED_MEANWHILE"


class ReasonMissing(GovernanceError):
    """A decision is saved with its reason or not at all."""

    code = "GOV_REASON_MISSING"


class NotSeparate(GovernanceError):
    """One person or one body would do both of two duties that are separate by rule."""

    code = "GOV_NOT_SEPARATE"


class SecretRefused(GovernanceError):
    """State and work secrets are out of scope; nothing of them is stored (S004 Art.2)."""

    code = "GOV_SECRET_REFUSED"


class DuplicateSource(GovernanceError):
    """A datum has one source (S004 Art.15); the claim that came first stands."""

    code = "OWN_DUPLICATE_SOURCE"


class ClockUnknown(GovernanceError):
    """No clock of that id."""

    code = "GOV_CLOCK_UNKNOWN"


class ClockEnded(GovernanceError):
    """The clock has ended; only reopening it is possible."""

    code = "GOV_CLOCK_ENDED"


class ExtensionRefused(GovernanceError):
    """The promise allows no such extension, or not any more."""

    code = "GOV_EXTENSION_REFUSED"


class PauseRefused(GovernanceError):
    """A clock stands still for a listed cause and with a consent, or not at all."""

    code = "GOV_PAUSE_REFUSED"


class OrderUnknown(GovernanceError):
    """No supervision order of that number waits for an answer of that body."""

    code = "GOV_ORDER_UNKNOWN"


class TaskUnknown(GovernanceError):
    """The plan has no such task."""

    code = "GOV_TASK_UNKNOWN"


class NoticeUnsent(GovernanceError):
    """A notice could not be handed over; it stays in the outbox and is tried again."""

    code = "GOV_NOTICE_UNSENT"
    retryable = True


class CodeRefused(GovernanceError):
    """A code of a service item is malformed (GB/T 39554.1-2020)."""

    code = "ITEM_CODE_REFUSED"
