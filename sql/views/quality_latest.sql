-- Per entry and quality dimension (GB/T 36344-2018): what the latest verdict's checks counted and
-- how much of it failed. A score is 1 - failed / counted; both numbers are shown beside it.
create view ledger.quality_latest as
with latest as (
    select distinct on (entry_id) entry_id, run_id
    from ledger.verdict
    order by entry_id, decided_at desc, run_id desc
)
select
    result.entry_id,
    result.run_id,
    result.dimension,
    count(*) as checks,
    sum(result.counted)::bigint as counted,
    sum(result.failed)::bigint as failed
from ledger.check_result as result
inner join latest using (entry_id, run_id)
group by result.entry_id, result.run_id, result.dimension
