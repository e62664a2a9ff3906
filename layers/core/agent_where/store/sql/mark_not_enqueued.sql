-- The queue did not take an undecided signal's id: as if it had been long ago, so that the next
-- reconcile sends it.
UPDATE signals SET enqueued_at = 'epoch' WHERE id = CAST(:id AS uuid) AND decided_at IS NULL;
