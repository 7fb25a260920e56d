-- Use of e-licences in a period: calls, verifications, and materials saved: each material of a case
-- that a called licence, or one verified as valid, stood in for (免证办), counted once.
select
    count(*) filter (where channel = 'licence_call') as calls,
    count(*) filter (where channel = 'licence_verification') as verifications,
    count(distinct (case_no, material))
        filter (where case_no is not null and material is not null and rows > 0)
        as materials_saved
from ledger.use_record
where
    channel in ('licence_call', 'licence_verification')
    and outcome = 'served'
    and at >= cast(:since as timestamptz)
    and at < cast(:until as timestamptz)
