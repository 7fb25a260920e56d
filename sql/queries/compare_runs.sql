-- Checks of the entries that both runs validated which came out otherwise; null: not checked.
with both_runs as (
    select entry_id
    from ledger.verdict
    where run_id in (:before, :after) and entry_id = coalesce(:entry_id, entry_id)
    group by entry_id
    having count(distinct run_id) = 2
)
select
    coalesce(older.entry_id, newer.entry_id) as entry_id,
    coalesce(older.check_id, newer.check_id) as check_id,
    coalesce(newer.text_zh, older.text_zh) as text_zh,
    older.counted as counted_before,
    older.failed as failed_before,
    newer.counted as counted_after,
    newer.failed as failed_after
from (select * from ledger.check_result where run_id = :before) as older
full join (select * from ledger.check_result where run_id = :after) as newer
    using (entry_id, check_id)
where coalesce(older.entry_id, newer.entry_id) in (select entry_id from both_runs)
    and (older.failed is distinct from newer.failed)
order by entry_id, check_id
