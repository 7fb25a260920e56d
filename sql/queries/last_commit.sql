-- The latest publication of an entry or a subject.
select
    run_id, object_id, layer, table_name as table, version, read, inserted, updated, unchanged,
    deleted, quarantined, superseded, rows, committed_at, entry_version, content_digest,
    removals
from ledger.library_commit
where object_id = :object_id
order by version desc, committed_at desc
limit 1
