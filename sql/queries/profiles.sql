-- Column profiles of an entry in a run; without a run id, in the latest passed one before a moment.
with chosen as (
    select verdict.run_id
    from ledger.verdict as verdict
    join ledger.pull_receipt as receipt
        on receipt.run_id = verdict.run_id and receipt.entry_id = verdict.entry_id
    where verdict.entry_id = :entry_id
        and (
            verdict.run_id = :run_id
            or (cast(:run_id as text) is null and verdict.passed and receipt.pulled_at < :before)
        )
    order by receipt.pulled_at desc, verdict.run_id desc
    limit 1
)

select
    profile.field, profile.rows, profile.nulls, profile.unreadable, profile.distinct,
    profile.minimum, profile.maximum, profile.shortest, profile.longest, profile.top
from ledger.column_profile as profile
join chosen on chosen.run_id = profile.run_id
where profile.entry_id = :entry_id
order by profile.field
