-- Who used a row: calls that served it by its key, and calls that served a whole projection which
-- may hold it (is_whole); the grant's row scope says whether it does.
select
    used.at, used.number, used.grant_id, granted.request_id, used.channel, used.requester,
    used.consumer_org, used.purpose_code, used.case_no, used.table_version, used.run_id,
    used.columns, granted.provider_orgs, granted.decided_by, granted.opened_by,
    granted.row_scope, used.row_keys is null as is_whole
from ledger.use_record as used
inner join ledger.share_grant as granted using (grant_id)
where
    used.object_id = :object_id
    and used.outcome = 'served'
    and (used.row_keys is null or used.row_keys @> array[:row_key])
order by used.at, used.number
