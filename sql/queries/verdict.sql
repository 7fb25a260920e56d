-- An entry's verdict in a run; without a run id, its latest.
select run_id, entry_id, rows, quarantined, passed, max_quarantined_share, decided_at, blocked_by
from ledger.verdict
where entry_id = :entry_id and run_id = coalesce(:run_id, run_id)
order by decided_at desc, run_id desc
limit 1
