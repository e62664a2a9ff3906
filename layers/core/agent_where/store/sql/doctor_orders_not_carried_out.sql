-- Orders that are due and that nobody has carried out for a quarter of an hour, on a queue or not.
SELECT o.id::text AS id, o.due_at AS since, count(*) OVER () AS total,
       concat_ws(' ', o.purpose, o.venue, o.market_name, o.account,
                 CASE WHEN o.enqueued_at IS NULL THEN 'never enqueued' ELSE 'enqueued at ' || o.enqueued_at END) AS detail
FROM venue_orders o
WHERE o.status = 'PLANNED' AND o.due_at < now() - interval '15 minutes'
ORDER BY o.due_at LIMIT :at_most;
