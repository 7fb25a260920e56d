-- What a run published: its commits to the library, by object.
select
    run_id, object_id, layer, table_name, version, entry_version,
    read, inserted, updated, unchanged, deleted, quarantined, superseded, rows,
    content_digest, committed_at
from ledger.library_commit
where run_id = :run_id
order by object_id
