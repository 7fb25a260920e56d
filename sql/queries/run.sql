select
    run_id, object_id, kind, state, release_id, object_version, nominal_at, started_at,
    finished_at, stage, error_code, error_message
from ledger.run
where run_id = :run_id and object_id = :object_id
