-- Complete steps that lineage told of the entries' own jobs: of how many runs, the first and the last.
select job, count(distinct run_uuid) as times, min(at) as first_at, max(at) as last_at
from ledger.lineage_event
where kind = 'COMPLETE' and job ~ '\.(pull|validate|publish)$'
group by job
