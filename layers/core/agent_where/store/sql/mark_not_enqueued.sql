-- The queue did not take these undecided signals: as if it had been long ago, and as if it had not
-- been tried, so that the next reconcile sends them.
UPDATE signals SET enqueued_at = 'epoch', enqueue_count = greatest(enqueue_count - 1, 0)
WHERE id = ANY (CAST(:ids AS uuid[])) AND decided_at IS NULL
RETURNING id;
