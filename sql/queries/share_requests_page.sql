-- One page of requests that concern a body (null: all), those that wait for a decision first and
-- of them the oldest; `total` counts them, `counted` at most.
with concerning as not materialized (
    select *
    from ledger.share_request
    where
        (cast(:org as text) is null or consumer_org = :org or (
            state <> 'draft' and provider_orgs @> array[cast(:org as text)]
        ))
        and (state <> 'draft' or consumer_org = :own)
),
page as (
    select request_id, state, consumer_org, form ->> 'object_id' as object_id, received_at
    from concerning
    order by (state <> 'submitted'), received_at, request_id
    limit :limit offset :offset
)
select
    page.*, given.grant_id, given.state as grant_state,
    (select count(*) from (select 1 from concerning limit :counted) as one) as total
from page
left join ledger.share_grant as given on given.request_id = page.request_id
order by (page.state <> 'submitted'), page.received_at, page.request_id
