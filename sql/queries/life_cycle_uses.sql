-- Tables of the unified database that other jobs read: subjects that are woven, deliveries.
select input ->> 'name' as table_name, count(distinct run_uuid) as times, min(told.at) as first_at,
    max(told.at) as last_at
from ledger.lineage_event as told
cross join lateral jsonb_array_elements(told.event -> 'inputs') as input
where told.kind = 'COMPLETE' and told.job !~ '\.(pull|validate|publish)$'
    and input ->> 'name' like 'unified/%'
group by input ->> 'name'
