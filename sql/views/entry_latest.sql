-- Each entry's latest run, and the version of its unified table that readers see now.
-- read, quarantined: null when the run did not come so far; published: 0 when it did not publish.
create view ledger.entry_latest as
select distinct on (run.object_id)
    run.object_id as entry_id,
    receipt.department_id,
    run.run_id,
    run.state,
    run.started_at,
    run.finished_at,
    run.error_code,
    receipt.rows as read,
    coalesce(done.inserted + done.updated + done.unchanged, 0) as published,
    verdict.quarantined,
    coalesce(done.superseded, 0) as superseded,
    visible.version,
    visible.rows
from ledger.run
left join ledger.pull_receipt as receipt
    on receipt.run_id = run.run_id and receipt.entry_id = run.object_id
left join ledger.verdict
    on verdict.run_id = run.run_id and verdict.entry_id = run.object_id
left join ledger.library_commit as done
    on done.run_id = run.run_id and done.object_id = run.object_id
left join lateral (
    select version, rows
    from ledger.library_commit as latest
    where latest.object_id = run.object_id
    order by latest.version desc, latest.committed_at desc
    limit 1
) as visible on true
where run.kind = 'entry'
order by run.object_id, run.started_at desc, run.run_id desc
