-- What each entry gave to a subject in a run.
select entry_id, entry_table_version, rows_in, contributed, not_linked, reasons
from ledger.subject_contribution
where run_id = :run_id and subject_id = :subject_id
order by entry_id
