-- What was refused, newest first.
select
    run_id, object_id, item, code, stage, found, expected, remedy, refused_at
from ledger.refusal
order by refused_at desc, run_id, object_id, item, code
limit :limit
