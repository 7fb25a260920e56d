-- The source register. Statements are separated by empty lines.
create type ledger.textrange as range (subtype = text)

create table ledger.source_element (
    element_id text not null,
    discriminator text not null,
    constraint pk_source_element primary key (element_id),
    constraint uq_source_element_discriminator unique (element_id, discriminator)
)

create table ledger.source_claim (
    claim bigint generated always as identity,
    element_id text not null,
    discriminator text not null,
    value text,
    entry_id text not null,
    org text not null,
    valid_from date not null,
    valid_until date,
    decision text not null,
    claimed_person text not null,
    claimed_account text not null,
    claimed_at timestamp with time zone not null,
    constraint pk_source_claim primary key (claim),
        constraint fk_source_claim_source_element foreign key(element_id, discriminator)
        references ledger.source_element (element_id, discriminator) on update cascade,
    constraint ck_source_claim_valid check (valid_until >= valid_from),
    constraint ck_source_claim_value check (value is null or discriminator <> ''),
    constraint ck_source_claim_decision check (length(trim(decision)) > 0),
        constraint ex_source_claim_one_source exclude using gist (ledger.textrange(element_id,
        element_id, '[]'::text) with &&, ledger.textrange(value, value, '[]'::text) with &&,
        daterange(valid_from, valid_until) with &&)
)

create index ix_source_claim_entry_id
on ledger.source_claim (entry_id)

create table ledger.source_dispute (
    dispute bigint generated always as identity,
    element_id text not null,
    scope_by text,
    scope_values text[] not null,
    claimant_entry text not null,
    claimant_org text not null,
    first_entry text not null,
    first_org text not null,
    grounds text not null,
    stage text not null,
    due_on date not null,
    opened_account text not null,
    opened_at timestamp with time zone not null,
    decided_stage text,
    winner text,
    effective_on date,
    reason text,
    decided_person text,
    decided_account text,
    decided_org text,
    decided_at timestamp with time zone,
    constraint pk_source_dispute primary key (dispute),
        constraint ck_source_dispute_stage check (stage in ('consulting', 'authority', 'superior',
        'decided')),
        constraint ck_source_dispute_decided check ((stage = 'decided') = (decided_at is not null
        and winner is not null and effective_on is not null and length(trim(coalesce(reason, '')))
        > 0)),
    constraint ck_source_dispute_winner check (winner in (claimant_entry, first_entry)),
        constraint ck_source_dispute_decider_is_no_party check (decided_org is null or
        decided_stage = 'consulting' or decided_org not in (claimant_org, first_org)),
        constraint fk_source_dispute_source_element foreign key(element_id) references
        ledger.source_element (element_id)
)

create index ix_source_dispute_stage_due_on
on ledger.source_dispute (stage, due_on)
