-- How often the source of an entry was asked in a period, and how often it did not answer.
select
    object_id as entry_id,
    count(*) as counted,
    count(*) filter (
        where error_code in ('SRC_UNREACHABLE', 'RUN_SYSTEM_RESTING')
    ) as failed
from ledger.run
where
    kind = 'entry' and state <> 'running'
    and started_at >= :start and started_at < :until
    and (cast(:entry_ids as text[]) is null or object_id = any(:entry_ids))
group by object_id
