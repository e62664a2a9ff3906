-- A person says that an execution is none of ours: the user's own hand, or settled otherwise.
UPDATE unowned_fills
SET decision = 'IGNORED', reason = :reason, decided_by = :decided_by, decided_at = now()
WHERE id = CAST(:id AS uuid) AND decision IS NULL
RETURNING id;
