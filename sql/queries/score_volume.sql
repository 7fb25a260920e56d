-- Volume of a period by entry: validated runs, rows read and quarantined, rows of the last run.
select
    entry_id,
    count(*) as runs,
    sum(rows)::bigint as rows_read,
    sum(quarantined)::bigint as quarantined,
    (array_agg(rows order by decided_at desc, run_id desc))[1] as rows_last,
    (array_agg(run_id order by decided_at desc, run_id desc))[1] as run_last
from ledger.verdict
where
    decided_at >= :start and decided_at < :until
    and (cast(:entry_ids as text[]) is null or entry_id = any(:entry_ids))
group by entry_id
