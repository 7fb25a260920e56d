-- Checks that some row failed in a period, by entry, the worst first.
select
    result.entry_id,
    result.check_id,
    max(result.dimension) as dimension,
    max(result.text_zh) as text_zh,
    max(result.text_en) as text_en,
    count(*) as runs,
    sum(result.counted)::bigint as counted,
    sum(result.failed)::bigint as failed,
    sum(result.waived)::bigint as waived
from ledger.verdict
inner join ledger.check_result as result using (run_id, entry_id)
where
    verdict.decided_at >= :start and verdict.decided_at < :until
    and result.failed > 0
    and (cast(:entry_ids as text[]) is null or result.entry_id = any(:entry_ids))
group by result.entry_id, result.check_id
order by failed desc, result.entry_id, result.check_id
