select run_id, object_id, kind, reason, decided_by, decided_at, facts
from ledger.decision
where run_id = :run_id and object_id = :object_id and kind = :kind
