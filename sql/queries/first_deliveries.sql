-- When the source was first read for what readers could then see, by entry.
select done.object_id as entry_id, min(coalesce(receipt.pulled_at, done.committed_at)) as pulled_at
from ledger.library_commit as done
left join ledger.pull_receipt as receipt
    on receipt.run_id = done.run_id and receipt.entry_id = done.object_id
where done.layer = 'unified'
group by done.object_id
