-- Objections with their present state, oldest first; each parameter that is null is not asked.
select
    one.objection_id, one.origin, one.raised_org, one.raised_at, one.profile, one.authority,
    one.entry_id, one.column_name, one.key_masked, one.source_entry_id, one.source_org, one.summary,
    one.merged_into,
    coalesce(latest.state, 'raised') as state,
    coalesce(latest.at, one.raised_at) as since,
    exists (
        select 1
        from ledger.objection_step as step
        where step.objection_id = one.objection_id and step.state = 'corrected'
    ) as corrected,
    joined.number as joined,
    joined.orgs as joined_orgs
from ledger.objection as one
left join lateral (
    select state, at
    from ledger.objection_step as step
    where step.objection_id = one.objection_id
    order by step.number desc
    limit 1
) as latest on true
cross join lateral (
    select
        count(*) as number,
        coalesce(array_agg(distinct other.raised_org), '{}'::text[]) as orgs
    from ledger.objection as other
    where other.merged_into = one.objection_id
) as joined
where
    one.objection_id = coalesce(:objection_id, one.objection_id)
    and one.source_entry_id = coalesce(:source_entry_id, one.source_entry_id)
    and one.fingerprint = coalesce(:fingerprint, one.fingerprint)
    and (cast(:org as text) is null or :org in (one.raised_org, one.source_org))
    and (cast(:states as text[]) is null or coalesce(latest.state, 'raised') = any(:states))
order by one.raised_at, one.objection_id
