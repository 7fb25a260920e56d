-- Unified tables with the version that was in force at a moment: the last one committed before it.
select distinct on (table_name) table_name, version
from ledger.library_commit
where layer = 'unified' and committed_at < :until
order by table_name, committed_at desc, version desc
