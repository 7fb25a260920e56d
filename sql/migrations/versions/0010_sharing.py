"""Share requests, grants, channels and the use log."""

from alembic import op

revision = "0010"
down_revision = "0009"

SCHEMA = "ledger"
PARTITIONS = "ledger_use"

TABLES = (
    """
    create sequence ledger.share_number
    """,
    """
    create table ledger.share_demand (
        demand_id text not null,
        org text not null,
        title text not null,
        wanted text[] not null,
        scenario text not null,
        service_items text[] not null,
        mode text not null,
        cycle text not null,
        listed_at timestamp with time zone not null,
        constraint pk_share_demand primary key (demand_id),
        constraint ck_share_demand_wanted check (cardinality(wanted) > 0)
    )
    """,
    """
    create table ledger.share_request (
        request_id text not null,
        kind text not null,
        grant_id text,
        consumer_org text not null,
        state text not null,
        form jsonb not null,
        profiles text[] not null,
        provider_orgs text[] not null,
        approval_level text,
        returned_times bigint default '0' not null,
        filed_by text not null,
        filed_at timestamp with time zone not null,
        consented_by text,
        received_at timestamp with time zone,
        decided_at timestamp with time zone,
        constraint pk_share_request primary key (request_id),
        constraint ck_share_request_state
            check (state in ('draft', 'submitted', 'returned', 'approved', 'refused', 'withdrawn')),
        constraint ck_share_request_kind check (kind in ('new', 'renewal', 'change')),
        constraint ck_share_request_of_grant check ((kind = 'new') = (grant_id is null)),
        constraint ck_share_request_received check ((state = 'draft') = (received_at is null)),
        constraint ck_share_request_returned_once check (returned_times between 0 and 1),
        constraint ck_share_request_free_of_charge check (not jsonb_exists(form, 'fee'))
    )
    """,
    """
    create index ix_share_request_consumer_org_state on ledger.share_request (consumer_org, state)
    """,
    """
    create table ledger.share_responsibility (
        org text not null,
        entry_id text not null,
        duty_basis text not null,
        listed_at timestamp with time zone not null,
        constraint pk_share_responsibility primary key (org, entry_id),
        constraint ck_share_responsibility_duty_basis check (length(trim(duty_basis)) > 0)
    )
    """,
    """
    create table ledger.share_step (
        number bigint generated always as identity,
        object_id text not null,
        at timestamp with time zone not null,
        kind text not null,
        person text not null,
        role text not null,
        org text not null,
        note text,
        constraint pk_share_step primary key (number)
    )
    """,
    """
    create index ix_share_step_object_id_number on ledger.share_step (object_id, number)
    """,
    """
    create table ledger.use_record (
        at timestamp with time zone not null,
        number bigint not null,
        grant_id text not null,
        channel text not null,
        requester text not null,
        consumer_org text not null,
        provider_orgs text[] not null,
        purpose_code text not null,
        case_no text,
        object_id text not null,
        table_version bigint,
        run_id text,
        columns text[] not null,
        row_keys text[],
        rows bigint not null,
        bytes bigint not null,
        digest text,
        outcome text not null,
        reason text,
        material text,
        previous_hash text not null,
        hash text not null,
        constraint pk_use_record primary key (at, number),
        constraint ck_use_record_outcome check (outcome in ('served', 'denied'))
    )
     partition by range (at)
    """,
    """
    create index ix_use_record_grant_id_at on ledger.use_record (grant_id, at)
    """,
    """
    create index ix_use_record_object_id_at on ledger.use_record (object_id, at)
    """,
    """
    create index ix_use_record_row_keys on ledger.use_record using gin (row_keys)
    """,
    """
    create table ledger.use_seal (
        number bigint not null,
        first_number bigint not null,
        hash text not null,
        sealed_at timestamp with time zone not null,
        key_id text not null,
        signature text not null,
        constraint pk_use_seal primary key (number)
    )
    """,
    """
    create table ledger.share_attachment (
        request_id text not null,
        digest text not null,
        name text not null,
        content_type text not null,
        bytes bigint not null,
        added_at timestamp with time zone not null,
        constraint pk_share_attachment primary key (request_id, digest),
        constraint fk_share_attachment_share_request foreign key(request_id)
            references ledger.share_request (request_id),
        constraint ck_share_attachment_bytes check (bytes > 0)
    )
    """,
    """
    create table ledger.share_decision (
        request_id text not null,
        seat text not null,
        seat_org text not null,
        outcome text not null,
        reason text,
        basis text,
        person text not null,
        account text not null,
        org text not null,
        deputy_for text,
        decided_at timestamp with time zone not null,
        constraint pk_share_decision primary key (request_id, seat, seat_org),
        constraint fk_share_decision_share_request foreign key(request_id)
            references ledger.share_request (request_id),
        constraint outcome_of_seat unique (request_id, seat, seat_org, outcome),
        constraint ck_share_decision_seat check (seat in ('provider', 'authority')),
        constraint ck_share_decision_outcome check (outcome in ('granted', 'refused')),
        constraint ck_share_decision_refusal_reason
            check (outcome = 'granted' or length(trim(coalesce(reason, ''))) > 0)
    )
    """,
    """
    create table ledger.share_grant (
        grant_id text not null,
        request_id text not null,
        approved_seat text not null,
        approved_org text not null,
        approved text default 'granted' not null,
        object_id text not null,
        consumer_org text not null,
        consumer_level text not null,
        consumer_region text not null,
        provider_orgs text[] not null,
        columns text[] not null,
        row_scope jsonb not null,
        masks jsonb not null,
        purpose_code text not null,
        purpose text not null,
        service_items text[] not null,
        mode text not null,
        format text not null,
        cycle text not null,
        destination text,
        valid_from timestamp with time zone not null,
        valid_until timestamp with time zone not null,
        decided_by text[] not null,
        decided_by_orgs text[] not null,
        decided_at timestamp with time zone not null,
        opened_by text,
        opened_by_org text,
        opened_at timestamp with time zone,
        state text not null,
        state_reason text,
        ended_at timestamp with time zone,
        constraint pk_share_grant primary key (grant_id),
        constraint fk_share_grant_share_decision
            foreign key(request_id, approved_seat, approved_org, approved)
            references ledger.share_decision (request_id, seat, seat_org, outcome),
        constraint ck_share_grant_approved check (approved = 'granted'),
        constraint ck_share_grant_state
            check (state in ('approved', 'open', 'suspended', 'closed', 'expired')),
        constraint ck_share_grant_columns check (cardinality(columns) > 0),
        constraint ck_share_grant_term check (valid_until > valid_from),
        constraint ck_share_grant_decider_is_not_opener
            check (opened_by is null or (opened_by <> all (decided_by)
                and opened_by_org <> all (decided_by_orgs))),
        constraint ck_share_grant_opened
            check (state in ('approved', 'closed', 'expired') or opened_by is not null),
        constraint ck_share_grant_opened_by check ((opened_by is null) = (opened_by_org is null))
    )
    """,
    """
    create index ix_share_grant_consumer_org_state on ledger.share_grant (consumer_org, state)
    """,
    """
    create index ix_share_grant_object_id_state on ledger.share_grant (object_id, state)
    """,
    """
    create table ledger.share_delivery (
        delivery_id text not null,
        grant_id text not null,
        batch_no bigint not null,
        channel text not null,
        table_name text not null,
        table_version bigint not null,
        state text not null,
        sent bigint not null,
        received bigint,
        content_digest text not null,
        receipt jsonb not null,
        started_at timestamp with time zone not null,
        finished_at timestamp with time zone,
        recalled_at timestamp with time zone,
        recall_reason text,
        constraint pk_share_delivery primary key (delivery_id),
        constraint fk_share_delivery_share_grant foreign key(grant_id)
            references ledger.share_grant (grant_id),
        constraint batch_of_grant unique (grant_id, batch_no),
        constraint ck_share_delivery_state check (state in ('started', 'delivered', 'failed')),
        constraint ck_share_delivery_counts_reconcile
            check (state <> 'delivered' or (received is not null and received = sent))
    )
    """,
    """
    create table ledger.share_register (
        number bigint generated always as identity,
        grant_id text not null,
        kind text not null,
        on_day date not null,
        person text not null,
        note text not null,
        constraint pk_share_register primary key (number),
        constraint fk_share_register_share_grant foreign key(grant_id)
            references ledger.share_grant (grant_id),
        constraint ck_share_register_kind check (kind in ('use', 'disposal')),
        constraint ck_share_register_note check (length(trim(note)) > 0)
    )
    """,
    """
    create table ledger.share_token (
        token_id text not null,
        grant_id text not null,
        token_hash text not null,
        issued_at timestamp with time zone not null,
        expires_at timestamp with time zone not null,
        revoked_at timestamp with time zone,
        constraint pk_share_token primary key (token_id),
        constraint fk_share_token_share_grant foreign key(grant_id)
            references ledger.share_grant (grant_id)
    )
    """,
    """
    create index ix_share_token_grant_id on ledger.share_token (grant_id)
    """,
)


def upgrade() -> None:
    """Make the tables; partitions of the use log come month by month, in a schema of their own."""
    op.execute(f"create schema {PARTITIONS}")
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables and what they say."""
    for name in (
        "share_token",
        "share_register",
        "share_delivery",
        "share_grant",
        "share_decision",
        "share_attachment",
        "use_seal",
        "use_record",
        "share_step",
        "share_responsibility",
        "share_request",
        "share_demand",
    ):
        op.drop_table(name, schema=SCHEMA)
    op.execute(f"drop sequence {SCHEMA}.share_number")
    op.execute(f"drop schema {PARTITIONS}")
