-- Each subject's latest commit, with what its entries gave and what could not be linked.
create view ledger.subject_latest as
select distinct on (latest.object_id)
    latest.object_id as subject_id,
    latest.run_id,
    latest.version,
    latest.rows,
    latest.committed_at,
    given.entries,
    given.rows_in,
    given.contributed,
    given.not_linked
from ledger.library_commit as latest
left join lateral (
    select
        count(*) as entries,
        coalesce(sum(rows_in), 0)::bigint as rows_in,
        coalesce(sum(contributed), 0)::bigint as contributed,
        coalesce(sum(not_linked), 0)::bigint as not_linked
    from ledger.subject_contribution as contribution
    where contribution.run_id = latest.run_id and contribution.subject_id = latest.object_id
) as given on true
where latest.layer = 'subject'
order by latest.object_id, latest.version desc, latest.committed_at desc
