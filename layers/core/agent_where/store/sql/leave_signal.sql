-- A signal that others trade: as if it had never been taken in here.
UPDATE signals SET received_at = NULL, enqueued_at = NULL WHERE id = CAST(:id AS uuid) AND decided_at IS NULL RETURNING id;
