-- Grants in force: what they are on, which columns, for whom.
select grant_id, object_id, consumer_org, columns
from ledger.share_grant
where state in ('approved', 'open', 'suspended')
order by grant_id
