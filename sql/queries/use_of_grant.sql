-- What a grant was given: every call, served and denied, with what was served.
select
    used.at, used.number, used.channel, used.requester, used.purpose_code, used.case_no,
    used.table_version, used.run_id, used.columns, used.rows, used.bytes, used.digest,
    used.outcome, used.reason, granted.request_id, granted.purpose, granted.provider_orgs,
    granted.decided_by, granted.opened_by, granted.consumer_org
from ledger.use_record as used
inner join ledger.share_grant as granted using (grant_id)
where used.grant_id = :grant_id
order by used.at, used.number
