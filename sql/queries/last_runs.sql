-- The latest runs, newest first; without an object id, of all objects.
select
    run_id, object_id, kind, state, release_id, object_version, nominal_at, started_at,
    finished_at, stage, error_code, error_message
from ledger.run
where object_id = coalesce(:object_id, object_id)
order by started_at desc, run_id desc, object_id
limit :limit
