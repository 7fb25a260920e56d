"""Tables of sharing: lists, requests, decisions, grants, channels, deliveries, use log and seals.

What no program may ever do is a constraint here: refuse without a reason (S004 Art.18), open what
was not approved, decide and open by one person or one body, put a price on shared data (S004
Art.17). No column holds a value of a shared row; keys of rows stand only as keyed digests.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    Sequence,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from yishu.ledger.models.base import SCHEMA, Base

REQUEST_NUMBER = Sequence("share_number", metadata=Base.metadata, schema=SCHEMA)
"""Numbers of requests, lists' rows, grants and channels."""


class ShareRequest(Base):
    """One share request; ``form`` is `yishu.sharing.form.RequestForm` as JSON, never with a fee."""

    __tablename__ = "share_request"
    __table_args__ = (
        CheckConstraint(
            "state in ('draft', 'submitted', 'returned', 'approved', 'refused', 'withdrawn')",
            name="state",
        ),
        CheckConstraint("kind in ('new', 'renewal', 'change')", name="kind"),
        CheckConstraint("(kind = 'new') = (grant_id is null)", name="of_grant"),
        CheckConstraint("(state = 'draft') = (received_at is null)", name="received"),
        CheckConstraint("returned_times between 0 and 1", name="returned_once"),
        CheckConstraint("not jsonb_exists(form, 'fee')", name="free_of_charge"),
        Index(None, "consumer_org", "state"),
        Index("ix_share_request_list", text("(state <> 'submitted')"), "received_at", "request_id"),
        Index(None, "provider_orgs", postgresql_using="gin"),
    )

    request_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    grant_id: Mapped[str | None]
    consumer_org: Mapped[str]
    state: Mapped[str]
    form: Mapped[dict[str, Any]]
    profiles: Mapped[list[str]]
    provider_orgs: Mapped[list[str]]
    approval_level: Mapped[str | None]
    returned_times: Mapped[int] = mapped_column(server_default="0")
    filed_by: Mapped[str]
    filed_at: Mapped[datetime]
    consented_by: Mapped[str | None]
    received_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]


class ShareStep(Base):
    """One step of a request or grant, as both sides see it. Rows are only ever added."""

    __tablename__ = "share_step"
    __table_args__ = (Index(None, "object_id", "number"),)

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    object_id: Mapped[str]
    at: Mapped[datetime]
    kind: Mapped[str]
    person: Mapped[str]
    role: Mapped[str]
    org: Mapped[str]
    note: Mapped[str | None]


class ShareDecision(Base):
    """What one seat decided: a provider's reviewer or the authority. Rows are only ever added."""

    __tablename__ = "share_decision"
    __table_args__ = (
        ForeignKeyConstraint(["request_id"], [f"{SCHEMA}.share_request.request_id"]),
        UniqueConstraint("request_id", "seat", "seat_org", "outcome", name="outcome_of_seat"),
        CheckConstraint("seat in ('provider', 'authority')", name="seat"),
        CheckConstraint("outcome in ('granted', 'refused')", name="outcome"),
        CheckConstraint(
            "outcome = 'granted' or length(trim(coalesce(reason, ''))) > 0", name="refusal_reason"
        ),
    )

    request_id: Mapped[str] = mapped_column(primary_key=True)
    seat: Mapped[str] = mapped_column(primary_key=True)
    seat_org: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    reason: Mapped[str | None]
    basis: Mapped[str | None]
    person: Mapped[str]
    account: Mapped[str]
    org: Mapped[str]
    deputy_for: Mapped[str | None]
    decided_at: Mapped[datetime]


class ShareGrant(Base):
    """What a department may read; made by the last decision, opened by the command centre.

    ``approved_seat``, ``approved_org`` and ``approved`` point at the decision, so that no grant
    can exist of what nobody approved.
    """

    __tablename__ = "share_grant"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "approved_seat", "approved_org", "approved"],
            [
                f"{SCHEMA}.share_decision.request_id",
                f"{SCHEMA}.share_decision.seat",
                f"{SCHEMA}.share_decision.seat_org",
                f"{SCHEMA}.share_decision.outcome",
            ],
        ),
        CheckConstraint("approved = 'granted'", name="approved"),
        CheckConstraint(
            "state in ('approved', 'open', 'suspended', 'closed', 'expired')", name="state"
        ),
        CheckConstraint("cardinality(columns) > 0", name="columns"),
        CheckConstraint("valid_until > valid_from", name="term"),
        CheckConstraint(
            "opened_by is null or "
            "(opened_by <> all (decided_by) and opened_by_org <> all (decided_by_orgs))",
            name="decider_is_not_opener",
        ),
        CheckConstraint(
            "state in ('approved', 'closed', 'expired') or opened_by is not null", name="opened"
        ),
        CheckConstraint("(opened_by is null) = (opened_by_org is null)", name="opened_by"),
        Index(None, "consumer_org", "state"),
        Index(None, "object_id", "state"),
    )

    grant_id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str]
    approved_seat: Mapped[str]
    approved_org: Mapped[str]
    approved: Mapped[str] = mapped_column(server_default="granted")
    object_id: Mapped[str]
    consumer_org: Mapped[str]
    consumer_level: Mapped[str]
    consumer_region: Mapped[str]
    provider_orgs: Mapped[list[str]]
    columns: Mapped[list[str]]
    row_scope: Mapped[dict[str, Any]]
    masks: Mapped[dict[str, str]]
    purpose_code: Mapped[str]
    purpose: Mapped[str]
    service_items: Mapped[list[str]]
    mode: Mapped[str]
    format: Mapped[str]
    cycle: Mapped[str]
    destination: Mapped[str | None]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    decided_by: Mapped[list[str]]
    decided_by_orgs: Mapped[list[str]]
    decided_at: Mapped[datetime]
    opened_by: Mapped[str | None]
    opened_by_org: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    state: Mapped[str]
    state_reason: Mapped[str | None]
    ended_at: Mapped[datetime | None]


