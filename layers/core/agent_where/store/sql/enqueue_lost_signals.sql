-- Undecided signals whose message seems lost, oldest first, marked as put on the queue now. Each
-- time it takes twice as long, up to an hour, so that a signal nobody can decide does not flood.
UPDATE signals s
SET enqueued_at = now(), enqueue_count = s.enqueue_count + 1
FROM (
    SELECT id FROM signals
    WHERE decided_at IS NULL AND received_at IS NOT NULL
      AND coalesce(enqueued_at, received_at) < now() - least(interval '1 hour', interval '90 seconds' * power(2, least(enqueue_count, 10)))
    ORDER BY received_at
    LIMIT :at_most
    FOR UPDATE SKIP LOCKED
) lost
WHERE s.id = lost.id
RETURNING s.id, s.agent_id, s.enqueue_count;
