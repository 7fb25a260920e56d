-- What the checks of a period counted and how much of it failed, by entry and quality dimension.
-- Timeliness is left out: a delivery that never came has no run (score_deliveries.sql).
select
    entry_id,
    dimension,
    sum(counted)::bigint as counted,
    sum(failed)::bigint as failed,
    sum(waived)::bigint as waived
from ledger.run_dimension
where
    decided_at >= :start and decided_at < :until
    and dimension <> 'timeliness'
    and (cast(:entry_ids as text[]) is null or entry_id = any(:entry_ids))
group by entry_id, dimension