class ShareToken(Base):
    """A token of a grant's channel: hashed, expiring, revocable."""

    __tablename__ = "share_token"
    __table_args__ = (
        ForeignKeyConstraint(["grant_id"], [f"{SCHEMA}.share_grant.grant_id"]),
        Index(None, "grant_id"),
    )

    token_id: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str]
    token_hash: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ShareDelivery(Base):
    """One delivery of a grant's data: a file, a push, a batch into a database."""

    __tablename__ = "share_delivery"
    __table_args__ = (
        ForeignKeyConstraint(["grant_id"], [f"{SCHEMA}.share_grant.grant_id"]),
        UniqueConstraint("grant_id", "batch_no", name="batch_of_grant"),
        CheckConstraint("state in ('started', 'delivered', 'failed')", name="state"),
        CheckConstraint(
            "state <> 'delivered' or (received is not null and received = sent)",
            name="counts_reconcile",
        ),
    )

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    grant_id: Mapped[str]
    batch_no: Mapped[int]
    channel: Mapped[str]
    table_name: Mapped[str]
    table_version: Mapped[int]
    state: Mapped[str]
    sent: Mapped[int]
    received: Mapped[int | None]
    content_digest: Mapped[str]
    receipt: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str | None]


class UseRecord(Base):
    """One served or denied call, chained to the one before; `yishu.sharing.uselog`.

    Partitioned by month (tables in the schema ``ledger_use``), kept three years (Decree 809
    Art.29). ``row_keys`` are keyed digests of the keys of the rows that were served one by one;
    None: the whole of the grant's projection of that table version.
    """

    __tablename__ = "use_record"
    __table_args__ = (
        CheckConstraint("outcome in ('served', 'denied')", name="outcome"),
        Index(None, "grant_id", "at"),
        Index(None, "object_id", "at"),
        Index(None, "row_keys", postgresql_using="gin"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: Mapped[datetime] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    grant_id: Mapped[str]
    channel: Mapped[str]
    requester: Mapped[str]
    consumer_org: Mapped[str]
    provider_orgs: Mapped[list[str]]
    purpose_code: Mapped[str]
    case_no: Mapped[str | None]
    object_id: Mapped[str]
    table_version: Mapped[int | None]
    run_id: Mapped[str | None]
    columns: Mapped[list[str]]
    row_keys: Mapped[list[str] | None]
    rows: Mapped[int]
    bytes: Mapped[int]
    digest: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str | None]
    material: Mapped[str | None]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class UseSeal(Base):
    """A signed statement that the chain up to ``number`` ended in ``hash``."""

    __tablename__ = "use_seal"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_number: Mapped[int]
    hash: Mapped[str]
    sealed_at: Mapped[datetime]
    key_id: Mapped[str]
    signature: Mapped[str]


class ShareDemand(Base):
    """One row of a department's demand list (S004 Art.17)."""

    __tablename__ = "share_demand"
    __table_args__ = (CheckConstraint("cardinality(wanted) > 0", name="wanted"),)

    demand_id: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str]
    title: Mapped[str]
    wanted: Mapped[list[str]]
    scenario: Mapped[str]
    service_items: Mapped[list[str]]
    mode: Mapped[str]
    cycle: Mapped[str]
    listed_at: Mapped[datetime]


class ShareResponsibility(Base):
    """One row of a department's responsibility list: what its duties let it give (S004 Art.17)."""

    __tablename__ = "share_responsibility"
    __table_args__ = (CheckConstraint("length(trim(duty_basis)) > 0", name="duty_basis"),)

    org: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(primary_key=True)
    duty_basis: Mapped[str]
    listed_at: Mapped[datetime]


class ShareRegister(Base):
    """What a consumer registers of a grant: the use of its data, or their disposal."""

    __tablename__ = "share_register"
    __table_args__ = (
        ForeignKeyConstraint(["grant_id"], [f"{SCHEMA}.share_grant.grant_id"]),
        CheckConstraint("kind in ('use', 'disposal')", name="kind"),
        CheckConstraint("length(trim(note)) > 0", name="note"),
    )

    number: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    grant_id: Mapped[str]
    kind: Mapped[str]
    on_day: Mapped[date]
    person: Mapped[str]
    note: Mapped[str]


class ShareAttachment(Base):
    """A file that belongs to a request, kept by digest outside the database."""

    __tablename__ = "share_attachment"
    __table_args__ = (
        ForeignKeyConstraint(["request_id"], [f"{SCHEMA}.share_request.request_id"]),
        CheckConstraint("bytes > 0", name="bytes"),
    )

    request_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    content_type: Mapped[str]
    bytes: Mapped[int]
    added_at: Mapped[datetime]
