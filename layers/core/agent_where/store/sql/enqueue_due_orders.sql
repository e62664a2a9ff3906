-- PLANNED orders that are due and that no message seems to carry, marked as put on the queue now.
UPDATE venue_orders o
SET enqueued_at = now()
FROM (
    SELECT id FROM venue_orders
    WHERE status = 'PLANNED' AND due_at <= now()
      AND (enqueued_at IS NULL OR enqueued_at < now() - interval '90 seconds')
    ORDER BY due_at
    LIMIT :at_most
    FOR UPDATE SKIP LOCKED
) lost
WHERE o.id = lost.id
RETURNING o.id, o.account, o.venue, true AS due;
