-- All steps of an objection, in their order, with the names of those who took them.
select
    step.state, step.at, coalesce(known.name, step.person) as person, step.role, step.org,
    step.note, step.run_id, step.table_version
from ledger.objection_step as step
left join ledger.account as known on known.account = split_part(step.account, ':', 1)
where step.objection_id = :objection_id
order by step.number
