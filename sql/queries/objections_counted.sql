-- How many objections there are; each parameter that is null is not asked.
select count(*)
from ledger.objection as one
where
    (cast(:source_entry_id as text) is null or one.source_entry_id = :source_entry_id)
    and (cast(:org as text) is null or :org in (one.raised_org, one.source_org))
    and (cast(:states as text[]) is null or coalesce((
        select step.state
        from ledger.objection_step as step
        where step.objection_id = one.objection_id
        order by step.number desc
        limit 1
    ), 'raised') = any(:states))
