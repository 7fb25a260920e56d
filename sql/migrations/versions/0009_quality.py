"""Objections, scores and reports; the quarantine's ageing and releases; sampling checks."""

from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = "ledger"

MADE = (
    """
    create sequence ledger.objection_number
    """,
    """
    create table ledger.objection (
        objection_id text not null,
        origin text not null,
        raised_org text not null,
        raised_at timestamp with time zone not null,
        profile text not null,
        authority text not null,
        entry_id text not null,
        column_name text,
        key_masked text,
        key_digest text,
        source_entry_id text not null,
        source_org text not null,
        summary text not null,
        fingerprint text not null,
        merged_into text,
        constraint pk_objection primary key (objection_id),
        constraint ck_objection_origin check (origin in ('department', 'monitor', 'cross_check')),
        constraint ck_objection_key check ((key_masked is null) = (key_digest is null)),
        constraint ck_objection_summary check (length(trim(summary)) > 0),
        constraint fk_objection_objection
            foreign key (merged_into) references ledger.objection (objection_id)
    )
    """,
    """
    create index ix_objection_fingerprint on ledger.objection (fingerprint)
    """,
    """
    create index ix_objection_source_entry_id on ledger.objection (source_entry_id)
    """,
    """
    create table ledger.objection_step (
        number bigint generated always as identity,
        objection_id text not null,
        state text not null,
        at timestamp with time zone not null,
        person text not null,
        account text not null,
        role text not null,
        org text not null,
        note text,
        run_id text,
        table_version bigint,
        constraint pk_objection_step primary key (number),
        constraint fk_objection_step_objection
            foreign key (objection_id) references ledger.objection (objection_id)
    )
    """,
    """
    create index ix_objection_step_objection_id_number
        on ledger.objection_step (objection_id, number)
    """,
    """
    create table ledger.objection_evidence (
        number bigint generated always as identity,
        objection_id text not null,
        name text not null,
        media_type text not null,
        size bigint not null,
        sha256 text not null,
        content bytea not null,
        added_at timestamp with time zone not null,
        added_by text not null,
        constraint pk_objection_evidence primary key (number),
        constraint uq_objection_evidence_sha256 unique (objection_id, sha256),
        constraint fk_objection_evidence_objection
            foreign key (objection_id) references ledger.objection (objection_id)
    )
    """,
    """
    create table ledger.run_dimension (
        run_id text not null,
        entry_id text not null,
        dimension text not null,
        decided_at timestamp with time zone not null,
        checks bigint not null,
        counted bigint not null,
        failed bigint not null,
        waived bigint not null,
        constraint pk_run_dimension primary key (run_id, entry_id, dimension),
        constraint fk_run_dimension_verdict
            foreign key (run_id, entry_id) references ledger.verdict (run_id, entry_id)
            on delete cascade,
        constraint ck_run_dimension_failed check (failed between 0 and counted),
        constraint ck_run_dimension_waived check (waived between 0 and failed)
    )
    """,
    """
    create index ix_run_dimension_decided_at on ledger.run_dimension (decided_at)
    """,
    """
    create index ix_run_dimension_entry_id_decided_at
        on ledger.run_dimension (entry_id, decided_at)
    """,
    """
    create table ledger.frozen_period (
        period text not null,
        frozen_at timestamp with time zone not null,
        frozen_by text not null,
        figures jsonb not null,
        digest text not null,
        constraint pk_frozen_period primary key (period)
    )
    """,
    """
    create table ledger.figure_answer (
        number bigint generated always as identity,
        period text not null,
        department_id text not null,
        figure text not null,
        answer text not null,
        at timestamp with time zone not null,
        account text not null,
        constraint pk_figure_answer primary key (number),
        constraint ck_figure_answer_answer check (length(trim(answer)) > 0)
    )
    """,
    """
    create index ix_figure_answer_period_department_id
        on ledger.figure_answer (period, department_id)
    """,
    """
    create table ledger.indicator_value (
        period text not null,
        department_id text not null,
        rate text not null,
        kept bigint not null,
        due bigint not null,
        run_id text not null,
        at timestamp with time zone not null,
        constraint pk_indicator_value primary key (period, department_id, rate),
        constraint ck_indicator_value_kept check (kept between 0 and due)
    )
    """,
    """
    create table ledger.quarantine_ageing (
        run_id text not null,
        entry_id text not null,
        at timestamp with time zone not null,
        standing bigint not null,
        fresh bigint not null,
        corrected bigint not null,
        gone bigint not null,
        released bigint not null,
        oldest_at timestamp with time zone,
        constraint pk_quarantine_ageing primary key (run_id, entry_id),
        constraint fk_quarantine_ageing_verdict
            foreign key (run_id, entry_id) references ledger.verdict (run_id, entry_id),
        constraint ck_quarantine_ageing_fresh check (fresh between 0 and standing)
    )
    """,
    """
    create table ledger.quarantine_release (
        number bigint generated always as identity,
        entry_id text not null,
        run_id text not null,
        row_number bigint not null,
        row_digest text not null,
        check_ids text[] not null,
        reason text not null,
        at timestamp with time zone not null,
        account text not null,
        constraint pk_quarantine_release primary key (number),
        constraint uq_quarantine_release_entry_id unique (entry_id, row_digest),
        constraint ck_quarantine_release_reason check (length(trim(reason)) > 0)
    )
    """,
    """
    create table ledger.sampling_check (
        number bigint generated always as identity,
        entry_id text not null,
        table_version bigint not null,
        seed bigint not null,
        drawn bigint not null,
        equal bigint not null,
        different bigint not null,
        missing bigint not null,
        findings jsonb not null,
        at timestamp with time zone not null,
        account text not null,
        constraint pk_sampling_check primary key (number),
        constraint ck_sampling_check_adds_up check (drawn = equal + different + missing)
    )
    """,
    """
    create index ix_sampling_check_entry_id_at on ledger.sampling_check (entry_id, at)
    """,
)

