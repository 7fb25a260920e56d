-- When each system last answered, and when it was last tried.
select
    connection_id,
    max(happened_at) filter (where outcome = 'reached') as reached_at,
    max(happened_at) filter (where outcome <> 'trial') as tried_at
from ledger.contact
group by connection_id
order by connection_id
