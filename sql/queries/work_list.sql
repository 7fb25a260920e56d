-- What waits for somebody, the earliest last day first, then the oldest: entries, requests and
-- grants by state (none: not theirs), objections, and other clocks that their body holds.
-- `groups` are the clocks that run with their last day; of several of one object the most urgent
-- counts. `total` and the colours count all that waits, also behind `limit`.
with task as materialized (
    select
        'catalog_entry' as kind, entry_id as object_id, name as title, state,
        coalesce(submitted_at, edited_at) as since
    from ledger.catalog_version
    where
        state = any(cast(:entry_states as text[]))
        and (cast(:entry_org as text) is null or provider_org = :entry_org)
    union all
    select
        'share_request', request_id, null, state, coalesce(received_at, filed_at)
    from ledger.share_request
    where
        state = any(cast(:request_states as text[]))
        and (cast(:provider as text) is null or provider_orgs @> array[cast(:provider as text)])
        and (cast(:consumer as text) is null or consumer_org = :consumer)
        and not (:unconsented and consented_by is not null)
    union all
    select 'share_grant', grant_id, grant_id, state, null
    from ledger.share_grant
    where state = any(cast(:grant_states as text[]))
    union all
    select 'objection', objection_id, summary, state, since
    from (
        select
            one.*, coalesce(latest.state, 'raised') as state,
            coalesce(latest.at, one.raised_at) as since
        from ledger.objection as one
        left join (
            select distinct on (objection_id) objection_id, state, at
            from ledger.objection_step
            order by objection_id, number desc
        ) as latest using (objection_id)
    ) as objection
    where
        state = any(cast(:waits as text[]))
        or (state = any(cast(:waits_as_source as text[])) and source_org = :org)
        or (
            state = any(cast(:waits_as_objector as text[]))
            and (raised_org = :org or exists (
                select 1
                from ledger.objection as other
                where other.merged_into = objection.objection_id and other.raised_org = :org
            ))
        )
),
due as materialized (
    select *
    from jsonb_to_recordset(cast(:groups as jsonb)) as given (
        number int, profile text, promise text, holder_org text, course text, due_on date,
        colour text
    )
),
running as materialized (
    select
        one.clock_id, one.object_kind, one.object_id, one.holder_org,
        due.number, due.due_on, due.colour
    from ledger.clock_course as one
    inner join due using (profile, promise, holder_org, course)
    where one.clock_id = any(array(
        select clock_id
        from ledger.clock
        where
            closed_at is null
            and (holder_org = :org or object_id in (select object_id from task))
    ))
),
nearest as (
    select distinct on (object_id) object_id, number, due_on, colour
    from running
    order by object_id, due_on, clock_id
),
timed as (
    select task.*, null as clock_id, nearest.number, nearest.due_on, nearest.colour
    from task
    left join nearest using (object_id)
    union all
    select
        running.object_kind, running.object_id, null, null, clock.received_at,
        running.clock_id, running.number, running.due_on, running.colour
    from running
    inner join ledger.clock using (clock_id)
    where
        running.holder_org = :org
        and not exists (select 1 from task where task.object_id = running.object_id)
)
select
    shown.kind, shown.object_id, shown.state, shown.since, shown.clock_id, shown.number,
    shown.total, shown.red, shown.yellow, shown.green,
    coalesce(shown.title, nullif(request.form ->> 'scenario', ''), shown.object_id) as title
from (
    select
        *,
        count(*) over () as total,
        count(*) filter (where colour = 'red') over () as red,
        count(*) filter (where colour = 'yellow') over () as yellow,
        count(*) filter (where colour = 'green') over () as green
    from timed
    order by due_on nulls last, since nulls first, object_id
    limit :limit
) as shown
-- The form of a request is read of those alone that are shown.
left join ledger.share_request as request
    on shown.kind = 'share_request' and request.request_id = shown.object_id
order by shown.due_on nulls last, shown.since nulls first, shown.object_id
