-- Each entry's last publication: when its data were pulled, and when they became visible.
select distinct on (done.object_id)
    done.object_id as entry_id,
    done.run_id,
    coalesce(receipt.pulled_at, done.committed_at) as pulled_at,
    done.committed_at,
    done.rows
from ledger.library_commit as done
left join ledger.pull_receipt as receipt
    on receipt.run_id = done.run_id and receipt.entry_id = done.object_id
where done.layer = 'unified'
order by done.object_id, done.committed_at desc, done.run_id desc
