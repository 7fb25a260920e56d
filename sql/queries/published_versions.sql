-- Every table version that a recorded run published.
select distinct table_name, version
from ledger.library_commit
order by table_name, version
