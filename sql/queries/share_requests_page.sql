-- One page of requests that concern a body (null: all), those that wait for a decision first and
-- of them the oldest; `total` counts all.
select
    request.request_id, request.state, request.consumer_org,
    request.form ->> 'object_id' as object_id, request.received_at,
    given.grant_id, given.state as grant_state, count(*) over () as total
from ledger.share_request as request
left join ledger.share_grant as given on given.request_id = request.request_id
where
    (cast(:org as text) is null or request.consumer_org = :org or (
        request.state <> 'draft' and request.provider_orgs @> array[cast(:org as text)]
    ))
    and (request.state <> 'draft' or request.consumer_org = :own)
order by request.state <> 'submitted', request.received_at nulls last, request.request_id
limit :limit offset :offset
