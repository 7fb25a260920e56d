-- Use of e-licences in a period: calls, verifications, and materials saved: a call or a positive
-- verification stands in for one material of one case (免证办), counted once a case and licence.
select
    count(*) filter (where channel = 'licence_call') as calls,
    count(*) filter (where channel = 'licence_verification') as verifications,
    count(distinct (case_no, row_keys)) filter (where case_no is not null and rows > 0)
        as materials_saved
from ledger.use_record
where
    channel in ('licence_call', 'licence_verification')
    and outcome = 'served'
    and at >= cast(:since as timestamptz)
    and at < cast(:until as timestamptz)
