-- An order that something missing keeps from being sent, and that nobody will mend at once: the longer it has been
-- wanted, the later it is tried again. Why stands with it until it is sent or ends.
UPDATE venue_orders
SET detail = :detail,
    due_at = now() + least(interval '15 minutes', greatest(interval '30 seconds', now() - created_at))
WHERE id = CAST(:id AS uuid) AND status = 'PLANNED' AND due_at <= now()
RETURNING ceil(extract(epoch FROM due_at - now()))::int AS seconds;
