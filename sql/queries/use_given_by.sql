-- What a department gave to whom, and how often.
select
    consumer_org, object_id, grant_id, channel,
    count(*) as calls,
    sum(rows)::bigint as rows,
    sum(bytes)::bigint as bytes,
    min(at) as first_at,
    max(at) as last_at
from ledger.use_record
where provider_orgs @> array[:org] and outcome = 'served'
group by consumer_org, object_id, grant_id, channel
order by consumer_org, object_id, grant_id, channel
