-- Runs that have begun and not ended, as far as the ledger was told; the oldest first.
select
    run_id, object_id, kind, state, release_id, object_version, nominal_at, started_at,
    finished_at, stage, error_code, error_message
from ledger.run
where state = 'running'
order by started_at, run_id, object_id
