-- Versions of entries and what precedes them. Statements are separated by empty lines.
create table ledger.catalog_version (
    entry_id text not null,
    version bigint not null,
    state text not null,
    provider_org text not null,
    name text not null,
    resource_code text,
    data_kind text,
    share_type text,
    open_type text,
    update_cycle text,
    content jsonb not null,
    digest text not null,
    edit bigint not null,
    cause text not null,
    cause_note text not null,
    changed_on date not null,
    ruleset bigint,
    compiled_person text not null,
    compiled_account text not null,
    edited_at timestamp with time zone not null,
    submitted_at timestamp with time zone,
    reviewed_person text,
    reviewed_account text,
    reviewed_at timestamp with time zone,
    opinion text,
    remarks jsonb default '[]'::jsonb not null,
    published_at timestamp with time zone,
    ended_at timestamp with time zone,
    constraint pk_catalog_version primary key (entry_id, version),
        constraint ck_catalog_version_state check (state in ('draft', 'submitted', 'returned',
        'approved') or state in ('published', 'superseded', 'revoked')),
        constraint ck_catalog_version_published check ((state in ('published', 'superseded',
        'revoked')) = (published_at is not null)),
        constraint ck_catalog_version_ended check ((state in ('superseded', 'revoked')) =
        (ended_at is not null)),
    constraint ck_catalog_version_period check (ended_at >= published_at),
        constraint ck_catalog_version_reason check (state not in ('returned', 'revoked') or
        length(trim(coalesce(opinion, ''))) > 0),
        constraint ck_catalog_version_reviewed_is_not_compiled check (compiled_person is null or
        reviewed_person is null or (compiled_person <> reviewed_person))
)

create unique index ix_catalog_version_in_force
on ledger.catalog_version (entry_id) where state = 'published'

create unique index ix_catalog_version_open
on ledger.catalog_version (entry_id) where state in ('draft', 'submitted', 'returned', 'approved')

create index ix_catalog_version_published_at_ended_at
on ledger.catalog_version (published_at, ended_at)

create index ix_catalog_version_resource_code
on ledger.catalog_version (resource_code)

create index ix_catalog_version_state_provider_org
on ledger.catalog_version (state, provider_org)

create table ledger.catalog_assessment (
    assessment bigint generated always as identity,
    entry_id text not null,
    version bigint not null,
    kind text not null,
    digest text not null,
    verdict text not null,
    basis text not null,
    compiled_person text not null,
    compiled_org text not null,
    assessed_person text not null,
    assessed_account text not null,
    assessed_org text not null,
    assessed_at timestamp with time zone not null,
    constraint pk_catalog_assessment primary key (assessment),
        constraint fk_catalog_assessment_catalog_version foreign key(entry_id, version) references
        ledger.catalog_version (entry_id, version),
    constraint ck_catalog_assessment_basis check (length(trim(basis)) > 0),
        constraint ck_catalog_assessment_reviewer_is_not_compiler check (kind <> 'confidentiality'
        or assessed_org <> compiled_org),
        constraint ck_catalog_assessment_assessed_is_not_compiled check (compiled_person is null
        or assessed_person is null or (compiled_person <> assessed_person))
)

create index ix_catalog_assessment_entry_id_version_kind
on ledger.catalog_assessment (entry_id, version, kind)

create table ledger.catalog_check (
    entry_id text not null,
    version bigint not null,
    ruleset bigint not null,
    faults jsonb not null,
    checked_at timestamp with time zone not null,
    constraint pk_catalog_check primary key (entry_id, version, ruleset),
        constraint fk_catalog_check_catalog_version foreign key(entry_id, version) references
        ledger.catalog_version (entry_id, version)
)

create index ix_catalog_check_ruleset
on ledger.catalog_check (ruleset)

create function ledger.refuse_rewriting() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'version % of % stays on record', old.version, old.entry_id
            using errcode = 'restrict_violation';
    end if;
    if old.state not in ('draft', 'returned')
        and (old.content, old.digest, old.cause, old.changed_on)
            is distinct from (new.content, new.digest, new.cause, new.changed_on) then
        raise exception 'version % of % is % and cannot be rewritten',
            old.version, old.entry_id, old.state using errcode = 'restrict_violation';
    end if;
    if old.state in ('superseded', 'revoked') then
        raise exception 'version % of % is over', old.version, old.entry_id
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$

create trigger catalog_version_is_not_rewritten
before update or delete on ledger.catalog_version
for each row execute function ledger.refuse_rewriting()

create trigger catalog_assessment_is_only_added_to
before update or delete or truncate on ledger.catalog_assessment
for each statement execute function ledger.refuse_change()
