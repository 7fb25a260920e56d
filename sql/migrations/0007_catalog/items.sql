-- Service items, published lists, slots and links. Statements are separated by empty lines.
create table ledger.guide_link (
    implementation_code text not null,
    power_row text not null,
    constraint pk_guide_link primary key (implementation_code, power_row)
)

create table ledger.item_slot (
    implementation_code text not null,
    slot text not null,
    text text not null,
    online_digest text not null,
    offline_digest text,
    updated_at timestamp with time zone not null,
    constraint pk_item_slot primary key (implementation_code, slot)
)

create table ledger.item_version (
    implementation_code text not null,
    version bigint not null,
    basic_code text not null,
    org text not null,
    name text not null,
    content jsonb not null,
    digest text not null,
    is_online boolean not null,
    is_cancelled boolean not null,
    legal_basis text not null,
    changed_account text not null,
    published_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    constraint pk_item_version primary key (implementation_code, version),
    constraint ck_item_version_legal_basis check (length(trim(legal_basis)) > 0),
    constraint ck_item_version_period check (ended_at >= published_at)
)

create index ix_item_version_basic_code
on ledger.item_version (basic_code)

create unique index ix_item_version_in_force
on ledger.item_version (implementation_code) where ended_at is null

create index ix_item_version_org
on ledger.item_version (org)

create table ledger.published_list (
    kind text not null,
    org text not null,
    version bigint not null,
    published_on date not null,
    basis text not null,
    digest text not null,
    published_account text not null,
    constraint pk_published_list primary key (kind, org, version),
    constraint ck_published_list_basis check (length(trim(basis)) > 0)
)

create table ledger.published_list_row (
    kind text not null,
    org text not null,
    version bigint not null,
    row_key text not null,
    content jsonb not null,
    constraint pk_published_list_row primary key (kind, org, version, row_key),
        constraint fk_published_list_row_published_list foreign key(kind, org, version) references
        ledger.published_list (kind, org, version)
)

create trigger published_list_is_only_added_to
before update or delete or truncate on ledger.published_list
for each statement execute function ledger.refuse_change()

create trigger published_list_row_is_only_added_to
before update or delete or truncate on ledger.published_list_row
for each statement execute function ledger.refuse_change()
