-- What moves when figures of a period may have moved: another run began, was judged, published or
-- ended, or the period was frozen. Each is one look into an index.
select
    (select max(started_at) from ledger.run) as begun,
    (select max(finished_at) from ledger.run) as ended,
    (select max(decided_at) from ledger.verdict) as judged,
    (select max(committed_at) from ledger.library_commit) as published,
    (select digest from ledger.frozen_period where period = :period) as frozen
