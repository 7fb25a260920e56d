-- How many clocks run by what they have in common.
select profile, promise, holder_org, course, count(*) as clocks
from ledger.clock_course
where closed_at is null
group by profile, promise, holder_org, course
