-- Objections with their present state, oldest first; each parameter that is null is not asked.
-- Those of a page are chosen first, so that the rest is read of them alone.
with page as materialized (
    select one.*, coalesce(latest.state, 'raised') as state,
        coalesce(latest.at, one.raised_at) as since
    from ledger.objection as one
    left join lateral (
        select state, at
        from ledger.objection_step as step
        where step.objection_id = one.objection_id
        order by step.number desc
        limit 1
    ) as latest on true
    where
        (cast(:objection_id as text) is null or one.objection_id = :objection_id)
        and (cast(:source_entry_id as text) is null or one.source_entry_id = :source_entry_id)
        and (cast(:fingerprint as text) is null or one.fingerprint = :fingerprint)
        and (cast(:org as text) is null or :org in (one.raised_org, one.source_org))
        and (cast(:states as text[]) is null or coalesce(latest.state, 'raised') = any(:states))
    order by one.raised_at, one.objection_id
    limit cast(:limit as bigint) offset :offset
)
select
    one.objection_id, one.origin, one.raised_org, one.raised_at, one.profile, one.authority,
    one.entry_id, one.column_name, one.key_masked, one.source_entry_id, one.source_org, one.summary,
    one.merged_into, one.state, one.since,
    exists (
        select 1
        from ledger.objection_step as step
        where step.objection_id = one.objection_id and step.state = 'corrected'
    ) as corrected,
    joined.number as joined,
    joined.orgs as joined_orgs
from page as one
cross join lateral (
    select
        count(*) as number,
        coalesce(array_agg(distinct other.raised_org), '{}'::text[]) as orgs
    from ledger.objection as other
    where other.merged_into = one.objection_id
) as joined
order by one.raised_at, one.objection_id
