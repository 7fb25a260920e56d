-- Bodies, successions, contacts, deputies, duties and claims. Statements are separated by empty lines.
create table ledger.item_claim (
    claim bigint generated always as identity,
    basic_code text not null,
    org text not null,
    person text not null,
    account text not null,
    claimed_at timestamp with time zone not null,
    constraint pk_item_claim primary key (claim)
)

create unique index ix_item_claim_basic_code_org
on ledger.item_claim (basic_code, org)

create table ledger.organisation (
    org text not null,
    name text not null,
    uscc text,
    kind text not null,
    level text not null,
    parent text,
    code_system text not null,
    region_code text not null,
    valid_from date not null,
    valid_until date,
    constraint pk_organisation primary key (org),
    constraint ck_organisation_valid check (valid_until is null or valid_until >= valid_from),
    constraint ck_organisation_parent check ((level = 'city') = (parent is null)),
    constraint ck_organisation_level check (level in ('city', 'county', 'town', 'village')),
        constraint ck_organisation_kind check (kind in ('organ', 'institution', 'utility',
        'vertical')),
    constraint ck_organisation_code_system check (code_system in ('gb2260', 'local')),
        constraint fk_organisation_organisation foreign key(parent) references ledger.organisation
        (org)
)

create index ix_organisation_parent
on ledger.organisation (parent)

create table ledger.deputy (
    account text not null,
    deputy text not null,
    valid_from date not null,
    valid_until date not null,
    reason text not null,
    constraint pk_deputy primary key (account, deputy, valid_from),
    constraint ck_deputy_valid check (valid_until >= valid_from),
    constraint ck_deputy_another check (deputy <> account),
    constraint ck_deputy_reason check (length(trim(reason)) > 0),
    constraint fk_deputy_account foreign key(account) references ledger.account (account),
    constraint fk_deputy_deputy foreign key(deputy) references ledger.account (account)
)

create table ledger.duty (
    duty text not null,
    title text not null,
    basis text not null,
    lead_org text not null,
    constraint pk_duty primary key (duty),
    constraint ck_duty_title check (length(trim(title)) > 0),
    constraint fk_duty_organisation foreign key(lead_org) references ledger.organisation (org)
)

create table ledger.org_contact (
    org text not null,
    duty text not null,
    valid_from date not null,
    name text not null,
    telephone text,
    valid_until date,
    constraint pk_org_contact primary key (org, duty, valid_from),
    constraint ck_org_contact_valid check (valid_until is null or valid_until >= valid_from),
    constraint fk_org_contact_organisation foreign key(org) references ledger.organisation (org)
)

create table ledger.org_succession (
    org text not null,
    successor text not null,
    succeeded_on date not null,
    basis text not null,
    constraint pk_org_succession primary key (org),
    constraint ck_org_succession_another check (org <> successor),
    constraint ck_org_succession_basis check (length(trim(basis)) > 0),
        constraint fk_org_succession_organisation foreign key(org) references ledger.organisation
        (org),
        constraint fk_org_succession_successor foreign key(successor) references
        ledger.organisation (org)
)

create table ledger.duty_party (
    duty text not null,
    org text not null,
    part text not null,
    constraint pk_duty_party primary key (duty, org, part),
    constraint ck_duty_party_part check (part in ('cooperating', 'responsible')),
        constraint fk_duty_party_duty foreign key(duty) references ledger.duty (duty) on delete
        cascade,
    constraint fk_duty_party_organisation foreign key(org) references ledger.organisation (org)
)

create trigger org_succession_is_only_added_to
before update or delete or truncate on ledger.org_succession
for each statement execute function ledger.refuse_change()

create trigger item_claim_is_only_added_to
before update or delete or truncate on ledger.item_claim
for each statement execute function ledger.refuse_change()
