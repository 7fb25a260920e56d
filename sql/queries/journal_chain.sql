select
    l.position, j.number, j.at, j.person, j.account, j.role, j.org, j.action, j.object_kind,
    j.object_id, j.reason, j.before, j.after, j.hash, l.hash as link
from ledger.journal as j
left join ledger.journal_link as l using (number)
order by l.position nulls last, j.number
