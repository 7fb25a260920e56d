-- Every published entry, with its table in force where there is one.
select
    v.entry_id, v.name, v.provider_org as owner, :custodian as custodian,
    c.table_name as location, c.version as table_version, c.rows, c.committed_at
from ledger.catalog_version as v
left join lateral (
    select table_name, version, rows, committed_at
    from ledger.library_commit
    where object_id = v.entry_id and layer = 'unified'
    order by committed_at desc, run_id desc
    limit 1
) as c on true
where v.state = 'published'
order by v.entry_id
