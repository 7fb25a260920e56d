-- The newest calls of a grant, served and denied.
select used.at, used.channel, used.purpose_code, used.case_no, used.rows, used.outcome, used.reason
from ledger.use_record as used
where used.grant_id = :grant_id
order by used.at desc, used.number desc
limit :limit
