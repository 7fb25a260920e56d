-- What the latest pull of an entry brought.
select
    run_id, entry_id, department_id, connection_id, system_kind, place, rows, bytes, digest,
    source_digest, new_columns, pulled_at, mode, since, reached
from ledger.pull_receipt
where entry_id = :entry_id
order by pulled_at desc, run_id desc
limit 1
