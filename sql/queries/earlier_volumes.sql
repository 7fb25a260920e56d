-- Rows of an entry's full pulls that passed validation before a moment, newest first.
select receipt.rows
from ledger.pull_receipt as receipt
join ledger.verdict as verdict
    on verdict.run_id = receipt.run_id and verdict.entry_id = receipt.entry_id
where receipt.entry_id = :entry_id
    and receipt.mode = 'full'
    and receipt.pulled_at < :before
    and verdict.passed
order by receipt.pulled_at desc, receipt.run_id desc
limit :most
