-- Orders that wait for the end of one that has ended, or whose position is closed.
SELECT o.id::text AS id, greatest(a.settled_at, p.closed_at, o.created_at) AS since, count(*) OVER () AS total,
       concat_ws(' ', o.purpose, 'waits for', coalesce('order ' || a.id || ', ' || a.status, 'position ' || p.id || ', ' || p.status)) AS detail
FROM venue_orders o
LEFT JOIN venue_orders a ON a.id = o.after_order_id
LEFT JOIN positions p ON p.id = o.position_id
WHERE o.status = 'PLANNED' AND o.due_at IS NULL
  AND (a.settled_at < now() - interval '5 minutes' OR p.closed_at < now() - interval '5 minutes')
ORDER BY o.created_at LIMIT :at_most;
