-- When the source was read for the last publication of an entry before a moment.
select max(receipt.pulled_at) as pulled_at
from ledger.pull_receipt as receipt
join ledger.library_commit as done
    on done.run_id = receipt.run_id and done.object_id = receipt.entry_id
where receipt.entry_id = :entry_id and receipt.pulled_at < :before
