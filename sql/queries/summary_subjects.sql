select subject_id, run_id, version, rows, entries, rows_in, contributed, not_linked
from ledger.subject_latest
order by subject_id
