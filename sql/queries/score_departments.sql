-- Whose data an entry was when it was last pulled in a period.
select distinct on (entry_id) entry_id, department_id
from ledger.pull_receipt
where
    pulled_at >= :start and pulled_at < :until
    and (cast(:entry_ids as text[]) is null or entry_id = any(:entry_ids))
order by entry_id, pulled_at desc
