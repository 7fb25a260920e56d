-- Over all entries, each by its latest verdict.
select
    dimension,
    sum(checks)::bigint as checks,
    sum(counted)::bigint as counted,
    sum(failed)::bigint as failed
from ledger.quality_latest
group by dimension
order by dimension
