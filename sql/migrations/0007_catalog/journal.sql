-- The sealed journal. Statements are separated by empty lines.
alter table ledger.journal drop column previous_hash

create table ledger.journal_waiting (
    number bigint not null,
    constraint pk_journal_waiting primary key (number)
)

create table ledger.journal_link (
    position bigint not null,
    number bigint not null,
    hash text not null,
    constraint pk_journal_link primary key (position),
    constraint fk_journal_link_journal foreign key (number) references ledger.journal (number)
)

create unique index ix_journal_link_number on ledger.journal_link (number)

create table ledger.journal_seal (
    seal bigint not null,
    first_position bigint not null,
    last_position bigint not null,
    hash text not null,
    sealed_at timestamp with time zone not null,
    key_id text not null,
    previous text not null,
    signature text not null,
    constraint pk_journal_seal primary key (seal),
    constraint ck_journal_seal_positions check (last_position >= first_position)
)

insert into ledger.journal_waiting select number from ledger.journal

create trigger journal_is_only_added_to
before update or delete or truncate on ledger.journal
for each statement execute function ledger.refuse_change()

create trigger journal_link_is_only_added_to
before update or delete or truncate on ledger.journal_link
for each statement execute function ledger.refuse_change()

create trigger journal_seal_is_only_added_to
before update or delete or truncate on ledger.journal_seal
for each statement execute function ledger.refuse_change()

create trigger journal_waiting_is_only_added_to
before update or truncate on ledger.journal_waiting
for each statement execute function ledger.refuse_change()

create function ledger.refuse_forgetting() returns trigger language plpgsql as $$
begin
    if not exists (select from ledger.journal_link where number = old.number) then
        raise exception 'record % of the journal is not in the chain yet', old.number
            using errcode = 'integrity_constraint_violation';
    end if;
    return old;
end $$

create trigger linked_first
before delete on ledger.journal_waiting
for each row execute function ledger.refuse_forgetting()
