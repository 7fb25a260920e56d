"""Promises: the time limits of a law or of the city, as data; days are working days."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from catalog.base import Identifier, Model, Name
from catalog.vocabulary import Labelled


class Party(Labelled):
    """Whose turn it is: who holds the file, and who must have consented."""

    DEPARTMENT = "department", "部门"
    DATA_AUTHORITY = "data_authority", "数据主管部门"
    DATA_OPERATOR = "data_operator", "指挥中心"


class ClockCause(Labelled):
    """Why a clock stands still or runs longer; nothing else is a cause."""

    RETURNED_FOR_COMPLETION = "returned_for_completion", "一次性告知补正"
    DISPUTE_PENDING = "dispute_pending", "争议处理中"
    SPECIAL_REASON = "special_reason", "特殊原因"
    SPECIAL_PROCEDURE = "special_procedure", "特别程序"


class Promise(Model):
    """A statutory or local time limit.

    ``holder`` has to keep it. Yellow begins ``warning_lead_days`` before the last day, or, where
    given, when ``warning_percent`` of the time is used. An extension needs a listed cause and the
    consent of ``extension_consent``. A pause needs a listed cause and ends by itself after
    ``pause_limit_working_days``, so that no file is parked for good. ``is_local_choice``: no text
    fixes the number, the city chose it.
    """

    name: Name
    working_days: int = Field(ge=0)
    holder: Party = Party.DEPARTMENT
    extension_working_days: int = Field(default=0, ge=0)
    extension_causes: tuple[ClockCause, ...] = ()
    extension_consent: Party | None = None
    is_requester_told: bool = False
    warning_lead_days: int = Field(default=1, ge=0)
    warning_percent: int | None = Field(default=None, ge=1, le=99)
    pause_causes: tuple[ClockCause, ...] = ()
    pause_limit_working_days: int = Field(default=20, ge=1)
    basis: Name
    is_local_choice: bool = False

    @model_validator(mode="after")
    def _extension_is_whole(self) -> Self:
        if self.extension_working_days and not (self.extension_causes and self.extension_consent):
            raise ValueError("an extension needs extension_causes and extension_consent")
        return self


class RuleProfile(Model):
    """Which law's promises and roles apply, e.g. ``wuxi_2022`` or ``cn_decree_809``."""

    id: Identifier
    name: Name
    reply_by: Literal["data_authority", "provider_org"]
    onward_transfer: Literal["forbidden", "with_provider_consent"]
    use_record_retention_years: int = Field(default=3, ge=1)
    promises: Mapping[Identifier, Promise]
