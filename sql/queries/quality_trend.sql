-- The latest validated runs of an entry, oldest first: volume and how much of what was checked
-- was right.
select verdict.run_id, verdict.decided_at, verdict.rows, verdict.quarantined, verdict.passed,
    coalesce(sum(result.counted), 0)::bigint as counted,
    coalesce(sum(result.failed), 0)::bigint as failed
from (
    select *
    from ledger.verdict
    where entry_id = :entry_id
    order by decided_at desc, run_id desc
    limit :limit
) as verdict
left join ledger.check_result as result using (run_id, entry_id)
group by verdict.run_id, verdict.decided_at, verdict.rows, verdict.quarantined, verdict.passed
order by verdict.decided_at, verdict.run_id
