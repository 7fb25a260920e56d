-- Protected systems and incidents. Statements are separated by empty lines.
create table ledger.protected_system (
    system_id text not null,
    name text not null,
    responsible_org text not null,
    mlps_level integer not null,
    mlps_filing_no text,
    mlps_assessed_on date,
    kept_account text not null,
    kept_at timestamp with time zone not null,
    constraint pk_protected_system primary key (system_id),
    constraint ck_protected_system_mlps_level check (mlps_level between 1 and 5),
        constraint ck_protected_system_filed check (mlps_level = 1 or
        length(trim(coalesce(mlps_filing_no, ''))) > 0)
)

create table ledger.security_incident (
    incident bigint generated always as identity,
    system_id text not null,
    title text not null,
    found_at timestamp with time zone not null,
    constraint pk_security_incident primary key (incident),
        constraint fk_security_incident_protected_system foreign key(system_id) references
        ledger.protected_system (system_id)
)

create table ledger.incident_step (
    incident bigint not null,
    phase text not null,
    done_at timestamp with time zone not null,
    text text not null,
    person text not null,
    account text not null,
    constraint pk_incident_step primary key (incident, phase),
    constraint ck_incident_step_text check (length(trim(text)) > 0),
        constraint ck_incident_step_phase check (phase in ('prevention', 'monitoring',
        'notification', 'response', 'disposal')),
        constraint fk_incident_step_security_incident foreign key(incident) references
        ledger.security_incident (incident)
)

create trigger incident_step_is_only_added_to
before update or delete or truncate on ledger.incident_step
for each statement execute function ledger.refuse_change()
