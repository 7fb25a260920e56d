-- The checks of a verdict, the worst first.
select
    check_id, kind, dimension, severity, columns, counted, failed, text_zh, text_en, threshold,
    waived, waivers
from ledger.check_result
where run_id = :run_id and entry_id = :entry_id
order by failed desc, check_id
