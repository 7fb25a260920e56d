"""Errors of sharing.

SharingError (YishuError)
├── RequestIncomplete      parts are missing or wrong; all of them are named at once
├── RequestRefused         it can never be granted: not shared, or a fee
├── RequestUnknown         no request or grant of that name
├── NotThisState           the request or grant is not where that step starts from
├── ReasonMissing          a refusal, suspension or closing without its reason
├── SameHands              decider and opener are one person or one body
├── ApprovalTooLow         sensitive elements need both seats
├── GrantStale             what was granted is not in the catalog any more
├── GrantHeld              its data failed their last check
├── AccessDenied           this call is not covered by an open grant
├── UseNotRecorded         the use log cannot be written, so nothing is served; retryable
├── UseLogBroken           the chain of the use log does not hold
├── DeliveryFailed         the consumer's side did not take it; retryable
├── AttachmentRefused      too large, empty, or not what its name says
└── FormUnreadable         an XLSX form that is none
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import YishuError


class SharingError(YishuError):
    """Sharing does not allow what was asked."""

    code = "SHR_ERROR"


@dataclass(frozen=True)
class Missing:
    """One missing or wrong part of a request: a stable code, the part, what to do (Chinese)."""

    code: str
    part: str
    remedy_zh: str


class RequestIncomplete(SharingError):
    """Parts are missing; ``parts`` names all of them (S004 Art.18, Decree 809 Art.21)."""

    code = "REQ_INCOMPLETE"

    def __init__(self, request_id: str, parts: Sequence[Missing]) -> None:
        self.parts = tuple(parts)
        super().__init__(
            request_id,
            found="; ".join(f"{one.code} ({one.part})" for one in parts),
            expected="every part that the form asks for",
            remedy=" ".join(one.remedy_zh for one in parts),
        )


class RequestRefused(SharingError):
    """What is asked for is not shared, with the legal basis of that; or shared at no price."""

    code = "REQ_REFUSED"


class RequestUnknown(SharingError):
    """No request or grant of that name."""

    code = "SHR_UNKNOWN"


class NotThisState(SharingError):
    """The request or grant is not in the state that this step starts from."""

    code = "SHR_STATE"


class ReasonMissing(SharingError):
    """A refusal, a return, a suspension or a closing says why."""

    code = "SHR_NO_REASON"


class SameHands(SharingError):
    """Who decided does not open: another person of another body does (S004 Art.18)."""

    code = "SHR_SAME_HANDS"


class ApprovalTooLow(SharingError):
    """Sensitive elements in clear need the consent of both seats."""

    code = "SHR_APPROVAL_LEVEL"


class GrantStale(SharingError):
    """The object, a granted column or the consumer is not in the catalog any more."""

    code = "SHR_GRANT_STALE"


class GrantHeld(SharingError):
    """The data failed their last check, so nothing is delivered until they pass."""

    code = "SHR_GRANT_HELD"
    retryable = True


class AccessDenied(SharingError):
    """The call is not covered by an open grant; ``status`` is the HTTP status that says so."""

    code = "SHR_DENIED"

    def __init__(self, obj: str, *, found: str, expected: str, remedy: str, status: int) -> None:
        self.status = status
        super().__init__(obj, found=found, expected=expected, remedy=remedy)


class UseNotRecorded(SharingError):
    """A use that cannot be put on record is not served."""

    code = "SHR_USE_NOT_RECORDED"
    retryable = True


class UseLogBroken(SharingError):
    """A record of the use log was changed, lost or put in between."""

    code = "SHR_USE_LOG_BROKEN"


class DeliveryFailed(SharingError):
    """The consumer's folder, server or database did not take a delivery."""

    code = "SHR_DELIVERY_FAILED"
    retryable = True


class AttachmentRefused(SharingError):
    """An attachment that is empty, too large, or not of a kind that is taken."""

    code = "SHR_ATTACHMENT"


class FormUnreadable(SharingError):
    """A file that is not the form of a share request."""

    code = "SHR_FORM"
