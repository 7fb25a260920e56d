-- Entries that a run validated.
select entry_id
from ledger.verdict
where run_id = :run_id
