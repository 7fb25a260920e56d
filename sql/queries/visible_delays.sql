-- Each entry's last publication that brought something new: its newest stamp, pull, and visibility.
select distinct on (done.object_id)
    done.object_id as entry_id,
    receipt.reached,
    receipt.pulled_at,
    done.committed_at
from ledger.library_commit as done
join ledger.pull_receipt as receipt
    on receipt.run_id = done.run_id and receipt.entry_id = done.object_id
where done.layer = 'unified' and done.inserted + done.updated > 0
order by done.object_id, done.committed_at desc, done.run_id desc
