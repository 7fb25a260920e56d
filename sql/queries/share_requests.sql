-- Requests with their grants, those that wait for a decision first and of them the oldest.
select
    request.request_id, request.kind, request.state, request.consumer_org,
    request.form ->> 'object_id' as object_id, request.filed_at, request.received_at,
    request.decided_at, given.grant_id, given.state as grant_state
from ledger.share_request as request
left join ledger.share_grant as given on given.request_id = request.request_id
where
    (cast(:org as text) is null or request.consumer_org = :org)
    and (cast(:state as text) is null or request.state = :state)
order by request.state <> 'submitted', request.received_at nulls last, request.request_id
