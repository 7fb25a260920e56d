-- What happened with a system since it last answered, oldest first.
select connection_id, happened_at, run_id, object_id, outcome
from ledger.contact
where
    connection_id = :connection_id
    and happened_at > coalesce(
        (
            select max(happened_at) from ledger.contact
            where connection_id = :connection_id and outcome = 'reached'
        ),
        '-infinity'
    )
order by happened_at, run_id, object_id, outcome
