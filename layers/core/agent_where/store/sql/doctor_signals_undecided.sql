-- Signals that were taken in and are not decided after five minutes.
SELECT s.id::text AS id, s.received_at AS since, count(*) OVER () AS total,
       concat_ws(' ', s.action, s.side, s.token_symbol, 'of agent', s.agent_id, 'enqueued again', s.enqueue_count, 'times') AS detail
FROM signals s
WHERE s.decided_at IS NULL AND s.received_at < now() - interval '5 minutes'
ORDER BY s.received_at LIMIT :at_most;
