"""Working days, clocks, cards, supervision orders and notices."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = (
    """
    create table ledger.calendar_load (
        layer text not null,
        year integer not null,
        version integer not null,
        file text not null,
        content text not null,
        calendar_version text not null,
        loaded_at timestamp with time zone not null,
        loaded_by text not null,
        constraint pk_calendar_load primary key (layer, year, version),
        constraint ck_calendar_load_layer check (layer in ('notice', 'local'))
    )
    """,
    """
    create table ledger.clock (
        clock_id text not null,
        promise text not null,
        profile text not null,
        object_kind text not null,
        object_id text not null,
        holder_org text not null,
        cause text not null,
        received_at timestamp with time zone not null,
        closed_at timestamp with time zone,
        constraint pk_clock primary key (clock_id)
    )
    """,
    """
    create index ix_clock_closed_at on ledger.clock (closed_at)
    """,
    """
    create index ix_clock_object_kind_object_id on ledger.clock (object_kind, object_id)
    """,
    """
    create unique index ux_clock_open on ledger.clock
        (promise, object_kind, object_id, cause) where closed_at is null
    """,
    """
    create table ledger.clock_event (
        clock_id text not null,
        at timestamp with time zone not null,
        kind text not null,
        cause text,
        working_days integer default '0' not null,
        consent_by text,
        due_on date,
        org text,
        note text,
        actor text not null,
        constraint pk_clock_event primary key (clock_id, at, kind),
        constraint fk_clock_event_clock foreign key (clock_id) references ledger.clock (clock_id)
    )
    """,
    """
    create index ix_clock_event_at on ledger.clock_event (at)
    """,
    """
    create table ledger.clock_due (
        clock_id text not null,
        told_at timestamp with time zone not null,
        due_on date not null,
        is_provisional boolean not null,
        calendar_version text not null,
        constraint pk_clock_due primary key (clock_id, told_at),
        constraint fk_clock_due_clock foreign key (clock_id) references ledger.clock (clock_id)
    )
    """,
    """
    create table ledger.card (
        clock_id text not null,
        colour text not null,
        due_on date not null,
        is_provisional boolean not null,
        holder_org text not null,
        party text not null,
        issued_on date not null,
        issued_at timestamp with time zone not null,
        withdrawn_at timestamp with time zone,
        withdrawn_why text,
        constraint pk_card primary key (clock_id, colour, due_on),
        constraint ck_card_colour check (colour in ('yellow', 'red')),
        constraint ck_card_withdrawn check ((withdrawn_at is null) = (withdrawn_why is null)),
        constraint fk_card_clock foreign key (clock_id) references ledger.clock (clock_id)
    )
    """,
    """
    create index ix_card_issued_on on ledger.card (issued_on)
    """,
    """
    create table ledger.supervision_order (
        order_no text not null,
        clock_id text not null,
        case_no text not null,
        content text not null,
        org_name text not null,
        item_type text,
        sent_at timestamp with time zone not null,
        rule_no text not null,
        warning_type text not null,
        state_at timestamp with time zone not null,
        result text not null,
        responsible_org text not null,
        feedback_clock_id text not null,
        feedback text,
        feedback_by text,
        feedback_at timestamp with time zone,
        constraint pk_supervision_order primary key (order_no),
        constraint ck_supervision_order_feedback check ((feedback is null) = (feedback_at is null)),
        constraint fk_supervision_order_clock
            foreign key (clock_id) references ledger.clock (clock_id)
    )
    """,
    """
    create index ix_supervision_order_clock_id on ledger.supervision_order (clock_id)
    """,
    """
    create table ledger.clock_reminder (
        clock_id text not null,
        due_on date not null,
        threshold text not null,
        told_on date not null,
        constraint pk_clock_reminder primary key (clock_id, due_on, threshold),
        constraint fk_clock_reminder_clock foreign key (clock_id) references ledger.clock (clock_id)
    )
    """,
    """
    create table ledger.sweep (
        day date not null,
        swept_at timestamp with time zone not null,
        clocks bigint not null,
        cards bigint not null,
        reminders bigint not null,
        digest text not null,
        constraint pk_sweep primary key (day)
    )
    """,
    """
    create table ledger.notice (
        key text not null,
        org text not null,
        role text not null,
        subject text not null,
        text text not null,
        at timestamp with time zone not null,
        object_kind text not null,
        object_id text not null,
        read_at timestamp with time zone,
        read_by text,
        constraint pk_notice primary key (key)
    )
    """,
    """
    create index ix_notice_org_role_at on ledger.notice (org, role, at)
    """,
    """
    create table ledger.notice_address (
        org text not null,
        role text not null,
        channel text not null,
        address text not null,
        constraint pk_notice_address primary key (org, role, channel, address),
        constraint ck_notice_address_channel check (channel in ('mail', 'webhook'))
    )
    """,
    """
    create table ledger.notice_delivery (
        key text not null,
        channel text not null,
        address text not null,
        tries integer default '0' not null,
        next_try_at timestamp with time zone not null,
        sent_at timestamp with time zone,
        last_error text,
        constraint pk_notice_delivery primary key (key, channel, address),
        constraint fk_notice_delivery_notice foreign key (key) references ledger.notice (key)
    )
    """,
    """
    create index ix_notice_delivery_next_try_at on ledger.notice_delivery (next_try_at)
        where sent_at is null
    """,
    """
    create table ledger.task_state (
        task_id text not null,
        at timestamp with time zone not null,
        state text not null,
        note text not null,
        by text not null,
        facts jsonb not null,
        constraint pk_task_state primary key (task_id, at)
    )
    """,
)

NAMES = (
    "calendar_load",
    "clock",
    "clock_event",
    "clock_due",
    "card",
    "supervision_order",
    "clock_reminder",
    "sweep",
    "notice",
    "notice_address",
    "notice_delivery",
    "task_state",
)

ADDED_TO = ("calendar_load", "clock_event", "clock_due", "clock_reminder", "task_state")
"""Nothing in them is ever changed or removed."""


def upgrade() -> None:
    """Make the tables."""
    for statement in TABLES:
        op.execute(statement)
    for table in ADDED_TO:
        op.execute(
            f"create trigger {table}_is_only_added_to "
            f"before update or delete or truncate on ledger.{table} "
            "for each statement execute function ledger.refuse_change()"
        )
    op.execute(
        "create trigger clock_stays_what_it_is before update of clock_id, promise, profile, "
        "object_kind, object_id, cause, received_at or delete or truncate on ledger.clock "
        "for each statement execute function ledger.refuse_change()"
    )


def downgrade() -> None:
    """Drop the tables and what they say."""
    for table in reversed(NAMES):
        op.execute(f"drop table ledger.{table}")
