select
    run_id, entry_id, department_id, connection_id, system_kind, place, rows, bytes, digest,
    source_digest, new_columns, pulled_at, mode, since, reached
from ledger.pull_receipt
where run_id = :run_id and entry_id = :entry_id
