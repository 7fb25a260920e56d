select
    entry_id, department_id, run_id, state, read, published, quarantined, superseded, version,
    rows, error_code
from ledger.entry_latest
order by entry_id
