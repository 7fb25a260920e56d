"""The security register: systems with their protection level, and incidents with their phases."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Integer
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base


class ProtectedSystem(Base):
    """A platform or system under classified protection (等级保护)."""

    __tablename__ = "protected_system"
    __table_args__ = (
        CheckConstraint("mlps_level between 1 and 5", name="mlps_level"),
        CheckConstraint(
            "mlps_level = 1 or length(trim(coalesce(mlps_filing_no, ''))) > 0", name="filed"
        ),
    )

    system_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    responsible_org: Mapped[str]
    mlps_level: Mapped[int] = mapped_column(Integer)
    mlps_filing_no: Mapped[str | None]
    mlps_assessed_on: Mapped[date | None]
    kept_account: Mapped[str]
    kept_at: Mapped[datetime]


class SecurityIncident(Base):
    """Something that happened to a system."""

    __tablename__ = "security_incident"

    incident: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    system_id: Mapped[str] = mapped_column(ForeignKey(f"{SCHEMA}.protected_system.system_id"))
    title: Mapped[str]
    found_at: Mapped[datetime]


class IncidentStep(Base):
    """What was done about an incident in one of the five phases. Only ever added."""

    __tablename__ = "incident_step"
    __table_args__ = (
        CheckConstraint("length(trim(text)) > 0", name="text"),
        CheckConstraint(
            "phase in ('prevention', 'monitoring', 'notification', 'response', 'disposal')",
            name="phase",
        ),
    )

    incident: Mapped[int] = mapped_column(
        ForeignKey(f"{SCHEMA}.security_incident.incident"), primary_key=True
    )
    phase: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime]
    text: Mapped[str]
    person: Mapped[str]
    account: Mapped[str]