ONLY_ADDED_TO = (
    "objection_step",
    "objection_evidence",
    "frozen_period",
    "figure_answer",
    "quarantine_release",
    "sampling_check",
)

TABLES = (
    "sampling_check",
    "quarantine_release",
    "quarantine_ageing",
    "indicator_value",
    "figure_answer",
    "frozen_period",
    "run_dimension",
    "objection_evidence",
    "objection_step",
    "objection",
)

SUM_UP_EARLIER_RUNS = """
    insert into ledger.run_dimension
    select run_id, entry_id, dimension, decided_at, count(*),
        sum(counted), sum(failed), sum(waived)
    from ledger.check_result
    inner join ledger.verdict using (run_id, entry_id)
    group by run_id, entry_id, dimension, decided_at
"""

INDEXES = {
    "ix_check_result_failed": "check_result (run_id, entry_id) where failed > 0",
    "ix_verdict_entry_id_decided_at": "verdict (entry_id, decided_at)",
    "ix_verdict_decided_at": "verdict (decided_at)",
    "ix_pull_receipt_entry_id_pulled_at": "pull_receipt (entry_id, pulled_at)",
}
"""Of earlier tables, so that figures of a period read that period alone."""


def upgrade() -> None:
    """Make the tables, and sum up the verdicts that there are."""
    for statement in MADE:
        op.execute(statement)
    for table in ONLY_ADDED_TO:
        op.execute(
            f"create trigger {table}_is_only_added_to "
            f"before update or delete or truncate on ledger.{table} "
            "for each statement execute function ledger.refuse_change()"
        )
    op.execute(SUM_UP_EARLIER_RUNS)
    for name, columns in INDEXES.items():
        op.execute(f"create index {name} on ledger.{columns}")


def downgrade() -> None:
    """Drop the tables and every fact in them."""
    for name in INDEXES:
        op.execute(f"drop index ledger.{name}")
    for table in TABLES:
        op.drop_table(table, schema=SCHEMA)
    op.execute("drop sequence ledger.objection_number")
