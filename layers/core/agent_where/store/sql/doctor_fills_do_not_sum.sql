-- FILLED orders whose stored fills are not what they say was executed.
SELECT o.id::text AS id, o.settled_at AS since, count(*) OVER () AS total,
       concat('filled ', o.filled_size, ', its fills sum to ', coalesce(f.size, 0)) AS detail
FROM venue_orders o
LEFT JOIN LATERAL (SELECT sum(size) AS size FROM venue_fills WHERE order_id = o.id) f ON true
WHERE o.status = 'FILLED' AND o.filled_size IS DISTINCT FROM f.size
ORDER BY o.settled_at LIMIT :at_most;
