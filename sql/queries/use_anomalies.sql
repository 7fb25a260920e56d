-- Unusual use of one day (Beijing), a row a grant and kind: volume against the thirty days before,
-- calls at night (0 to 6), and enumeration (many different keys, or many refusals). Key links of
-- the city (licences, identity) are flagged at a third of the volume (S003 二(九)).
with day as (
    select
        grant_id, object_id, consumer_org,
        count(*) as calls,
        count(*) filter (where outcome = 'denied') as refused,
        count(*) filter (
            where extract(hour from at at time zone 'Asia/Shanghai') < 6
            and channel not in ('file', 'exchange')
        ) as at_night,
        coalesce(sum(cardinality(row_keys)), 0) as keys
    from ledger.use_record
    where at >= :day_from and at < :day_until
    group by grant_id, object_id, consumer_org
),
before as (
    select grant_id, count(*) / 30.0 as calls
    from ledger.use_record
    where at >= cast(:day_from as timestamptz) - interval '30 days' and at < :day_from
    group by grant_id
),
judged as (
    select
        day.*,
        coalesce(before.calls, 0) as usual,
        case when day.object_id ~ :key_links then 1 else 3 end as patience
    from day
    left join before using (grant_id)
)
select grant_id, object_id, consumer_org, 'volume' as kind, calls as counted, usual
from judged
where calls > greatest(100, 10 * usual) * patience
union all
select grant_id, object_id, consumer_org, 'hour', at_night, 0
from judged
where at_night > 20 * patience
union all
select grant_id, object_id, consumer_org, 'enumeration', greatest(keys, refused), usual
from judged
where keys > 1000 * patience or refused > 50 * patience
order by grant_id, kind
