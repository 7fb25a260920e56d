-- Rows that were validated and set aside on each day in Beijing of a period, the earliest first.
select
    cast(decided_at at time zone 'Asia/Shanghai' as date) as day,
    sum(rows)::bigint as rows,
    sum(quarantined)::bigint as quarantined
from ledger.verdict
where
    decided_at >= :start and decided_at < :until
    and (cast(:entry_ids as text[]) is null or entry_id = any(:entry_ids))
group by day
order by day
