-- How each entry's quarantine stands after its latest run, the oldest row first.
select run_id, entry_id, at, standing, fresh, corrected, gone, released, oldest_at
from (
    select distinct on (entry_id) *
    from ledger.quarantine_ageing
    order by entry_id, at desc, run_id desc
) as latest
where standing > 0
order by oldest_at nulls last, entry_id
