-- Bodies that received an entry's data from a version older than the given one, and by which grant:
-- by deliveries and by calls, of the entry's own table and of the subjects that it contributes to.
with given as (
    select cast(:entry_id as text) as object_id, version as table_version
    from ledger.library_commit
    where object_id = :entry_id and version < :version
    union
    select built.object_id, built.version
    from ledger.subject_contribution as part
    inner join ledger.library_commit as built
        on built.run_id = part.run_id and built.object_id = part.subject_id
    where part.entry_id = :entry_id and part.entry_table_version < :version
)
select grant_.consumer_org as org, grant_.grant_id as through
from ledger.share_delivery as delivery
inner join ledger.share_grant as grant_ using (grant_id)
inner join given
    on given.object_id = grant_.object_id and given.table_version = delivery.table_version
where delivery.state = 'delivered'
union
select call.consumer_org, call.grant_id
from ledger.use_record as call
inner join given
    on given.object_id = call.object_id and given.table_version = call.table_version
where call.outcome = 'served'
order by org, through
