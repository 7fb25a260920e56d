-- An entry's checks by its latest verdict, the worst first.
select result.check_id, result.kind, result.dimension, result.severity, result.columns,
    result.counted, result.failed, result.text_zh
from ledger.check_result as result
where
    result.entry_id = :entry_id
    and result.run_id = (
        select run_id
        from ledger.verdict
        where entry_id = :entry_id
        order by decided_at desc, run_id desc
        limit 1
    )
order by result.failed desc, result.check_id
