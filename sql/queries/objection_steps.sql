-- All steps of an objection, in their order.
select state, at, person, role, org, note, run_id, table_version
from ledger.objection_step
where objection_id = :objection_id
order by number
